"""Cross entropy over exclusive classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lossary_losses._core.base import ReducedLoss, define_loss
from lossary_losses._core.dense import (
    Selection,
    holds_labels,
    per_channel,
    prepare_labels,
    prepare_probabilities,
)
from lossary_losses._core.options import integer, number, per_class
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.stable import bounded, times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CrossEntropyLoss", "weight_of_labels"]


def weight_of_labels(weight: Tensor | None, labels: Tensor) -> Tensor | None:
    """Give the class weight of each label; ``weight`` has the input's rank, its classes in dimension 1."""
    return None if weight is None else weight.flatten()[labels]


@loss_registry.register(
    name="cross_entropy_loss",
    aliases=["CrossEntropyLoss"],
    tags=["segmentation", "classification", "multiclass", "cross_entropy"],
)
@define_loss
class CrossEntropyLoss(ReducedLoss):
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

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    label_smoothing: float = number(default=0.0, at_least=0, at_most=1)
    ignore_index: int | None = integer(default=None)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the cross entropy of each position."""
        labels_given = holds_labels(input, target)
        prepare = prepare_labels if labels_given else prepare_probabilities
        dense = prepare(input, target, Selection(self.ignore_index, mask, weight))
        class_weight = per_channel(self.weight, dense.input, "weight")
        surprise = -dense.input.log_softmax(dim=1)
        weight_of_truth = weight_of_labels(class_weight, dense.target) if labels_given else None
        value = (
            times(surprise.gather(1, dense.target), weight_of_truth)
            if labels_given
            else _expected(surprise, dense.target, class_weight)
        )
        if self.label_smoothing:
            even = torch.full_like(surprise[:1], 1 / surprise.shape[1])
            value = torch.lerp(value, _expected(surprise, even, class_weight), self.label_smoothing)
        return drop_dimension(weigh(value, dense.share, weight_of_truth), 1)


def _expected(surprise: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
    """Give the surprise that a distribution of classes expects, each class with its weight."""
    return (times(target, class_weight) * bounded(surprise)).sum(dim=1, keepdim=True)
