"""Soft counts of prediction, truth and their intersection: what every overlap loss is made of."""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_unit_interval
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
from lossary_losses._core.distribution import sum_over_processes
from lossary_losses._core.options import choice, flag, group, integer, per_class
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.softmax import softmax
from lossary_losses._core.stable import times
from lossary_losses._core.streaming import Sums, streamed_sums
from lossary_losses.errors import InputValueError

__all__ = [
    "Activation",
    "Overlap",
    "OverlapLoss",
    "RegionScoreLoss",
    "SoftCounts",
    "count",
    "over_space",
    "prepare_regions",
    "probabilities",
    "ratio",
]

Activation = Literal["sigmoid", "softmax", "none"]


class Overlap(NamedTuple):
    """Soft counts, each of shape ``(B, C)``, or ``(1, C)`` where the batch is pooled."""

    intersection: Tensor
    """How much of the prediction is true, the sum of ``min(p, t)``: equal to ``p * t`` where the target is
    hard, and to both masses where a soft target is met exactly."""
    predicted: Tensor
    true: Tensor
    counted: Tensor
    """How much of the sample counts at all; zero where everything is excluded."""


@define_loss
class RegionScoreLoss(ReducedLoss):
    """A loss of one score for each sample and class; subclasses say how their sums make a score."""

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}, "soft": {}, "distributions": {"activation": "softmax"}},
        high=1.0,
    )

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    activation: Activation | None = choice("sigmoid", "softmax", "none", None, default=None)
    batch: bool = flag(default=False)
    empty: Literal["score", "zero", "skip"] = choice("score", "zero", "skip", default="score")
    ignore_index: int | None = integer(default=None)

    @property
    def sums_over_processes(self) -> bool:
        """Whether the counts are those of the whole batch, wherever its samples are."""
        return self.batch

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Compute the loss of each sample and class from its counts."""
        raise NotImplementedError(f"{type(self).__name__} must say what its counts are worth")

    def elements_of(self, counts: tuple[Tensor, ...]) -> Elements:
        """Give the loss of each sample and class from the counts of each sample."""
        overlap = Overlap(*self.pooled(counts))
        return self.weighed(self.score_loss(overlap), overlap)

    def pooled(self, counts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Add the counts of all samples up where the batch is one region, wherever its samples are."""
        if not self.batch:
            return counts
        counts = tuple(each.sum(0, keepdim=True) for each in counts)
        if self.process_group is None:
            return counts
        return sum_over_processes(counts, self.process_group)

    def weighed(self, value: Tensor, overlap: Overlap) -> Elements:
        """Let what each sample and class gives count as the options say."""
        share = (overlap.counted > 0).to(value.dtype).expand_as(value)
        if self.empty != "score":
            has_truth = overlap.true > 0
            value = torch.where(has_truth, value, 0)
            share = share * has_truth if self.empty == "skip" else share
        class_weight = per_channel(self.weight, value, "weight")
        elements = weigh(times(value, class_weight), share, class_weight)
        return drop_dimension(elements, 0) if self.batch else elements


@define_loss
class OverlapLoss(RegionScoreLoss):
    """A score of soft counts: it does not matter where a position lies, not even in which process."""

    position_group: ProcessGroup | None = group(default=None)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample and class, or of each class of the whole batch."""
        formula, dense = self.counting(input, target, mask=mask, weight=weight)
        return self.elements_of(streamed_sums(formula, dense, self.position_group))

    def counting(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Sums, Dense]:
        """Give what is to be counted, and in what."""
        selection = Selection(self.ignore_index, mask, weight)
        activation, dense = prepare_regions(input, target, selection, self.activation)
        return self.formula(activation), dense

    def formula(self, activation: Activation) -> Sums:
        """Say what is counted."""
        return SoftCounts(activation)


def prepare_regions(
    input: Tensor, target: Tensor, selection: Selection, activation: Activation | None
) -> tuple[Activation, Dense]:
    """Decide by the target's shape, or by the option, what the input becomes, and check the shapes."""
    kind: Kind = kind_of(input, target)
    activation = activation or ("softmax" if kind == "labels" else "sigmoid")
    if kind != "labels" and activation == "softmax":
        kind = "distributions"
    if input.ndim < 2:  # noqa: PLR2004 - batch and classes
        raise InputValueError(f"a region needs an input of shape (B, C, *S), got {tuple(input.shape)}")
    return activation, prepare(input, target, selection, kind)


def ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Divide; nothing of nothing is all of it, one."""
    nothing = whole == 0
    return torch.where(nothing, 1, part / torch.where(nothing, 1, whole))


def probabilities(input: Tensor, activation: Activation) -> Tensor:
    """Turn logits into probabilities, or take them as they are."""
    if activation == "softmax":
        return softmax(input)
    if activation == "sigmoid":
        return input.sigmoid()
    check_unit_interval(input, "input")
    return input


class SoftCounts(NamedTuple):
    """The soft counts as sums over positions, and their gradient."""

    activation: Activation

    def sums(self, ready: Ready) -> tuple[Tensor, ...]:
        """Count intersection, prediction, truth, and what counts at all, for each sample and class."""
        return count(probabilities(ready.input, self.activation), ready)

    def sums_with_draft(self, ready: Ready, draft: Tensor) -> tuple[Tensor, ...]:
        """Count, and keep the probabilities, which the gradient is made of."""
        if self.activation == "sigmoid":
            predicted = torch.sigmoid(ready.input, out=draft)
        else:
            predicted = probabilities(ready.input, self.activation)
            draft.copy_(predicted)
        return count(predicted, ready)

    def finish(self, draft: Tensor, part: Callable[[], Ready], upstream: tuple[Tensor, ...]) -> None:
        """Turn the probabilities into the gradient, given that of intersection and prediction."""
        ready = part()
        slope = _slope_of_counts(draft, ready, *(each.unsqueeze(-1) for each in upstream[:2]))
        if self.activation == "softmax":
            slope -= (slope * draft).sum(dim=1, keepdim=True)
            draft.mul_(slope)
        elif self.activation == "sigmoid":
            # slope * p * (1 - p) in one pass.
            torch.ops.aten.sigmoid_backward.grad_input(slope, draft, grad_input=draft)
        else:
            draft.copy_(slope)


def count(predicted: Tensor, ready: Ready) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Count intersection, prediction, truth, and what counts at all, given the probabilities."""
    target, share = ready.target, ready.share
    size = over_space(times(predicted, share))
    # As many numbers with a mask and without: another process may have one.
    if share is None:
        counted = torch.full_like(size, math.prod(predicted.shape[2:]))
    else:
        counted = over_space(share).expand_as(size)
    if ready.kind == "labels":
        share = torch.ones_like(predicted[:, :1]) if share is None else share
        intersection, true = _counts_by_label(predicted, target, share)
    else:
        true = over_space(times(target, share))
        intersection = (
            _inner_product(predicted, target)
            if ready.hard and share is None and predicted.device.type == "cpu"  # a GPU may round products
            else over_space(times(_smaller(predicted, target), share))
        )
    return intersection, size, true, counted


def _smaller(predicted: Tensor, target: Tensor) -> Tensor:
    if predicted.device.type == "cpu" and torch.compiler.is_compiling():
        # The gradient of a minimum makes inductor store masks of bool, which takes it ten times as long.
        return (predicted + target - (predicted - target).abs()) / 2
    return torch.minimum(predicted, target)


def _inner_product(predicted: Tensor, target: Tensor) -> Tensor:
    """Add up the products over space in one pass; where the target is 0 or 1 they are the smaller one."""
    batch, classes = predicted.shape[:2]
    rows = predicted.reshape(batch * classes, 1, -1)
    return torch.bmm(rows, target.reshape(batch * classes, -1, 1)).reshape(batch, classes)


def _slope_of_counts(
    predicted: Tensor, ready: Ready, of_intersection: Tensor, of_predicted: Tensor
) -> Tensor:
    """Compute the gradient with respect to the probabilities."""
    if ready.kind == "labels":
        slope = of_predicted.expand_as(predicted).clone()
        slope.scatter_add_(1, ready.target, of_intersection.expand_as(slope).gather(1, ready.target))
    elif ready.hard:
        slope = torch.mul(ready.target, of_intersection).add_(of_predicted)
    else:
        # The derivative of min(p, t): one below t, and half of it at t.
        side = (ready.target - predicted).sign_()
        slope = side.mul_(of_intersection / 2).add_(of_predicted + of_intersection / 2)
    return slope if ready.share is None else slope.mul_(ready.share)


def _counts_by_label(predicted: Tensor, labels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Count, for each class, the prediction where it is the label, and where it is the label."""
    if predicted.device.type == "cpu" and not torch.compiler.is_compiling():
        labels = labels.flatten(1)
        # Added up one after the other, float32 would lose digits with every position, and stop at 2 ** 24.
        nothing = predicted.new_zeros((2, *predicted.shape[:2]), dtype=torch.float64)
        true = (predicted.gather(1, labels.unsqueeze(1).view(share.shape)) * share).flatten(1)
        parts = ((nothing[0], true), (nothing[1], share.flatten(1)))
        intersection, size = (zeros.scatter_add(1, labels, part.double()) for zeros, part in parts)
        return intersection.to(predicted.dtype), size.to(predicted.dtype)
    # Elsewhere additions by index come in random order. A bool for each class is not yet a one-hot tensor.
    membership = class_membership(labels, predicted.shape[1])
    weighted = torch.where(membership, share, 0)
    return over_space(weighted * predicted), over_space(weighted)


def over_space(values: Tensor) -> Tensor:
    """Add up over space; torch takes an empty tuple for all dimensions."""
    space = tuple(range(2, values.ndim))
    return values.sum(space) if space else values
