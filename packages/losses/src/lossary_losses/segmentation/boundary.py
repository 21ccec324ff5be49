"""Boundary loss: probability times distance to the true boundary, negative inside."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_binary
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Selection, per_channel, require_tensor
from lossary_losses._core.options import choice, integer, per_class
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.distance_map import sides_of, signed_distance
from lossary_losses.segmentation.overlap import Activation
from lossary_losses.segmentation.regions import NEIGHBOURHOOD, Regions, RegionsLoss, find_regions

__all__ = ["BoundaryLoss"]


@loss_registry.register(
    name="boundary_loss",
    aliases=["BoundaryLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "boundary"],
)
@define_loss
class BoundaryLoss(RegionsLoss):
    r"""The probability of each class at each position, times the signed distance to its true boundary.

    .. math:: \ell_i = \varphi_i\, p_i, \quad
        \varphi_i = \begin{cases} \min_{j \in G} |i - j| & i \notin G \\
        1 - \min_{j \notin G} |i - j| & i \in G \end{cases}

    with :math:`G` the positions where the target is 1.

    Convention:
        The minimum is not zero: it is negative, where p is 1 inside of the truth and 0 outside. The loss has
        little to say to a network that sees nothing yet, and the paper adds it to a region loss, with a
        weight that rises: a sum of ``dice_loss`` and ``boundary_loss`` with a schedule. As in the authors'
        code a position inside but next to the outside has a distance of zero, a class that is nowhere (or
        everywhere) has zero throughout, and the mean is over samples, classes and positions. They leave the
        background out: a ``weight`` of zero for the first class. The map takes time, and does not change from
        one epoch to the next: give the one of :func:`signed_distance_map` as ``distance_map``, which may have
        spacings; without, the target is 0 or 1. Excluded positions are neither inside nor outside for the
        others, so that a loss under a mask is not that of the positions cut out, unless the map is given. A
        position of weight zero is excluded as well.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or 0 and 1 of the input's shape.
        ``distance_map``: the input's shape.
        Result: a scalar, or with ``reduction="none"`` the input's shape.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> target = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 1.0, 0.0]]])
        >>> loss = BoundaryLoss(reduction="none")
        >>> loss(torch.zeros(1, 1, 6), target)
        tensor([[[ 1.0000,  0.5000,  0.0000, -0.5000,  0.0000,  0.5000]]])

    Reference:
        Kervadec et al. 2019, "Boundary loss for highly unbalanced segmentation", arXiv:1812.07032.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}},
        low=None,
        perfect=None,
        exempt=NEIGHBOURHOOD,
    )

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    activation: Activation | None = choice("sigmoid", "softmax", "none", None, default=None)
    ignore_index: int | None = integer(default=None)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        distance_map: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives; half precision is computed in float32.
            target: What it should have given.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: How much each position counts; of shape ``(B, *S)``, or the input's where classes do not
                exclude each other.
            distance_map: What :func:`signed_distance_map` gives for the target; computed if None.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as class indices given as floats.
        """
        return self.result(input, target, mask=mask, weight=weight, distance_map=distance_map)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        distance_map: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each class at each position."""
        selection = Selection(self.ignore_index, mask, weight)
        regions = find_regions(input, target, selection, self.activation)
        distances = _distances(regions) if distance_map is None else _checked(distance_map, regions)
        class_weight = per_channel(self.weight, distances, "weight")
        return weigh(times(regions.predicted * distances, class_weight), regions.share, class_weight)


def _distances(regions: Regions) -> Tensor:
    """Compute the signed distances to the boundary of the truth."""
    check_binary(regions.true, "target")
    sides = sides_of(regions.true > 0, regions.known)
    return signed_distance(*sides, [1.0] * (regions.true.ndim - 2)).to(regions.predicted.dtype)


def _checked(distance_map: Tensor, regions: Regions) -> Tensor:
    """Check the shape of a map, and bring it to the dtype that is computed in; zero where excluded."""
    require_tensor(distance_map, "distance_map")
    shape = tuple(regions.predicted.shape)
    if distance_map.shape != shape:
        raise InputValueError(
            f"Incompatible shapes: input {shape}, distance_map {tuple(distance_map.shape)}; "
            f"accepted for the distance_map: {shape}"
        )
    distances = distance_map.to(regions.predicted.dtype)
    return distances if regions.known is None else torch.where(regions.known, distances, 0)
