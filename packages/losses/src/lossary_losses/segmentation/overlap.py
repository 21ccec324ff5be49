"""Soft counts of prediction, truth and their intersection: what every overlap loss is made of."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import ReducedLoss, define_loss
from lossary_losses._core.checks import check_unit_interval
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
from lossary_losses._core.options import choice, flag, integer, per_class
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.stable import times
from lossary_losses._core.streaming import Sums, streamed_sums
from lossary_losses.errors import InputValueError

__all__ = [
    "Activation",
    "Overlap",
    "OverlapLoss",
    "SoftCounts",
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
class OverlapLoss(ReducedLoss):
    """A loss of one score for each sample and class; subclasses say how the counts make a score."""

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

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample and class, or of each class of the whole batch."""
        return self.elements_of(streamed_sums(*self.counting(input, target, mask=mask, weight=weight)))

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
        return tuple(sum_over_processes(each, self.process_group) for each in counts)

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
        return input.softmax(dim=1)
    if activation == "sigmoid":
        return input.sigmoid()
    check_unit_interval(input, "input")
    return input


class SoftCounts(NamedTuple):
    """The soft counts as sums over positions, and their gradient."""

    activation: Activation

    def sums(self, ready: Ready) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Count intersection, prediction, truth, and what counts at all, for each sample and class."""
        return self.counts_of(probabilities(ready.input, self.activation), ready)

    def counts_of(self, predicted: Tensor, ready: Ready) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Count, given the probabilities."""
        share = torch.ones_like(predicted[:, :1]) if ready.share is None else ready.share
        if ready.kind == "labels":
            intersection, true = _counts_by_label(predicted, ready.target, share)
        else:
            intersection = over_space(times(torch.minimum(predicted, ready.target), ready.share))
            true = over_space(times(ready.target, ready.share))
        return intersection, over_space(times(predicted, ready.share)), true, over_space(share)

    def gradient(self, ready: Ready, upstream: tuple[Tensor, ...]) -> Tensor:
        """Compute the gradient with respect to the input, given that with respect to the counts."""
        of_intersection, of_predicted = (each.unsqueeze(-1) for each in upstream[:2])
        predicted = probabilities(ready.input, self.activation)
        if ready.kind == "labels":
            slope = of_predicted.expand_as(predicted).clone()
            slope.scatter_add_(1, ready.target, of_intersection.expand_as(slope).gather(1, ready.target))
        else:
            # The derivative of min(p, t): one below t, and half of it at t.
            below = (ready.target - predicted).sign_().add_(1)
            slope = torch.addcmul(of_predicted, of_intersection, below, value=0.5)
        if ready.share is not None:
            slope *= ready.share
        if self.activation == "softmax":
            expected = (slope * predicted).sum(dim=1, keepdim=True)
            return slope.sub_(expected).mul_(predicted)
        return slope if self.activation == "none" else slope.mul_(predicted).mul_(1 - predicted)


def _counts_by_label(predicted: Tensor, labels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Count, for each class, the prediction where it is the label, and where it is the label."""
    if predicted.device.type == "cpu" and not torch.compiler.is_compiling():
        labels = labels.flatten(1)
        counts = predicted.new_zeros((2, *predicted.shape[:2]))
        true = (predicted.gather(1, labels.unsqueeze(1).view(share.shape)) * share).flatten(1)
        return counts[0].scatter_add(1, labels, true), counts[1].scatter_add(1, labels, share.flatten(1))
    # Elsewhere additions by index come in random order. A bool for each class is not yet a one-hot tensor.
    membership = class_membership(labels, predicted.shape[1])
    weighted = torch.where(membership, share, 0)
    return over_space(weighted * predicted), over_space(weighted)


def over_space(values: Tensor) -> Tensor:
    """Add up over space; torch takes an empty tuple for all dimensions."""
    space = tuple(range(2, values.ndim))
    return values.sum(space) if space else values
