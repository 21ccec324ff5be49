"""Jaccard loss: one minus intersection over union."""

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, OverlapLoss, ratio

__all__ = ["JaccardLoss"]


@loss_registry.register(
    name="jaccard_loss",
    aliases=["JaccardLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class JaccardLoss(OverlapLoss):
    r"""One minus the soft Jaccard index, intersection over union, of each sample and class.

    .. math:: \ell = 1 - \frac{I + s}{P + T - I + s}, \quad I = \sum_i \min(p_i, t_i),
        \quad P = \sum_i p_i, \quad T = \sum_i t_i

    Convention:
        With :math:`d` the Dice loss of twice the ``smooth`` it is :math:`2 d / (1 + d)`. For soft targets
        :math:`\min(p, t)` puts the minimum, zero, at :math:`p = t`; with the product :math:`p\,t` of most
        other collections every p would be driven to 0 or 1. The mean is over samples and classes, weighted by
        ``weight``.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        smooth: Added above and below, >= 0. Default: 1.
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        batch: Whether sizes are pooled over the batch, so that one score per class stands for all samples.
            Default: False.
        empty: What a sample and class without any truth gives: ``"score"`` (default), the formula's value;
            ``"zero"``, as if perfect: false positives there are free; ``"skip"``, no part in the mean.
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
        >>> target = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
        >>> loss = JaccardLoss(smooth=0.0, activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 1.0, 0.0]]]), target)
        tensor(0.6667)

    Reference:
        Rahman and Wang 2016, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image
        Segmentation", doi:10.1007/978-3-319-50835-1_22; soft targets as in Wang et al. 2023, "Jaccard Metric
        Losses", arXiv:2302.05666.
    """

    smooth: float = number(default=1.0, at_least=0)

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give one minus intersection over union."""
        hit, predicted, true, _ = overlap
        return 1 - ratio(hit + self.smooth, predicted + true - hit + self.smooth)
