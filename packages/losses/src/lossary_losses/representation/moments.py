"""Losses of the statistics of a batch: of two views, centred by the mean over all processes."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.moments import centred
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.rows import prepare_rows, require_dimensions

__all__ = ["MomentsLoss", "Views", "off_diagonal"]


class Views(NamedTuple):
    """Two views to compute statistics of; a sum over rows is of this process alone."""

    input: Tensor
    """``(B, D)``, less the mean over all processes; zero where a row does not count."""
    target: Tensor
    """As the input."""
    difference: Tensor
    """Of the views as they are."""
    share: Tensor
    """How often each row is there, ``(B, 1)``."""
    number: Tensor
    """How many rows there are, on all processes."""


@define_loss
class MomentsLoss(ReducedLoss):
    """A loss of sums over all rows, one number for a batch; subclasses say which (:meth:`of_views`)."""

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"embeddings": {}},
        element="batch",
        couples="batch",
        adds_up="no",
        perfect=None,
        invariant=(),
        layout="B D",
    )

    @property
    def sums_over_processes(self) -> bool:
        """Say so wherever there are several."""
        return self.process_group is not None

    def of_views(self, views: Views) -> Tensor:
        """Give the loss of the batch."""
        raise NotImplementedError(f"{type(self).__name__} must say what the loss of two views is")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of the batch, the only element; one without rows does not count."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        target = rows.like_input(target, "target")
        share = (rows.input.new_ones(len(input)) if rows.share is None else rows.share).unsqueeze(1)
        (ours, theirs), _, number = centred([rows.input, target], share, self.process_group)
        is_some = number > 0
        value = self.of_views(Views(ours, theirs, rows.input - target, share, number))
        return Elements(torch.where(is_some, value, 0).unsqueeze(0), is_some.to(value.dtype).unsqueeze(0))


def off_diagonal(matrix: Tensor) -> Tensor:
    """Put zero on the diagonal."""
    is_diagonal = torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return torch.where(is_diagonal, 0, matrix)
