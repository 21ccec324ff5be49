"""Quality focal loss: focal loss against a quality from 0 to 1 instead of a class."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import binary_outcomes, focused, times
from lossary_losses.detection.logits import LogitLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["QualityFocalLoss"]


@loss_registry.register(
    name="quality_focal_loss",
    aliases=["QualityFocalLoss"],
    tags=["detection", "binary", "multilabel", "imbalance", "cross_entropy"],
)
@define_loss
class QualityFocalLoss(LogitLoss):
    r"""Cross entropy against a quality from 0 to 1, times a power of how far the prediction is from it.

    .. math:: \ell = -|t - p|^\beta \left( t \log p + (1 - t) \log (1 - p) \right), \quad p = \sigma(x)

    Convention:
        The target of the true class is the overlap of the predicted box with its object, and that of all
        others zero. With hard targets it is the focal loss of ``gamma=beta`` without ``alpha``. The mean is
        over all elements; the paper and MMDetection divide the sum by the number of positives: take
        ``reduction="sum"`` and divide. It is zero where the prediction is the target.

    Shapes:
        ``input``: any, logits. ``target``: the input's, values from 0 to 1.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        beta: How strongly predictions near their target are looked away from, >= 0. Default: 2.
        ignore_index: Elements where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = QualityFocalLoss()
        >>> loss(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.7]))
        tensor(0.0985)

    Reference:
        Li et al. 2020, "Generalized Focal Loss: Learning Qualified and Distributed Bounding Boxes for Dense
        Object Detection", arXiv:2006.04388.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, learns_at=1000.0)

    beta: float = number(default=2.0, at_least=0)

    def point(self, ready: Ready) -> Elements:
        """Give the focused cross entropy of each element."""
        surprise, gap, _ = _parts(ready)
        return weigh(focused(surprise, gap.abs(), self.beta), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative of both factors."""
        surprise, gap, spread = _parts(ready)
        size = gap.abs()
        slope = -gap * size**self.beta
        if self.beta:
            # Where there is no gap, a power below one has an infinite slope, and the loss a kink.
            base = size if self.beta >= 1 else torch.where(size == 0, 1, size)
            slope = slope - self.beta * base ** (self.beta - 1) * gap.sign() * spread * surprise
        return times(slope, ready.share)


def _parts(ready: Ready) -> tuple[Tensor, Tensor, Tensor]:
    """Give the cross entropy, ``t - p``, and the slope of ``p``."""
    positive, negative, p, q = binary_outcomes(ready.input)
    share, rest = ready.target, 1 - ready.target
    return share * positive + rest * negative, share * q - rest * p, p * q
