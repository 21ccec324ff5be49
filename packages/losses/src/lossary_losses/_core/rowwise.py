"""What a formula makes of each row's similarities with all columns, which are never held all at once.

The similarities of a few rows with all columns are computed, made use of and forgotten, and computed again
for the gradient. Where a graph is compiled, transformed or differentiated twice, the formula is evaluated on
the whole instead: the numbers are the same.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import values_readable
from lossary_losses._core.frozen import freeze
from lossary_losses._core.similarity import are_many, parts

__all__ = ["RowFormula", "rowwise"]


_TEMPORARIES = 4
"""How many tensors of the size of a part a formula and its gradient hold, about."""


class RowFormula(Protocol):
    """A function of the similarities of each row, whatever those of the other rows are."""

    def of_rows(self, similarities: Tensor, first: int) -> Tensor:
        """Compute a number for each of some rows, ``(n,)``, from ``(n, M)``; the first of them is told.

        It may hold tensors, none of which has a gradient.
        """
        ...


def rowwise(formula: RowFormula, rows: Tensor, columns: Tensor) -> Tensor:
    """Apply a formula to the scalar products of rows ``(N, D)`` with columns ``(M, D)``; give ``(N,)``."""
    if columns.shape[0] == 0:
        return rows.sum(dim=1) + columns.sum()  # nothing, but connected to both
    if are_many(rows, columns):
        frozen, held = freeze(formula)
        result: Tensor = _Rowwise.apply(frozen, held, rows, columns)  # type: ignore[no-untyped-call]
        return result
    return formula.of_rows(rows @ columns.mT, 0)


class _Rowwise(torch.autograd.Function):
    """A formula of parts, whose gradient is computed part by part again."""

    @staticmethod
    def forward(
        formula: RowFormula,
        held: tuple[Tensor, ...],  # noqa: ARG004 - by the formula; for the backward pass
        rows: Tensor,
        columns: Tensor,
    ) -> Tensor:
        """Apply the formula to one part after another."""
        found = [
            formula.of_rows(torch.mm(rows[first:last], columns.mT, out=place), first)
            for first, last, place, _ in parts(rows, columns, temporaries=_TEMPORARIES)
        ]
        return torch.cat(found)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Keep the vectors, and what the formula holds: where that was changed, torch refuses to go on."""
        ctx.formula, held, rows, columns = inputs
        ctx.save_for_backward(rows, columns, *held)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[None, None, Tensor | None, Tensor | None]:  # noqa: ANN401 - torch's own signature
        """Compute each part again, and its gradient; differentiate the formula of the whole for more."""
        rows, columns, *_ = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        with full_precision(rows):
            if torch.is_grad_enabled() or not values_readable(upstream):
                slopes = _plain_slopes(ctx.formula, rows, columns, upstream, wanted)
            else:
                slopes = _slopes(ctx.formula, rows, columns, upstream, wanted)
        return None, None, *slopes


def _slopes(
    formula: RowFormula, rows: Tensor, columns: Tensor, upstream: Tensor, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Compute the gradients that are wanted, of rows and of columns."""
    of_rows = torch.empty_like(rows) if wanted[0] else None
    of_columns = torch.zeros_like(columns) if wanted[1] else None
    for first, last, place, _ in parts(rows, columns, temporaries=_TEMPORARIES):
        similarities = torch.mm(rows[first:last], columns.mT, out=place).detach().requires_grad_()
        with torch.enable_grad():
            found = formula.of_rows(similarities, first)
        (slope,) = torch.autograd.grad(found, similarities, upstream[first:last])
        if of_rows is not None:
            torch.mm(slope, columns, out=of_rows[first:last])
        if of_columns is not None:
            of_columns.addmm_(slope.mT, rows[first:last])
    return of_rows, of_columns


def _plain_slopes(
    formula: RowFormula, rows: Tensor, columns: Tensor, upstream: Tensor, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Differentiate the formula of the whole, so that the gradient can be differentiated as well."""
    with torch.enable_grad():
        found = formula.of_rows(rows @ columns.mT, 0)
    vectors = [each for each, is_wanted in zip((rows, columns), wanted, strict=True) if is_wanted]
    slopes = iter(torch.autograd.grad(found, vectors, upstream, create_graph=True))
    first, second = (next(slopes) if is_wanted else None for is_wanted in wanted)
    return first, second
