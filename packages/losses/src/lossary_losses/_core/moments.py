"""Sums over the rows of a batch, of one process or of several, and rows without their mean."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, distributed
from torch.distributed import ProcessGroup

from lossary_losses._core.distribution import sum_over_processes

__all__ = ["Centred", "added_up", "centred", "reciprocal_root"]


class Centred(NamedTuple):
    """Rows less the mean over all processes."""

    values: list[Tensor]
    """Each ``(B, D)``; zero where a row does not count."""
    spreads: list[Tensor]
    """By how much the mean of each column is above its lowest value, ``(D,)``; zero if it is constant."""
    number: Tensor
    """How many rows there are, on all processes."""


def centred(views: Sequence[Tensor], share: Tensor, group: ProcessGroup | None) -> Centred:
    """Take the mean off each column; ``share`` says how often each row is there, ``(B, 1)``."""
    views = [_from_the_lowest(each, share, group) for each in views]
    number, *totals = added_up([share.sum(), *((share * each).sum(dim=0) for each in views)], group)
    means = [each / torch.where(number > 0, number, 1) for each in totals]
    values = [torch.where(share > 0, each - mean, 0) for each, mean in zip(views, means, strict=True)]
    return Centred(values, means, number)


def added_up(sums: list[Tensor], group: ProcessGroup | None) -> tuple[Tensor, ...]:
    """Add sums up over processes, where there are several."""
    return tuple(sums) if group is None else sum_over_processes(sums, group)


def reciprocal_root(squares: Tensor) -> Tensor:
    """Give zero for what has no root to divide by."""
    nothing = squares == 0
    return torch.where(nothing, 0, torch.where(nothing, 1, squares).rsqrt())


def _from_the_lowest(values: Tensor, share: Tensor, group: ProcessGroup | None) -> Tensor:
    """Shift each column, which no statistic notices: one that is constant has a mean of exactly zero then."""
    known = torch.where(share > 0, values, torch.inf).detach()
    # One row more, since there may be none.
    lowest = torch.cat([known, known.new_full((1, known.shape[1]), torch.inf)]).amin(dim=0)
    if group is not None:
        distributed.all_reduce(lowest, distributed.ReduceOp.MIN, group=group)
    return values - torch.where(lowest == torch.inf, 0, lowest)
