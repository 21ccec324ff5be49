"""Cross entropy over exclusive classes."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Kind, Ready, Selection, kind_of, per_channel, prepare
from lossary_losses._core.options import integer, number, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import LogProbabilities, log_softmax
from lossary_losses._core.stable import times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CrossEntropyLoss", "weight_of_labels"]


def weight_of_labels(weight: Tensor | None, labels: Tensor) -> Tensor | None:
    """Give the class weight of each label; ``weight`` has the input's rank, its classes in dimension 1."""
    return None if weight is None else weight.flatten()[labels]


@loss_registry.register(
    name="cross_entropy_loss",
    aliases=["CrossEntropyLoss"],
    tags=["segmentation", "classification", "multiclass", "cross_entropy"],
    metadata={"first_choice": ["classification", "multiclass"]},
)
@define_loss
class CrossEntropyLoss(PointwiseLoss):
    r"""Cross entropy between logits of exclusive classes and class indices, or class probabilities.

    .. math:: \ell = -\sum_c w_c\, t'_c \log p_c, \quad p = \mathrm{softmax}(x),
        \quad t' = (1 - \varepsilon)\, t + \varepsilon / C

    Convention:
        As in torch: with class indices the mean divides by the sum of the weights of the labels, with class
        probabilities by the number of positions; smoothing spreads :math:`\varepsilon` over all classes, each
        with its own weight. Unlike torch, ``ignore_index`` is None unless given, may accompany class
        probabilities (a position whose values all equal it), and the mean over nothing is zero, not NaN.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, C, *S)`` probabilities.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0. Every
            class is a target then, and a logit of minus infinity costs as good as infinitely much.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = CrossEntropyLoss(ignore_index=255)
        >>> loss(torch.zeros(2, 4, 8, 8), torch.full((2, 8, 8), 3))
        tensor(1.3863)

    Reference:
        Good 1952, "Rational Decisions", doi:10.1111/j.2517-6161.1952.tb00104.x. Smoothing: Szegedy et al.
        2016, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "distributions": {}, "one_hot": {}}, at_soft="lowest", learns_at=1000.0
    )

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    label_smoothing: float = number(default=0.0, at_least=0, at_most=1)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as class indices or as class probabilities, by its shape."""
        kind: Kind = "labels" if kind_of(input, target) == "labels" else "distributions"
        return prepare(input, target, Selection(self.ignore_index, mask, weight), kind)

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each position."""
        return self.cost_of(ready, log_softmax(ready.input))

    def cost_of(self, ready: Ready, log_probability: LogProbabilities) -> Elements:
        """Give the cross entropy of each position where the log-probabilities are known."""
        input, target, share, kind, _ = ready
        class_weight = per_channel(self.weight, input, "weight")
        weight_of_truth = weight_of_labels(class_weight, target) if kind == "labels" else None
        if kind == "labels":
            value = times(-log_probability.of(target), weight_of_truth)
        else:
            value = -log_probability.expected(times(target, class_weight))
        if self.label_smoothing:
            even = -log_probability.expected(self._even(input, class_weight))
            value = torch.lerp(value, even, self.label_smoothing)
        return weigh(value, share, weight_of_truth)

    def slope(self, ready: Ready) -> Tensor:
        """Give ``p sum(t) - t`` with the smoothed and weighted target."""
        return self._slope(ready, ready.input.softmax(dim=1))

    def slope_given(self, ready: Ready, probability: Tensor) -> Tensor:
        """Give the slope, which is made of the probabilities."""
        return self._slope(ready, probability.clone())

    def _slope(self, ready: Ready, slope: Tensor) -> Tensor:
        """Turn probabilities into the slope, in place."""
        input, target, share, kind, _ = ready
        class_weight = per_channel(self.weight, input, "weight")
        if kind == "labels":
            truth = times(torch.ones_like(slope[:, :1]), weight_of_labels(class_weight, target))
        else:
            truth = times(target, class_weight)
        if self.label_smoothing or class_weight is not None or kind != "labels":
            truth = truth * (1 - self.label_smoothing)
            even = self.label_smoothing * self._even(input, class_weight)
            slope *= truth.sum(dim=1, keepdim=True) + even.sum(dim=1, keepdim=True)
            slope -= even
        slope = slope.scatter_add_(1, target, -truth) if kind == "labels" else slope.sub_(truth)
        return slope if share is None else slope.mul_(share)

    @staticmethod
    def _even(input: Tensor, class_weight: Tensor | None) -> Tensor:
        """Give the target that smoothing mixes in: all classes alike, each with its weight."""
        even = input.new_full((1, input.shape[1], *(1 for _ in input.shape[2:])), 1 / input.shape[1])
        return times(even, class_weight)
