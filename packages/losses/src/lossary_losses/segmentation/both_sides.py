"""Soft counts of what is there and of what is not: for losses that know true negatives."""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.dense import Ready, class_membership
from lossary_losses._core.stable import times
from lossary_losses.segmentation.overlap import (
    Activation,
    Overlap,
    SoftCounts,
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
        """Count the foreground, then what is rightly rejected, and what is rejected at all."""
        predicted = probabilities(ready.input, self.activation)
        # One minus the probability would lose what is small.
        rejected = (-ready.input).sigmoid() if self.activation == "sigmoid" else 1 - predicted
        if ready.kind == "labels":
            rightly = torch.where(class_membership(ready.target, rejected.shape[1]), 0, rejected)
        else:
            rightly = torch.minimum(rejected, 1 - ready.target)
        return (
            *SoftCounts(self.activation).counts_of(predicted, ready),
            over_space(times(rightly, ready.share)),
            over_space(times(rejected, ready.share)),
        )

    def gradient(self, ready: Ready, upstream: tuple[Tensor, ...]) -> Tensor:
        """Compute the gradient with respect to the input, given that with respect to the counts."""
        of_hit, of_predicted, _, _, of_rightly, of_rejected = upstream
        # Where p < t the intersection rises with p, and elsewhere what is rightly rejected falls.
        foreground = of_hit + of_rightly, of_predicted - of_rejected - of_rightly
        return SoftCounts(self.activation).gradient(ready, foreground)


def sides(counts: tuple[Tensor, ...]) -> tuple[Overlap, Overlap]:
    """Give the counts of the foreground, and those of the background."""
    hit, predicted, true, counted, rightly, rejected = counts
    # A difference of rounded sums may fall below zero.
    false = (counted - true).clamp(min=0)
    return Overlap(hit, predicted, true, counted), Overlap(rightly, rejected, false, counted)
