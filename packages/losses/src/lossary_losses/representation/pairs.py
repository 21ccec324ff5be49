"""Pairs of embeddings: those of this process, and those of all processes that share a batch."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.distribution import gather_rows
from lossary_losses._core.rows import require_integers, require_shape
from lossary_losses._core.similarity import Vectors

__all__ = ["Side", "counted_of_all", "find_pairs", "of_all"]


class Side(NamedTuple):
    """One of the two embeddings of each pair."""

    own: Vectors
    """Those of this process."""
    all: Vectors
    """Those of all processes that share a batch."""
    place: slice
    """Where those of this process are among all."""


def find_pairs(
    input: Tensor,
    target: Tensor,
    counted: Tensor | None,
    groups: Tensor | None,
    process_group: ProcessGroup | None,
    *,
    all_inputs: bool,
) -> tuple[Side, Side]:
    """Give inputs and targets as what is compared; nothing is compared with what is of its own group.

    Without ``all_inputs`` those of this process stand for all, and nothing is sent.
    """
    if groups is not None:
        require_integers(groups, "groups")
        require_shape(groups, "groups", tuple(input.shape[:1]), input)
        groups = groups.long()
    targets, place = of_all(target, process_group)
    all_counted = counted_of_all(counted, input, process_group)
    # Without groups each pair is its own, and they are counted from the first of the first process on.
    identity = 0 if groups is None else of_all(groups, process_group)[0]
    own_identity = identity[place] if isinstance(identity, Tensor) else place.start

    own_input, own_target = (Vectors(each, own_identity, counted) for each in (input, target))
    all_targets = Vectors(targets, identity, all_counted)
    inputs = own_input
    if all_inputs:
        inputs = Vectors(of_all(input, process_group)[0], identity, all_counted)
    return Side(own_input, inputs, place), Side(own_target, all_targets, place)


def of_all(rows: Tensor, process_group: ProcessGroup | None) -> tuple[Tensor, slice]:
    """Give the rows of all processes, and say which are those of this one."""
    return (rows, slice(0, len(rows))) if process_group is None else gather_rows(rows, process_group)


def counted_of_all(counted: Tensor | None, rows: Tensor, process_group: ProcessGroup | None) -> Tensor | None:
    """Say which rows of all processes count; None: all do."""
    if process_group is None:
        return counted
    if counted is None:  # another process may have a mask
        counted = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    return of_all(counted, process_group)[0]
