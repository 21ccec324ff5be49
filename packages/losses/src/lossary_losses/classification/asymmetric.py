"""Asymmetric loss: binary cross entropy that treats positives and negatives differently."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, per_channel, prepare
from lossary_losses._core.options import integer, number, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import binary_surprise, bounded, focused, times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["AsymmetricLoss"]


@loss_registry.register(
    name="asymmetric_loss",
    aliases=["AsymmetricLoss"],
    tags=["segmentation", "classification", "binary", "multilabel", "imbalance", "cross_entropy"],
)
@define_loss
class AsymmetricLoss(PointwiseLoss):
    r"""Binary cross entropy that looks away from easy negatives more than from easy positives.

    .. math:: \ell = -t\, (1 - p)^{\gamma_+} \log p - (1 - t)\, p_m^{\gamma_-} \log (1 - p_m),
        \quad p_m = \max(p - m, 0)

    Convention:
        As in the paper, with its defaults; the gradient flows through the focusing factors as well. The
        authors' code has ``gamma_pos=1``, may stop that gradient, and adds up instead of averaging, as do
        timm's ``AsymmetricLossMultiLabel`` and mmpretrain's: ``reduction="sum"``. They clamp probabilities
        from below, so that the gradient of a badly missed positive dies; here it does not. A negative whose
        probability is nearly one hardly has a gradient with a margin, by the paper's intention: it may be a
        positive that nobody labelled. ``margin=0`` and one gamma for both is :class:`FocalLoss`. Soft
        targets mix the losses of both outcomes. There is no form for classes that exclude each other, for
        which the paper has no formula; timm's ``AsymmetricLossSingleLabel`` is a focal cross entropy with
        smoothing: :class:`FocalLoss`.

    Shapes:
        ``input``: logits of any shape, with the classes in dimension 1 where there are two or more
        dimensions.
        ``target``: the input's, of any dtype, values from 0 to 1.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        gamma_positive: How strongly easy positives are looked away from, >= 0. Default: 0.
        gamma_negative: How strongly easy negatives are looked away from, >= 0. Default: 4.
        margin: The probability up to which a negative costs nothing, at least 0 and below 1. Default: 0.05.
        weight: One factor per class, >= 0. Default: None, all one.
        ignore_index: Elements where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = AsymmetricLoss(gamma_negative=1.0, margin=0.25, reduction="none")
        >>> loss(torch.zeros(2), torch.tensor([1.0, 0.0]))
        tensor([0.6931, 0.0719])

    Reference:
        Ridnik et al. 2021, "Asymmetric Loss For Multi-Label Classification", arXiv:2009.14119.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, at_soft="elsewhere", learns_at=1000.0)

    gamma_positive: float = number(default=0.0, at_least=0)
    gamma_negative: float = number(default=4.0, at_least=0)
    margin: float = number(default=0.05, at_least=0, below=1)
    weight: Sequence[float] | Tensor | None = per_class(default=None)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one probability per element."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "probabilities")

    def point(self, ready: Ready) -> Elements:
        """Mix what both outcomes cost, as the target says."""
        input, target, share, *_ = ready
        class_weight = per_channel(self.weight, input, "weight")
        value = target * self._positive(input) + (1 - target) * self._negative(input)
        return weigh(times(value, class_weight), share, class_weight)

    def _positive(self, logits: Tensor) -> Tensor:
        surprise, _ = binary_surprise(logits)
        return focused(surprise, (-bounded(logits)).sigmoid(), self.gamma_positive)

    def _negative(self, logits: Tensor) -> Tensor:
        probability = bounded(logits).sigmoid()
        if not self.margin:
            _, surprise = binary_surprise(logits)
            return focused(surprise, probability, self.gamma_negative)
        shifted = (probability - self.margin).relu()
        # 1 - p + m keeps its digits where p is nearly one, and the logarithm of 1 - p_m where p_m is small.
        high = probability > max(0.5, self.margin)
        rest = torch.where(high, (-bounded(logits)).sigmoid() + self.margin, 1)
        surprise = -torch.where(high, rest.log(), (-torch.where(high, 0, shifted)).log1p())
        return focused(surprise, shifted, self.gamma_negative)
