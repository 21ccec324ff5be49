"""Hausdorff loss by distance transforms: errors that are far from a boundary cost more."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Selection, per_channel
from lossary_losses._core.options import choice, integer, number, per_class
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.distance_map import sides_of, squared_distance_to_other_side
from lossary_losses.segmentation.overlap import Activation
from lossary_losses.segmentation.regions import NEIGHBOURHOOD, Regions, RegionsLoss, find_regions

__all__ = ["HausdorffDTLoss"]


@loss_registry.register(
    name="hausdorff_dt_loss",
    aliases=["HausdorffDTLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "boundary"],
)
@define_loss
class HausdorffDTLoss(RegionsLoss):
    r"""The squared error at each position, times how far it is from the boundaries of prediction and truth.

    .. math:: \ell_i = (p_i - t_i)^2 \left( d_P(i)^\alpha + d_T(i)^\alpha \right)

    with :math:`d_T(i)` the distance of position i to the nearest position on the other side of the boundary
    of :math:`t > 1/2`, and :math:`d_P(i)` the same of :math:`p > 1/2`.

    Convention:
        Distances are at least one, inside and outside, and have no gradient. A class that is nowhere, or
        everywhere, has no boundary, and distances of zero; where neither prediction nor truth has one, the
        factor is one, so that what is left is the squared error. In MONAI and other code it is zero there,
        also where a whole image is predicted as a class that it does not hold. The mean is over samples,
        classes and positions; a ``weight`` of zero leaves a class out, which MONAI does with the background.
        The paper adds a Dice loss, with a weight that makes both alike after each epoch. Alone it is slow to
        train on: what is far outside weighs most, so that a network learns to predict nothing first; a
        smaller ``alpha`` helps. Excluded positions are on neither side for the others, so that a loss under a
        mask is not that of the positions cut out. A position of weight zero is excluded as well.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` the input's shape.

    Args:
        alpha: How much more an error costs that is further away, > 0. Default: 2.
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
        >>> target = torch.tensor([[[0.0, 0.0, 0.0, 1.0]]])
        >>> loss = HausdorffDTLoss(reduction="none", activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 0.0, 1.0]]]), target)
        tensor([[[10.,  0.,  0.,  0.]]])

    Reference:
        Karimi and Salcudean 2019, "Reducing the Hausdorff Distance in Medical Image Segmentation with
        Convolutional Neural Networks", arXiv:1904.10030.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}, "soft": {}, "distributions": {"activation": "softmax"}},
        exempt=NEIGHBOURHOOD,
    )

    alpha: float = number(default=2.0, above=0)
    weight: Sequence[float] | Tensor | None = per_class(default=None)
    activation: Activation | None = choice("sigmoid", "softmax", "none", None, default=None)
    ignore_index: int | None = integer(default=None)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each class at each position."""
        selection = Selection(self.ignore_index, mask, weight)
        regions = find_regions(input, target, selection, self.activation)
        value = (regions.predicted - regions.true).square() * self._factor(regions)
        class_weight = per_channel(self.weight, value, "weight")
        return weigh(times(value, class_weight), regions.share, class_weight)

    def _factor(self, regions: Regions) -> Tensor:
        """Add up the powers of both distances; one where there is no boundary at all."""
        of_both = [
            squared_distance_to_other_side(
                *sides_of(region.detach() > 0.5, regions.known),  # noqa: PLR2004 - more likely than not
                [1.0] * (region.ndim - 2),
            ).to(region.dtype)
            ** (self.alpha / 2)
            for region in (regions.predicted, regions.true)
        ]
        factor = of_both[0] + of_both[1]
        return torch.where(factor > 0, factor, 1)
