"""What losses share that depend on the probability of the truth alone."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
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
from lossary_losses._core.softmax import log_softmax
from lossary_losses._core.stable import binary_outcomes, bounded, softplus, times
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
        learns_at=1000.0,
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
        input, target, share, kind, _ = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self.is_binary(kind):
            value = times(self._binary_cost(input, binary_target(ready), hard=ready.hard), class_weight)
            return weigh(value, share, class_weight)
        if kind == "labels":
            log_probability = bounded(log_softmax(input).of(target))
            weight_of_truth = weight_of_labels(class_weight, target)
            value = self.cost(log_probability, -log_probability.expm1())
            return weigh(times(value, weight_of_truth), share, weight_of_truth)
        log_probability = bounded(input.log_softmax(dim=1))
        each = self.cost(log_probability, -log_probability.expm1())
        return weigh((times(target, class_weight) * each).sum(dim=1, keepdim=True), share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative by hand where it is worth it: under a sigmoid, and for class indices."""
        return self.point_and_slope(ready)[1]

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Give both, and compute once what they share."""
        input, target, share, kind, _ = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self.is_binary(kind):
            value, slope = self._binary_cost_and_slope(input, binary_target(ready), hard=ready.hard)
            elements = weigh(times(value, class_weight), share, class_weight)
            return elements, times(times(slope, class_weight), share)
        if kind != "labels":
            return self.point(ready), super().slope(ready)
        slope = input.log_softmax(dim=1)
        log_probability = bounded(slope.gather(1, target))
        complement = -log_probability.expm1()
        weight_of_truth = weight_of_labels(class_weight, target)
        value = times(self.cost(log_probability, complement), weight_of_truth)
        upstream = times(times(self.cost_slope(log_probability, complement), weight_of_truth), share)
        slope = slope.exp_().mul_(-upstream).scatter_add_(1, target, upstream)
        return weigh(value, share, weight_of_truth), slope

    def cost_and_logit_slope(self, log_probability: Tensor, complement: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the cost, and how fast it changes with the logit of the truth under a sigmoid."""
        cost = self.cost(log_probability, complement)
        return cost, self.cost_slope(log_probability, complement).mul_(complement)

    def _binary_cost(self, logits: Tensor, target: Tensor, *, hard: bool) -> Tensor:
        """Mix what both outcomes cost, as the target says."""
        if hard and not torch.is_grad_enabled():
            return self._binary_cost_and_slope(logits, target, hard=True)[0]
        positive, negative, p, q = binary_outcomes(logits)
        of_positive, of_negative = self.balance()
        return of_positive * target * self.cost(-positive, q) + of_negative * (1 - target) * self.cost(
            -negative, p
        )

    def _binary_cost_and_slope(self, logits: Tensor, target: Tensor, *, hard: bool) -> tuple[Tensor, Tensor]:
        """Mix cost and slope of both outcomes; of a hard target, one outcome is all."""
        of_positive, of_negative = self.balance()
        if hard:
            away = target.mul(-2).add_(1)  # from the truth: 1 for a negative, -1 for a positive
            against = bounded(logits).mul_(away)
            log_probability = softplus(against).neg_()
            cost, slope = self.cost_and_logit_slope(log_probability, against.sigmoid_())
            slope = slope.mul_(away).neg_()
            if of_positive == of_negative == 1:
                return cost, slope
            factor = target.mul(of_positive - of_negative).add_(of_negative)
            return cost.mul_(factor), slope.mul_(factor)
        positive, negative, p, q = binary_outcomes(logits)
        positive, rising = self.cost_and_logit_slope(-positive, q)
        negative, falling = self.cost_and_logit_slope(-negative, p)
        share, rest = of_positive * target, of_negative * (1 - target)
        return share * positive + rest * negative, share * rising - rest * falling


def binary_target(ready: Ready) -> Tensor:
    """Turn class indices into one binary target per class."""
    if ready.kind != "labels":
        return ready.target
    return class_membership(ready.target, ready.input.shape[1]).to(ready.input.dtype)
