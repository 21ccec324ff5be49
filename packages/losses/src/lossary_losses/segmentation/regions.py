"""Regions with every position in its place: for losses to which it matters where a position lies."""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.by_sample import by_sample
from lossary_losses._core.dense import Selection, class_membership, ready
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Fraction, fraction_of_each
from lossary_losses._core.spread import wherever_spread
from lossary_losses.segmentation.overlap import Activation, prepare_regions, probabilities

__all__ = ["NEIGHBOURHOOD", "Regions", "RegionsLoss", "find_regions"]

NEIGHBOURHOOD: dict[str, str] = dict.fromkeys(
    ("any_space", "masked_is_cut_out", "ignored_is_cut_out", "weight_two_counts_twice"),
    "it matters which positions lie side by side",
)
"""The rules that cannot hold where positions have neighbours."""


class Regions(NamedTuple):
    """Prediction and truth of each class at each position, both of shape ``(B, C, *S)``."""

    predicted: Tensor
    true: Tensor
    share: Tensor | None
    """How much each position counts; zero where excluded. None: all count one."""
    known: Tensor | None
    """Where positions count. None: everywhere."""


class RegionsLoss(ReducedLoss):
    """A loss of positions in regions, of which it sees a whole sample at a time, and one sample suffices."""

    activation: Activation | None
    ignore_index: int | None

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **arguments: Tensor | None,
    ) -> Fraction:
        """Add up what the samples give, one at a time where that pays."""
        with full_precision(input):
            # Shapes that do not fit are refused as they are given, not as those of a sample.
            prepare_regions(input, target, Selection(self.ignore_index, mask, weight), self.activation)
            given = {"target": target, "mask": mask, "weight": weight, **arguments}
            sums = by_sample(self, "fraction_of_samples", input, given, one_number=True)
            return Fraction(sums[0].sum(), sums[1].sum())

    def fraction_of_samples(self, input: Tensor, **given: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give numerator and denominator of each sample."""
        return fraction_of_each(self.elements(input, **given))


def find_regions(
    input: Tensor, target: Tensor, selection: Selection, activation: Activation | None
) -> Regions:
    """Give the regions of prediction and truth; both are nowhere where nothing counts."""
    activation, dense = prepare_regions(input, target, selection, activation)
    logits, target, share, kind, _ = ready(dense)
    predicted = probabilities(logits, activation)
    true = class_membership(target, logits.shape[1]).to(logits.dtype) if kind == "labels" else target
    if share is None:
        return Regions(predicted, true, None, None)
    known = share > 0
    return Regions(torch.where(known, predicted, 0), torch.where(known, true, 0), share, known)
