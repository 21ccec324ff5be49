"""Deformation energies: how far a field of displacements is from moving everything alike."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, counted_positions, ready
from lossary_losses._core.differences import forward_differences, inner, second_differences
from lossary_losses._core.images import ImageLoss, prepare_images
from lossary_losses._core.options import choice
from lossary_losses._core.reduced import TargetlessLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.sequences import numbers
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DeformationLoss"]

_NEIGHBOURHOOD = 3
"""How many positions a second derivative spans."""


@loss_registry.register(
    name="deformation_loss",
    aliases=["DeformationLoss"],
    tags=["image", "regularization"],
)
@define_loss
class DeformationLoss(ImageLoss, TargetlessLoss):
    r"""The energy of a field's second derivatives, which bending costs, or of its first ones.

    .. math:: \ell_i = \sum_{a, b} \left( \frac{\partial^2 u_i}{\partial a \, \partial b} \right)^2,
        \quad \text{or} \quad \ell_i = \sum_a \left( \frac{\partial u_i}{\partial a} \right)^2

    Convention:
        ``order=2`` is the bending energy, in which each mixed derivative counts twice; affine fields have
        none. The element is a position of a channel that has neighbours all around. Derivatives have the
        narrowest stencils: 1, -2, 1, and the four corners around a position over 4. This is MONAI's
        ``BendingEnergyLoss()`` since 1.6; before that it took differences of differences of every second
        position, in which fields that alternate from position to position cost nothing.
        ``order=1`` is the diffusion energy; constant fields have none. The element is a position of a
        channel, with the difference to the next position along each dimension, of which the last position
        has none, as in VoxelMorph, which takes the mean along each dimension by itself. MONAI's
        ``DiffusionLoss`` takes half the difference of the positions on both sides instead.
        A derivative counts where all positions that it is made of do. Derivatives are divided by the spacing
        once for each order, so that energies fall with the square of it, or the fourth power; displacements
        have the unit that they are given in.

    Shapes:
        ``input``: ``(B, C, *S)``, with one dimension of space or more, each of three positions or more for
        ``order=2``. Usually a channel is the displacement along a dimension; there is no target.
        ``mask`` and ``weight``: ``(B, *S)`` or the input's.
        Result: a scalar, or with ``reduction="none"`` the input's shape, each dimension of space shorter by
        two for ``order=2``.

    Args:
        order: Which derivatives cost: 2 (default) or 1.
        spacing: How far apart positions are, > 0; one number, or one for each dimension of space. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = DeformationLoss()
        >>> loss(torch.tensor([[[0.0, 1.0, 2.0, 5.0]]]))
        tensor(2.)

    Reference:
        Rueckert et al. 1999, "Nonrigid registration using free-form deformations: application to breast MR
        images", doi:10.1109/42.796284. First derivatives: Balakrishnan et al. 2019, "VoxelMorph: A Learning
        Framework for Deformable Medical Image Registration", arXiv:1809.05231.
    """

    claims: ClassVar = Claims(
        targets={"nothing": {}},
        input="images",
        element="position",
        reach=1,
        memory=12,
        invariant=("mirror",),
    )

    order: Literal[1, 2] = choice(1, 2, default=2)
    spacing: float | Sequence[float] = numbers(default=1.0, above=0)

    def prepare(
        self, input: Tensor, target: Tensor | None, mask: Tensor | None, weight: Tensor | None
    ) -> Dense:
        """Check the shapes of everything, and whether the spacing is that of as many dimensions."""
        dense = prepare_images(input, target, mask, weight)
        space = tuple(input.shape[2:])
        spacing = self._spacing(len(space))
        if len(spacing) != len(space):
            raise InputValueError(
                f"spacing has {len(spacing)} numbers, and the input {tuple(input.shape)} {len(space)} "
                "dimensions of space"
            )
        if self.order > 1 and min(space) < _NEIGHBOURHOOD:
            raise InputValueError(
                f"second derivatives need {_NEIGHBOURHOOD} positions or more along each dimension of space: "
                f"input {tuple(input.shape)}"
            )
        return dense

    def elements(
        self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the energy of each position."""
        dense = self.prepare(input, None, mask, weight)
        field, _, share, *_ = ready(dense)
        counted = counted_positions(dense)
        spacing = self._spacing(input.ndim - 2)
        if self.order == 1:
            energy = torch.zeros_like(field)
            for difference, step in zip(forward_differences(field, counted), spacing, strict=True):
                energy = energy + (difference / step).square()
            return weigh(energy, share)
        energy = torch.zeros_like(inner(field, {}))
        for (first, second), derivative in second_differences(field, counted).items():
            times = 1 if first == second else 2
            energy = energy + times * (derivative / (spacing[first] * spacing[second])).square()
        return weigh(energy, None if share is None else inner(share, {}))

    def _spacing(self, dimensions: int) -> tuple[float, ...]:
        """Give the spacing along each dimension of space."""
        given = self.spacing
        return (given,) * dimensions if isinstance(given, (int, float)) else tuple(given)
