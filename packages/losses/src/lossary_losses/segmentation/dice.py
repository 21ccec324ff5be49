"""Dice loss: one minus the overlap of prediction and truth, relative to their sizes."""

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.stable import log_cosh
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, OverlapLoss, ratio

__all__ = ["DiceLoss", "LogCoshDiceLoss"]


def dice_score(overlap: Overlap, smooth: float) -> Tensor:
    """Compute twice the intersection over the sum of both sizes."""
    return ratio(2 * overlap.intersection + smooth, overlap.predicted + overlap.true + smooth)


@loss_registry.register(
    name="dice_loss",
    aliases=["DiceLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class DiceLoss(OverlapLoss):
    r"""One minus the soft Dice score of each sample and class.

    .. math:: \ell = 1 - \frac{2 I + s}{P + T + s}, \quad I = \sum_i \min(p_i, t_i),
        \quad P = \sum_i p_i, \quad T = \sum_i t_i

    Convention:
        ``smooth`` (:math:`s`) is added above and below. The sizes are sums, not sums of squares as in the
        V-Net paper. :math:`\min(p, t)` is :math:`p\,t` where the target is 0 or 1; for soft targets it puts
        the minimum, zero, at :math:`p = t`, while :math:`p\,t` would drive every p to 0 or 1. The mean is
        over samples and classes, weighted by ``weight``; a weight of zero leaves a class out, the background
        say. A sample of which nothing counts does not enter the mean. The target's shape decides between
        sigmoid (values of the input's shape) and softmax (class indices); ``activation`` says otherwise.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        smooth: Added above and below, >= 0. With 1 an empty target still gives a small gradient against false
            positives. Default: 1.
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
        >>> target = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
        >>> DiceLoss()((target - 0.5) * 100, target)
        tensor(0.)

    Reference:
        Milletari et al. 2016, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
        Segmentation", arXiv:1606.04797; sizes as in Sudre et al. 2017, "Generalised Dice
        overlap as a deep learning loss function for highly unbalanced segmentations", arXiv:1707.03237; soft
        targets as in Wang et al. 2023, "Dice Semimetric Losses: Optimizing the Dice Score with Soft Labels",
        arXiv:2303.16296.
    """

    smooth: float = number(default=1.0, at_least=0)

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give one minus the Dice score."""
        return 1 - dice_score(overlap, self.smooth)


@loss_registry.register(
    name="log_cosh_dice_loss",
    aliases=["LogCoshDiceLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class LogCoshDiceLoss(OverlapLoss):
    r"""The logarithm of the hyperbolic cosine of the Dice loss of each sample and class.

    .. math:: \ell = \log \cosh \left( 1 - \frac{2 I + s}{P + T + s} \right), \quad
        I = \sum_i \min(p_i, t_i), \quad P = \sum_i p_i, \quad T = \sum_i t_i

    Convention:
        The function is taken of each sample and class, and the mean afterwards. ``smooth`` and all else are
        as in :class:`DiceLoss`. It is half the square of the Dice loss where that is small.

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
        >>> loss = LogCoshDiceLoss(smooth=0.0, activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 1.0, 0.0]]]), target)
        tensor(0.1201)

    Reference:
        Jadon 2020, "A survey of loss functions for semantic segmentation", arXiv:2006.14822.
    """

    smooth: float = number(default=1.0, at_least=0)

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give log cosh of one minus the Dice score."""
        return log_cosh(1 - dice_score(overlap, self.smooth))
