"""Focal loss: cross entropy that looks away from what is already easy."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
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
from lossary_losses._core.options import choice, integer, number, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import (
    binary_modulation,
    binary_surprise,
    bounded,
    power_of_nonnegative,
    times,
)
from lossary_losses.classification.cross_entropy import weight_of_labels
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["FocalLoss"]


def binary_focal(logits: Tensor, target: Tensor, gamma: float, alpha: float | None) -> Tensor:
    """Compute the focal loss of each element under a sigmoid."""
    positive, negative = binary_surprise(logits)
    if gamma:
        p, q = binary_modulation(logits, positive, gamma), binary_modulation(-logits, negative, gamma)
        positive, negative = positive * q, negative * p
    if alpha is not None:
        positive, negative = alpha * positive, (1 - alpha) * negative
    return target * positive + (1 - target) * negative


def binary_focal_slope(logits: Tensor, target: Tensor, gamma: float, alpha: float | None) -> Tensor:
    """Compute the derivative of :func:`binary_focal` with respect to the logits."""
    positive, negative = binary_surprise(logits)
    p, q = logits.sigmoid(), (-logits).sigmoid()
    of_positive = -binary_modulation(-logits, negative, gamma) * (q + gamma * p * positive)
    of_negative = binary_modulation(logits, positive, gamma) * (p + gamma * q * negative)
    if alpha is not None:
        of_positive, of_negative = alpha * of_positive, (1 - alpha) * of_negative
    return target * of_positive + (1 - target) * of_negative


def focal(log_probability: Tensor, gamma: float) -> Tensor:
    """Compute the focal loss of a class that is true, from the logarithm of its probability."""
    if not gamma:
        return -log_probability
    # expm1 keeps 1 - p exact where p is nearly one.
    return power_of_nonnegative(-log_probability.expm1(), gamma) * -log_probability


def focal_slope(log_probability: Tensor, gamma: float) -> Tensor:
    """Compute the derivative of :func:`focal` with respect to the logarithm."""
    log_probability = bounded(log_probability)
    q = -log_probability.expm1()
    # log p over 1 - p is -1 in the limit of p = 1, where the quotient is 0 / 0.
    quotient = torch.where(q > 0, log_probability / q, -1)
    return q**gamma * (gamma * log_probability.exp() * quotient - 1)


@loss_registry.register(
    name="focal_loss",
    aliases=["FocalLoss"],
    tags=[
        "segmentation",
        "classification",
        "binary",
        "multilabel",
        "multiclass",
        "imbalance",
        "cross_entropy",
    ],
)
@define_loss
class FocalLoss(PointwiseLoss):
    r"""Cross entropy that looks away from what is already easy.

    .. math:: \ell = -\alpha_t\, (1 - p_t)^\gamma \log p_t

    :math:`p_t` being the probability that is given to the truth.

    Convention:
        The target's shape decides: values of the input's shape mean one binary problem per channel (sigmoid),
        class indices mean exclusive classes (softmax); ``activation`` says otherwise. ``alpha`` weighs
        positives and ``1 - alpha`` negatives, under a sigmoid only; for classes use ``weight``. The paper's
        detector has ``alpha=0.25``; here it is off unless given. The mean divides by what counted, elements
        under a sigmoid and positions under a softmax; kornia's divides by the number of classes as well: its
        value times C is ours. Soft targets mix the losses of both outcomes, and the minimum is then not at
        :math:`p = t`.

    Shapes:
        ``input``: ``(B, C, *S)`` logits; any shape where the target has the same and the sigmoid is meant.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, *S)`` under a softmax, else the input's shape.

    Args:
        gamma: How strongly easy positions are looked away from, >= 0; 0 is cross entropy. Default: 2.
        alpha: The weight of positives against negatives, 0 to 1, sigmoid only. Default: None, no weights.
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, or None (default) to let the target's shape decide.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = FocalLoss(gamma=2.0)
        >>> loss(torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4))
        tensor(0.1733)

    Reference:
        Lin et al. 2017, "Focal Loss for Dense Object Detection", arXiv:1708.02002.
    """

    gamma: float = number(default=2.0, at_least=0)
    alpha: float | None = number(default=None, at_least=0, at_most=1)
    weight: Sequence[float] | Tensor | None = per_class(default=None)
    activation: Literal["sigmoid", "softmax"] | None = choice("sigmoid", "softmax", None, default=None)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Decide by the target's shape, or by the option, whether classes exclude each other."""
        kind: Kind = kind_of(input, target)
        softmax = self.activation == "softmax" or (self.activation is None and kind == "labels")
        if softmax and self.alpha is not None:
            raise InputValueError(
                "alpha weighs positives against negatives, under a sigmoid; for classes use weight"
            )
        if softmax and kind == "probabilities":
            kind = "distributions"
        return prepare(input, target, Selection(self.ignore_index, mask, weight), kind)

    def point(self, ready: Ready) -> Elements:
        """Give the focal loss of each position (softmax) or element (sigmoid)."""
        input, target, share, kind = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self._independent(kind):
            value = binary_focal(input, _binary_target(ready), self.gamma, self.alpha)
            return weigh(times(value, class_weight), share, class_weight)
        log_probability = input.log_softmax(dim=1)
        if kind == "labels":
            weight_of_truth = weight_of_labels(class_weight, target)
            value = focal(log_probability.gather(1, target), self.gamma)
            return weigh(times(value, weight_of_truth), share, weight_of_truth)
        each = focal(bounded(log_probability), self.gamma)
        return weigh((times(target, class_weight) * each).sum(dim=1, keepdim=True), share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative by hand where it is worth it: under a sigmoid, and for class indices."""
        input, target, share, kind = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self._independent(kind):
            slope = binary_focal_slope(input, _binary_target(ready), self.gamma, self.alpha)
            return times(times(slope, class_weight), share)
        if kind != "labels":
            return super().slope(ready)
        slope = input.log_softmax(dim=1)
        upstream = focal_slope(slope.gather(1, target), self.gamma)
        upstream = times(times(upstream, weight_of_labels(class_weight, target)), share)
        return slope.exp_().mul_(-upstream).scatter_add_(1, target, upstream)

    def _independent(self, kind: Kind) -> bool:
        return kind == "probabilities" or (kind == "labels" and self.activation == "sigmoid")


def _binary_target(ready: Ready) -> Tensor:
    """Turn class indices into one binary target per class."""
    if ready.kind != "labels":
        return ready.target
    return class_membership(ready.target, ready.input.shape[1]).to(ready.input.dtype)
