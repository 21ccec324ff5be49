"""Generalized Dice loss: one score over all classes, in which the small ones count as much as the large."""

from typing import Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import per_channel
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.stable import times
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, OverlapLoss, ratio

__all__ = ["GeneralizedDiceLoss"]

_POWERS = {"inverse_square": 2, "inverse": 1, "equal": 0}


@loss_registry.register(
    name="generalized_dice_loss",
    aliases=["GeneralizedDiceLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class GeneralizedDiceLoss(OverlapLoss):
    r"""One minus the soft Dice score of each sample over all its classes, each weighted by its rarity.

    .. math:: \ell = 1 - \frac{2 \sum_c w_c I_c + s}{\sum_c w_c (P_c + T_c) + s}, \quad
        w_c = \left( \frac{\min_k T_k}{T_c} \right)^2

    with :math:`I_c = \sum_i \min(p_{ic}, t_{ic})`, :math:`P_c = \sum_i p_{ic}` and
    :math:`T_c = \sum_i t_{ic}`.

    Convention:
        The paper's weights are :math:`1 / T_c^2`; here they are divided by the largest, that of the rarest
        class, which changes nothing without ``smooth``, and with it keeps ``smooth`` in positions of the
        rarest class: added to sums of weights as small as :math:`10^{-10}` it would be all that is left.
        ``class_weighting`` ``"inverse_square"``, ``"inverse"`` and ``"equal"`` are MONAI's ``w_type``
        ``"square"``, ``"simple"`` and ``"uniform"``. A class without truth would have an infinite weight: it
        has that of the rarest class that is there, or one where none is, so that false positives cost
        something; ``empty`` leaves it out instead. The paper has the background among its classes; a
        ``weight`` of zero takes it out. The mean is over samples.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B,)``, ``()`` where the batch is pooled.

    Args:
        smooth: Added above and below, >= 0. With 1 a sample without any truth still gives a gradient against
            false positives. Default: 1.
        class_weighting: How the weight of a class falls with the size of its truth: ``"inverse_square"``
            (default), ``"inverse"``, or ``"equal"`` for not at all.
        weight: One more factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        batch: Whether sizes are pooled over the batch, so that one score stands for all samples.
            Default: False.
        empty: What is made of classes without truth: with ``"score"`` (default) they count as much as the
            rarest class that has some; with ``"zero"`` and ``"skip"`` they have no part in the score, and a
            sample without any truth is as if perfect (``"zero"``) or not in the mean (``"skip"``).
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.
        position_group: The processes that share the positions of each sample, such as parts of a volume. What
            is summed over positions is that of whole samples then, and gradients are those of whole samples
            once they are averaged over these processes too; where they are added up, divide the loss by the
            number of these processes. Those of ``process_group`` are to have other samples. Default: None,
            each process has whole samples.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> target = torch.tensor([[0, 0, 0, 1]])
        >>> loss = GeneralizedDiceLoss(smooth=0.0, activation="none")
        >>> loss(torch.full((1, 2, 4), 0.5), target)
        tensor(0.6250)

    Reference:
        Sudre et al. 2017, "Generalised Dice overlap as a deep learning loss function for highly unbalanced
        segmentations", arXiv:1707.03237.
    """

    smooth: float = number(default=1.0, at_least=0)
    class_weighting: Literal["inverse_square", "inverse", "equal"] = choice(
        "inverse_square", "inverse", "equal", default="inverse_square"
    )

    def elements_of(self, counts: tuple[Tensor, ...]) -> Elements:
        """Give the loss of each sample, or of the batch, from the counts of each sample."""
        overlap = Overlap(*self.pooled(counts))
        class_weight = per_channel(self.weight, overlap.true, "weight")
        present = overlap.true > 0
        if class_weight is not None:
            present = present & (class_weight > 0)
        rarity = times(_rarity(overlap.true, present) ** _POWERS[self.class_weighting], class_weight)
        if self.empty != "score":
            rarity = torch.where(present, rarity, 0)
        hit = (rarity * overlap.intersection).sum(dim=1)
        size = (rarity * (overlap.predicted + overlap.true)).sum(dim=1)
        value = 1 - ratio(2 * hit + self.smooth, size + self.smooth)
        counted = (overlap.counted > 0).any(dim=1)
        if self.empty != "score":
            value = torch.where(present.any(dim=1), value, 0)
        if self.empty == "skip":
            counted = counted & present.any(dim=1)
        elements = weigh(value, counted.to(value.dtype))
        return drop_dimension(elements, 0) if self.batch else elements


def _rarity(sizes: Tensor, present: Tensor) -> Tensor:
    """Compute how much smaller the rarest class is than each; one for a class that is absent."""
    if sizes.shape[1] == 0:
        return sizes
    smallest = torch.where(present, sizes, torch.inf).amin(dim=1, keepdim=True)
    return torch.where(present, smallest / torch.where(present, sizes, 1), 1)
