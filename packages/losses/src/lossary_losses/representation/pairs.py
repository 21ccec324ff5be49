"""Pairs of embeddings: those of this process, and those of all processes that share a batch."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.distribution import gather_rows
from lossary_losses._core.rows import require_integers, require_shape
from lossary_losses._core.similarity import Vectors

__all__ = ["Side", "find_pairs"]


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
    targets, place = _of_all(target, process_group)
    if counted is None and process_group is not None:  # another process may have a mask
        counted = torch.ones(len(input), dtype=torch.bool, device=input.device)
    all_counted = None if counted is None else _of_all(counted, process_group)[0]
    # Without groups each pair is its own, and they are counted from the first of the first process on.
    identity = 0 if groups is None else _of_all(groups, process_group)[0]
    own_identity = identity[place] if isinstance(identity, Tensor) else place.start

    own_input, own_target = (Vectors(each, own_identity, counted) for each in (input, target))
    all_targets = Vectors(targets, identity, all_counted)
    inputs = own_input
    if all_inputs:
        inputs = Vectors(_of_all(input, process_group)[0], identity, all_counted)
    return Side(own_input, inputs, place), Side(own_target, all_targets, place)


def _of_all(rows: Tensor, process_group: ProcessGroup | None) -> tuple[Tensor, slice]:
    """Give the rows of all processes, and say which are those of this one."""
    return (rows, slice(0, len(rows))) if process_group is None else gather_rows(rows, process_group)
