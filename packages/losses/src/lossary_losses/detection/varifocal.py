"""Varifocal loss: cross entropy against a quality, weighed by it, with easy negatives looked away from."""

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

__all__ = ["VarifocalLoss"]


@loss_registry.register(
    name="varifocal_loss",
    aliases=["VarifocalLoss"],
    tags=["detection", "binary", "multilabel", "imbalance", "cross_entropy"],
)
@define_loss
class VarifocalLoss(LogitLoss):
    r"""Cross entropy against a quality, times that quality; of what is no object, focal loss.

    .. math:: \ell = \begin{cases} -t \left( t \log p + (1 - t) \log (1 - p) \right) & t > 0 \\
        -\alpha\, p^\gamma \log (1 - p) & t = 0 \end{cases} \quad p = \sigma(x)

    Convention:
        The target of the true class is the overlap of the predicted box with its object, and that of all
        others zero. Of a target of one it is cross entropy. Only negatives are looked away from, and
        ``alpha`` weighs them alone. The mean is over all elements; the paper and MMDetection divide the sum
        by the number of positives, Ultralytics by the sum of their qualities: take ``reduction="sum"`` and
        divide. It is lowest, though not zero, where the prediction is the target.

    Shapes:
        ``input``: any, logits. ``target``: the input's, values from 0 to 1.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        alpha: The weight of negatives, >= 0. Default: 0.75.
        gamma: How strongly easy negatives are looked away from, >= 0. Default: 2.
        ignore_index: Elements where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = VarifocalLoss()
        >>> loss(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.7]))
        tensor(0.3194)

    Reference:
        Zhang et al. 2021, "VarifocalNet: An IoU-aware Dense Object Detector", arXiv:2008.13367.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, at_soft="lowest", learns_at=1000.0)

    alpha: float = number(default=0.75, at_least=0)
    gamma: float = number(default=2.0, at_least=0)

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each element, as an object or as none."""
        target = ready.target
        positive, negative, p, _ = binary_outcomes(ready.input)
        of_object = target * (target * positive + (1 - target) * negative)
        of_none = self.alpha * focused(negative, p, self.gamma)
        return weigh(torch.where(target <= 0, of_none, of_object), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative of both factors."""
        target = ready.target
        _, negative, p, q = binary_outcomes(ready.input)
        of_object = target * ((1 - target) * p - target * q)
        of_none = self.alpha * p**self.gamma * (p + self.gamma * q * negative)
        return times(torch.where(target <= 0, of_none, of_object), ready.share)
