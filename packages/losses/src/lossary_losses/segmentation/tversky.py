"""Tversky losses: overlap with a price of its own for each kind of error."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, OverlapLoss

__all__ = ["FocalTverskyLoss", "TverskyLoss"]


def tversky_loss(overlap: Overlap, alpha: float, beta: float, smooth: float) -> Tensor:
    """Compute false positives times alpha and false negatives times beta, over both and the intersection.

    That is one minus the index, without what the difference from one would lose of a small loss.
    """
    hit, predicted, true, _ = overlap
    errors = alpha * (predicted - hit) + beta * (true - hit)
    whole = hit + errors + smooth
    return errors / torch.where(whole == 0, 1, whole)


@loss_registry.register(
    name="tversky_loss",
    aliases=["TverskyLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class TverskyLoss(OverlapLoss):
    r"""One minus the soft Tversky index of each sample and class.

    .. math:: \ell = 1 - \frac{I + s}{I + \alpha (P - I) + \beta (T - I) + s},
        \quad I = \sum_i \min(p_i, t_i), \quad P = \sum_i p_i, \quad T = \sum_i t_i

    Convention:
        ``alpha`` is the price of false positives and ``beta`` that of false negatives, as in the paper and in
        MONAI, smp and kornia. With both 0.5 it is the Dice loss of twice the ``smooth``, with both 1 the
        Jaccard loss of the same. The mean is over samples and classes, weighted by ``weight``.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        alpha: The price of false positives, >= 0. Default: 0.5.
        beta: The price of false negatives, >= 0. Default: 0.5.
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
        >>> loss = TverskyLoss(alpha=0.3, beta=0.7, smooth=0.0, activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 0.0, 0.0]]]), target)
        tensor(0.4118)

    Reference:
        Salehi et al. 2017, "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional Deep
        Networks", arXiv:1706.05721.
    """

    alpha: float = number(default=0.5, at_least=0)
    beta: float = number(default=0.5, at_least=0)
    smooth: float = number(default=1.0, at_least=0)

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give one minus the Tversky index."""
        return tversky_loss(overlap, self.alpha, self.beta, self.smooth)


@loss_registry.register(
    name="focal_tversky_loss",
    aliases=["FocalTverskyLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class FocalTverskyLoss(OverlapLoss):
    r"""The Tversky loss to a power that turns to classes which are hard.

    .. math:: \ell = \left( 1 - \frac{I + s}{I + \alpha (P - I) + \beta (T - I) + s} \right)^{1 / \gamma}

    Convention:
        The exponent is :math:`1 / \gamma`, as in the paper; its authors' code, and others after it, call the
        exponent itself gamma and give 0.75 for the paper's 4/3. ``alpha`` is the price of false positives and
        ``beta`` that of false negatives, as in :class:`TverskyLoss`; the paper has them the other way round.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        alpha: The price of false positives, >= 0. Default: 0.3.
        beta: The price of false negatives, >= 0. Default: 0.7.
        gamma: One over the exponent, > 0; above 1 it turns to what is hard. Default: 4/3.
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
        >>> loss = FocalTverskyLoss(gamma=2.0, smooth=0.0, activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 0.0, 0.0]]]), target)
        tensor(0.6417)

    Reference:
        Abraham and Khan 2018, "A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion
        Segmentation", arXiv:1810.07842.
    """

    alpha: float = number(default=0.3, at_least=0)
    beta: float = number(default=0.7, at_least=0)
    gamma: float = number(default=4 / 3, above=0)
    smooth: float = number(default=1.0, at_least=0)

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give one minus the Tversky index, to the power of one over gamma."""
        loss = tversky_loss(overlap, self.alpha, self.beta, self.smooth)
        return power_of_nonnegative(loss, 1 / self.gamma)
