"""Focal loss: cross entropy that looks away from what is already easy."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from lossary_losses._core.base import ReducedLoss, define_loss
from lossary_losses._core.dense import (
    Dense,
    Selection,
    class_membership,
    holds_labels,
    per_channel,
    prepare_labels,
    prepare_probabilities,
    prepare_values,
)
from lossary_losses._core.options import choice, integer, number, per_class
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.stable import binary_surprise, bounded, power_of_nonnegative, times
from lossary_losses.classification.cross_entropy import weight_of_labels
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["FocalLoss"]


def binary_focal(logits: Tensor, target: Tensor, gamma: float, alpha: float | None) -> Tensor:
    """Compute the focal loss of each element under a sigmoid."""
    positive, negative = binary_surprise(logits)
    if gamma:
        # (1 - p) ** gamma from the logarithm of 1 - p, which is exact where 1 - p underflows.
        positive, negative = positive * (-gamma * negative).exp(), negative * (-gamma * positive).exp()
    if alpha is not None:
        positive, negative = alpha * positive, (1 - alpha) * negative
    return target * positive + (1 - target) * negative


def focal(log_probability: Tensor, gamma: float) -> Tensor:
    """Compute the focal loss of a class that is true, from the logarithm of its probability."""
    if not gamma:
        return -log_probability
    # expm1 keeps 1 - p exact where p is nearly one.
    return power_of_nonnegative(-log_probability.expm1(), gamma) * -log_probability


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
class FocalLoss(ReducedLoss):
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

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the focal loss of each position (softmax) or element (sigmoid)."""
        labels_given = holds_labels(input, target)
        activation = self.activation or ("softmax" if labels_given else "sigmoid")
        compute = self._exclusive if activation == "softmax" else self._independent
        return compute(input, target, Selection(self.ignore_index, mask, weight), labels_given=labels_given)

    def _exclusive(
        self, input: Tensor, target: Tensor, selection: Selection, *, labels_given: bool
    ) -> Elements:
        if self.alpha is not None:
            raise InputValueError(
                "alpha weighs positives against negatives, under a sigmoid; for classes use weight"
            )
        prepare = prepare_labels if labels_given else prepare_probabilities
        dense = prepare(input, target, selection)
        class_weight = per_channel(self.weight, dense.input, "weight")
        log_probability = dense.input.log_softmax(dim=1)
        if labels_given:
            weight_of_truth = weight_of_labels(class_weight, dense.target)
            value = times(focal(log_probability.gather(1, dense.target), self.gamma), weight_of_truth)
            return drop_dimension(weigh(value, dense.share, weight_of_truth), 1)
        each = focal(bounded(log_probability), self.gamma)
        value = (times(dense.target, class_weight) * each).sum(dim=1, keepdim=True)
        return drop_dimension(weigh(value, dense.share), 1)

    def _independent(
        self, input: Tensor, target: Tensor, selection: Selection, *, labels_given: bool
    ) -> Elements:
        if labels_given:
            dense = _one_against_all(prepare_labels(input, target, selection))
        else:
            dense = prepare_values(input, target, selection, probabilities=True)
        class_weight = per_channel(self.weight, dense.input, "weight")
        value = times(binary_focal(dense.input, dense.target, self.gamma, self.alpha), class_weight)
        return weigh(value, dense.share, class_weight)


def _one_against_all(dense: Dense) -> Dense:
    """Turn class indices into one binary target per class."""
    membership = class_membership(dense.target, dense.input.shape[1])
    return dense._replace(target=membership.to(dense.input.dtype))
