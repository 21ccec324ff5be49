"""Losses that compare each embedding, the anchor, with all others of its label and of other labels."""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import Rows, prepare_rows, reciprocal_length, require_dimensions
from lossary_losses._core.rowwise import rowwise
from lossary_losses._core.similarity import Vectors, sums_and_counts_of_twins
from lossary_losses.representation.identities import prepare_identities
from lossary_losses.representation.pairs import counted_of_all, of_all

__all__ = ["AnchorLoss", "Others", "unit"]


class Others(NamedTuple):
    """What some anchors are compared with; of shape ``(n, M)``, but for the counts."""

    alike: Tensor
    """Where another row has the anchor's label."""
    different: Tensor
    """Where another row has another label."""
    positives: Tensor
    """How many are alike, ``(n,)``; one where there is none."""
    negatives: Tensor
    """How many are different, ``(n,)``; one where there is none."""


def unit(vectors: Tensor) -> Tensor:
    """Bring each row to length one; rows of zeros stay what they are."""
    return vectors * reciprocal_length(vectors)


@define_loss
class AnchorLoss(ReducedLoss):
    """A loss of labelled embeddings, of which each that has a positive and a negative is an anchor."""

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"identities": {}},
        couples="batch",
        invariant=("rotation", "renaming", "scale"),
        perfect=None,
        layout="B D",
    )

    def costs(self, similarities: Tensor, others: Others) -> Tensor:
        """Give what each of some anchors costs, ``(n,)``, from what it is to all rows, ``(n, M)``.

        Where an anchor lacks a positive or a negative any finite number does.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what an anchor costs")

    def compared(self, anchors: Tensor, everyone: Tensor) -> tuple[Tensor, Tensor]:
        """Give vectors of anchors and of all rows whose scalar products the costs are made of: cosines."""
        return unit(anchors), unit(everyone)

    def has_part(self, positives: Tensor, negatives: Tensor) -> Tensor:
        """Tell which anchors count, by how many rows are alike and different."""
        return (positives > 0) & (negatives > 0)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each anchor."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        labels = prepare_identities(target, "target", input)
        everyone, place = of_all(rows.input, self.process_group)
        of_everyone = of_all(labels, self.process_group)[0]
        counted = counted_of_all(rows.counted, rows.input, self.process_group)
        positives, negatives = _counts(rows, labels, Vectors(everyone, of_everyone, counted))
        formula = _Costs(self, place.start, labels, of_everyone, counted, positives, negatives)
        cost = rowwise(formula, *self.compared(rows.input, everyone)).to(rows.input.dtype)
        there = self.has_part(positives, negatives)
        return weigh(torch.where(there, cost, 0), rows.share, there.to(cost.dtype))


class _Costs(NamedTuple):
    """What anchors cost, with what says who is alike."""

    loss: Any
    first: int
    labels: Tensor
    of_everyone: Tensor
    counted: Tensor | None
    positives: Tensor
    negatives: Tensor

    def of_rows(self, similarities: Tensor, first: int) -> Tensor:
        """Find out who is alike among some anchors and all rows, and compute what they cost."""
        rows, columns = (torch.arange(each, device=similarities.device) for each in similarities.shape)
        last = first + len(rows)
        same = self.labels[first:last].unsqueeze(1) == self.of_everyone
        other = rows.unsqueeze(1) + (self.first + first) != columns
        if self.counted is not None:
            other = other & self.counted
        # One after the other: torch 2.11 takes the length for a constant in a generator.
        positives, negatives = (
            self.positives[first:last].clamp(min=1),
            self.negatives[first:last].clamp(min=1),
        )
        cost: Tensor = self.loss.costs(
            similarities, Others(same & other, ~same & other, positives, negatives)
        )
        return cost


def _counts(rows: Rows, labels: Tensor, everyone: Vectors) -> tuple[Tensor, Tensor]:
    """Count the other rows of each anchor's label, and those of other labels."""
    own = Vectors(rows.input.detach()[:, :0], labels, None)
    others = Vectors(everyone.values.detach()[:, :0], everyone.identity, everyone.counted)
    _, alike = sums_and_counts_of_twins(own, others)
    total = len(everyone.values) if everyone.counted is None else everyone.counted.sum()
    return alike - 1, total - alike
