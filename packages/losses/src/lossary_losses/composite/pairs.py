"""Pairs of queries and targets, brought into rows: those that are matched, and all that there could be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.reduced import ElementLoss
from lossary_losses._core.reduction import Fraction, fraction_of_each, mean
from lossary_losses.errors import InputValueError

__all__ = ["Pairs", "both", "common_shape", "cost_of_all"]

_RANK = 2
"""Batch and queries, or batch and targets."""


class Pairs(NamedTuple):
    """Which query each target has."""

    query: Tensor
    """``(B, M)``; zero where a target has none."""
    matched: Tensor
    """``(B, M)``, True where a target has a query."""
    queries: int
    weight: Tensor | None
    """``(B, M)``, how much each target counts."""

    def of_queries(self, queries: Tensor) -> Tensor:
        """Give the query of each target, one after another."""
        samples = torch.arange(len(self.query), device=self.query.device).unsqueeze(1)
        return queries[samples, self.query].flatten(0, 1)

    def for_queries(self, targets: Tensor, otherwise: float) -> Tensor:
        """Give the target of each query, one after another, and something else to those without."""
        place = torch.where(self.matched, self.query, self.queries)
        shape = (len(targets), self.queries + 1, *targets.shape[2:])
        index = place.reshape(*place.shape, *(1 for _ in targets.shape[2:])).expand_as(targets)
        filled = targets.new_full(shape, otherwise).scatter(1, index, targets)
        return filled[:, : self.queries].flatten(0, 1)


def cost_of_all(
    loss: ElementLoss, arguments: Mapping[str, Any], of_queries: set[str], valid: Tensor, queries: int
) -> Tensor:
    """Give what each query of some samples would cost with each of their targets."""
    samples, targets = valid.shape
    shape = (samples, queries, targets)

    def rows(each: Tensor, *, is_of_queries: bool) -> Tensor:
        each = each.unsqueeze(2 if is_of_queries else 1)
        return each.expand(*shape, *each.shape[3:]).flatten(0, 2)

    pairs = {key: rows(each, is_of_queries=key in of_queries) for key, each in arguments.items()}
    pairs["mask"] = both(rows(valid, is_of_queries=False), pairs.get("mask"))
    with full_precision(pairs["input"]):
        elements = loss.elements(pairs.pop("input"), pairs.pop("target"), **pairs)
        if elements.value.shape[:1] != (samples * queries * targets,):
            raise InputValueError(
                f"{type(loss).__name__} gives no number for each pair, "
                f"but {tuple(elements.value.shape)} for {samples * queries * targets}"
            )
        return mean(Fraction(*fraction_of_each(elements))).reshape(shape)


def both(counts: Tensor, mask: Tensor | None) -> Tensor:
    """Bring together which pairs count, and which parts of them."""
    return counts if mask is None else mask & counts.reshape(-1, *(1 for _ in mask.shape[1:]))


def common_shape(found: Mapping[str, Mapping[str, Any]], argument: str) -> tuple[int, ...]:
    """Give the first two dimensions, which all terms must have in common."""
    shapes = {}
    for name, arguments in found.items():
        require_tensor(arguments[argument], f"the {argument} of {name!r}")
        shapes[name] = tuple(arguments[argument].shape)
    first = {shape[:_RANK] for shape in shapes.values()}
    if len(first) > 1 or any(len(shape) < _RANK for shape in shapes.values()):
        said = "queries" if argument == "input" else "targets"
        raise InputValueError(f"the {argument}s begin with the batch and the same number of {said}: {shapes}")
    return first.pop()
