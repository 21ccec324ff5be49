"""Soft counts of what is there and of what is not: for losses that know true negatives."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.dense import Ready, class_membership
from lossary_losses._core.stable import times
from lossary_losses.segmentation.overlap import (
    Activation,
    Overlap,
    SoftCounts,
    count,
    over_space,
    probabilities,
)

__all__ = ["BothSides", "sides"]


class BothSides(NamedTuple):
    """The soft counts of the foreground, and those of the background that do not follow from them.

    A background of ten positions is not what is left of a million: it is counted by itself.
    """

    activation: Activation

    def sums(self, ready: Ready) -> tuple[Tensor, ...]:
        """Count the foreground; what is rightly rejected, and rejected at all; and the background."""
        return self._count(probabilities(ready.input, self.activation), ready)

    def sums_with_draft(self, ready: Ready, draft: Tensor) -> tuple[Tensor, ...]:
        """Count, and keep the probabilities, which the gradient is made of."""
        predicted = draft.copy_(probabilities(ready.input, self.activation))
        return self._count(predicted, ready)

    def _count(self, predicted: Tensor, ready: Ready) -> tuple[Tensor, ...]:
        # One minus the probability would lose what is small.
        rejected = (-ready.input).sigmoid() if self.activation == "sigmoid" else 1 - predicted
        if ready.kind == "labels":
            rightly = torch.where(class_membership(ready.target, rejected.shape[1]), 0, rejected)
        else:
            rightly = torch.minimum(rejected, 1 - ready.target)
        counts = count(predicted, ready)
        return (
            *counts,
            over_space(times(rightly, ready.share)),
            over_space(times(rejected, ready.share)),
            _background(ready, *counts[2:]),
        )

    def finish(self, draft: Tensor, part: Callable[[], Ready], upstream: tuple[Tensor, ...]) -> None:
        """Turn the probabilities into the gradient, given that of the counts."""
        of_hit, of_predicted, _, _, of_rightly, of_rejected, _ = upstream
        # Where p < t the intersection rises with p, and elsewhere what is rightly rejected falls.
        foreground = of_hit + of_rightly, of_predicted - of_rejected - of_rightly
        SoftCounts(self.activation).finish(draft, part, foreground)


def _background(ready: Ready, true: Tensor, counted: Tensor) -> Tensor:
    """Count what is not true: exactly zero where there is nothing, which a difference of weights is not."""
    if ready.kind == "labels":
        return true @ (1 - torch.eye(true.shape[1], dtype=true.dtype, device=true.device))
    if ready.share is None:
        return counted - true
    return over_space((1 - ready.target) * ready.share)


def sides(counts: tuple[Tensor, ...]) -> tuple[Overlap, Overlap]:
    """Give the counts of the foreground, and those of the background."""
    hit, predicted, true, counted, rightly, rejected, false = counts
    return Overlap(hit, predicted, true, counted), Overlap(rightly, rejected, false.clamp(min=0), counted)
