"""What losses share that depend on the probability of the truth alone."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import (
    Dense,
    Kind,
    Ready,
    Selection,
    class_membership,
    kind_of,
    per_channel,
    prepare,
)
from lossary_losses._core.options import choice, integer, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import binary_surprise, bounded, times
from lossary_losses.classification.cross_entropy import weight_of_labels

__all__ = ["TruthLoss", "binary_target"]


@define_loss
class TruthLoss(PointwiseLoss):
    """A loss of the probability that is given to the truth, under a sigmoid or a softmax.

    Subclasses say what a probability costs, and how fast the cost changes with its logarithm.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}, "soft": {}, "distributions": {"activation": "softmax"}},
        at_soft="elsewhere",
    )

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    activation: Literal["sigmoid", "softmax"] | None = choice("sigmoid", "softmax", None, default=None)
    ignore_index: int | None = integer(default=None)

    def cost(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Compute what a truth of this probability costs; ``complement`` is one minus the probability."""
        raise NotImplementedError(f"{type(self).__name__} must say what a probability costs")

    def cost_slope(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Compute the derivative of the cost with respect to the logarithm of the probability."""
        raise NotImplementedError(f"{type(self).__name__} must say how fast its cost changes")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Decide by the target's shape, or by the option, whether classes exclude each other."""
        kind: Kind = kind_of(input, target)
        if kind == "probabilities" and self.activation == "softmax":
            kind = "distributions"
        return prepare(input, target, Selection(self.ignore_index, mask, weight), kind)

    def is_binary(self, kind: Kind) -> bool:
        """Tell whether each channel is a problem of its own."""
        return kind == "probabilities" or (kind == "labels" and self.activation == "sigmoid")

    def balance(self) -> tuple[float, float]:
        """Give the weights of positives and of negatives under a sigmoid."""
        return 1.0, 1.0

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each position (softmax) or element (sigmoid)."""
        input, target, share, kind = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self.is_binary(kind):
            value = times(self._binary_cost(input, binary_target(ready)), class_weight)
            return weigh(value, share, class_weight)
        log_probability = input.log_softmax(dim=1)
        if kind == "labels":
            log_probability = bounded(log_probability.gather(1, target))
            weight_of_truth = weight_of_labels(class_weight, target)
            value = self.cost(log_probability, -log_probability.expm1())
            return weigh(times(value, weight_of_truth), share, weight_of_truth)
        log_probability = bounded(log_probability)
        each = self.cost(log_probability, -log_probability.expm1())
        return weigh((times(target, class_weight) * each).sum(dim=1, keepdim=True), share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative by hand where it is worth it: under a sigmoid, and for class indices."""
        input, target, share, kind = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self.is_binary(kind):
            slope = self._binary_slope(input, binary_target(ready))
            return times(times(slope, class_weight), share)
        if kind != "labels":
            return super().slope(ready)
        slope = input.log_softmax(dim=1)
        log_probability = bounded(slope.gather(1, target))
        upstream = self.cost_slope(log_probability, -log_probability.expm1())
        upstream = times(times(upstream, weight_of_labels(class_weight, target)), share)
        return slope.exp_().mul_(-upstream).scatter_add_(1, target, upstream)

    def _binary_cost(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mix what both outcomes cost, as the target says."""
        positive, negative = binary_surprise(logits)
        of_positive, of_negative = self.balance()
        return of_positive * target * self.cost(-positive, (-logits).sigmoid()) + of_negative * (
            1 - target
        ) * self.cost(-negative, logits.sigmoid())

    def _binary_slope(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mix the slopes of both outcomes: the logarithm of p rises by 1 - p, that of 1 - p falls by p."""
        positive, negative = binary_surprise(logits)
        p, q = logits.sigmoid(), (-logits).sigmoid()
        of_positive, of_negative = self.balance()
        rising = of_positive * target * self.cost_slope(-positive, q) * q
        return rising.sub_(of_negative * (1 - target) * self.cost_slope(-negative, p) * p)


def binary_target(ready: Ready) -> Tensor:
    """Turn class indices into one binary target per class."""
    if ready.kind != "labels":
        return ready.target
    return class_membership(ready.target, ready.input.shape[1]).to(ready.input.dtype)
