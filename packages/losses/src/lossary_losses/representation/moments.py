"""Losses of the statistics of a batch: of two views, centred by the mean over all processes."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, distributed
from torch.distributed import ProcessGroup

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.distribution import sum_over_processes
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.rows import prepare_rows, require_dimensions

__all__ = ["MomentsLoss", "Views", "added_up", "off_diagonal"]


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
        views = [_from_the_lowest(each, share, self.process_group) for each in (rows.input, target)]
        sums = [share.sum(), *((share * each).sum(dim=0) for each in views)]
        number, *totals = added_up(sums, self.process_group)
        is_some = number > 0
        count = torch.where(is_some, number, 1)
        ours, theirs = (
            torch.where(share > 0, each - total / count, 0) for each, total in zip(views, totals, strict=True)
        )
        value = self.of_views(Views(ours, theirs, rows.input - target, share, number))
        return Elements(torch.where(is_some, value, 0).unsqueeze(0), is_some.to(value.dtype).unsqueeze(0))


def added_up(sums: list[Tensor], group: ProcessGroup | None) -> tuple[Tensor, ...]:
    """Add sums up over processes, where there are several."""
    return tuple(sums) if group is None else sum_over_processes(sums, group)


def off_diagonal(matrix: Tensor) -> Tensor:
    """Put zero on the diagonal."""
    is_diagonal = torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return torch.where(is_diagonal, 0, matrix)


def _from_the_lowest(values: Tensor, share: Tensor, group: ProcessGroup | None) -> Tensor:
    """Shift each column, which no statistic notices: one that is constant has a mean of exactly zero then."""
    known = torch.where(share > 0, values, torch.inf).detach()
    # One row more, since there may be none.
    lowest = torch.cat([known, known.new_full((1, known.shape[1]), torch.inf)]).amin(dim=0)
    if group is not None:
        distributed.all_reduce(lowest, distributed.ReduceOp.MIN, group=group)
    return values - torch.where(lowest == torch.inf, 0, lowest)
