"""Softmax sums over the similarities of all rows with all columns, which are never held all at once.

The similarities of a few rows with all columns are computed, added up and forgotten, and computed again for
the gradient. Where a graph is compiled, transformed or differentiated twice, the plain formula is evaluated
on the whole instead: the numbers are the same.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import values_readable
from lossary_losses._core.rows import NOTHING, selected
from lossary_losses._core.streaming import is_large

__all__ = [
    "Vectors",
    "are_many",
    "log_sums",
    "log_sums_both_ways",
    "parts",
    "sums_and_counts",
    "sums_and_counts_of_twins",
]

_PART = {"cpu": 2**20, "cuda": 2**25}
"""How many similarities are held at once: 4 MiB stay in a shared cache, 128 MiB keep a GPU busy."""


class Vectors(NamedTuple):
    """Vectors to compare with others, by their scalar products."""

    values: Tensor
    """``(N, D)``."""
    identity: Tensor | int | None
    """Integers ``(N,)``: what has the same identity is not compared. A number is that of the first, and they
    are counted from there. None: there is nothing like it elsewhere."""
    counted: Tensor | None
    """Bool, ``(N,)``: what does not count is not compared. None: all count."""


def log_sums(rows: Vectors, columns: Vectors) -> Tensor:
    """Give, for each row, the logarithm of the sum of the exponentials of its similarities.

    Over nothing it is so low a number that its exponential is zero, without a gradient. The rows that do not
    count are given something too, which is to be left aside.
    """
    return _log_sums(rows, columns, (1,))[0]


def log_sums_both_ways(rows: Vectors, columns: Vectors) -> tuple[Tensor, Tensor]:
    """Do the same for each row and for each column, from similarities that are computed once."""
    of_rows, of_columns = _log_sums(rows, columns, (1, 0))
    return of_rows, of_columns


def sums_and_counts(rows: Vectors, columns: Vectors) -> tuple[Tensor, Tensor]:
    """Give, for each row, the sum of its similarities, and how many they are.

    It is compared with all columns but those of its own identity, so a sum of these is all that it takes.
    """
    known = _known(columns)
    return _sums_and_counts(rows, known.sum(dim=0) - _sums_of_twins(known, rows, columns))


def sums_and_counts_of_twins(rows: Vectors, columns: Vectors) -> tuple[Tensor, Tensor]:
    """Do the same for the columns of its own identity, and those alone."""
    return _sums_and_counts(rows, _sums_of_twins(_known(columns), rows, columns))


def _known(columns: Vectors) -> Tensor:
    """Give the vectors that count, and beside each a one to count it by."""
    values = selected(columns.values, columns.counted)
    counted = values.new_ones(len(values), 1)
    if columns.counted is not None:
        counted = columns.counted.to(values.dtype).unsqueeze(1)
    return torch.cat([values, counted], dim=1)


def _sums_and_counts(rows: Vectors, sums: Tensor) -> tuple[Tensor, Tensor]:
    """Compare each row with a sum of vectors: that is the sum of the similarities."""
    return (rows.values * sums[:, :-1]).sum(dim=1), sums[:, -1]


def _sums_of_twins(known: Tensor, rows: Vectors, columns: Vectors) -> Tensor:
    """Add up, for each row, what is known of the columns of its identity."""
    if rows.identity is None or columns.identity is None:
        return known.new_zeros(len(rows.values), 1)
    of_rows, of_columns = (_identities(each).contiguous() for each in (rows, columns))
    ordered = of_columns.sort().values
    # The first place of an identity stands for it.
    place_of_column, place = torch.searchsorted(ordered, of_columns), torch.searchsorted(ordered, of_rows)
    there = torch.searchsorted(ordered, of_rows, right=True) > place
    sums = torch.zeros_like(known).index_add(0, place_of_column, known)
    return torch.where(there.unsqueeze(1), sums[place.clamp(max=len(known) - 1)], 0)


def _identities(vectors: Vectors) -> Tensor:
    if isinstance(vectors.identity, Tensor):
        return vectors.identity
    return torch.arange(len(vectors.values), device=vectors.values.device) + (vectors.identity or 0)


def _log_sums(rows: Vectors, columns: Vectors, over: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Sum over columns (1), over rows (0), or over both in turn."""
    if are_many(rows.values, columns.values):
        sums: tuple[Tensor, ...] = _LogSums.apply(over, rows[1:], columns[1:], rows.values, columns.values)  # type: ignore[no-untyped-call]
        return sums
    return _plain_log_sums(rows, columns, over)


def are_many(rows: Tensor, columns: Tensor) -> bool:
    """Tell whether the similarities make several parts, and nothing but gradients is wanted of them."""
    part = _PART.get(rows.device.type)
    if part is None or not all(is_large(each, more_than=0) for each in (rows, columns)):
        return False
    return len(rows) * len(columns) > part


def _plain_log_sums(rows: Vectors, columns: Vectors, over: tuple[int, ...]) -> tuple[Tensor, ...]:
    similarities = _similarities(rows, columns, 0, len(rows.values))
    return tuple(similarities.logsumexp(dim=each).clamp(min=NOTHING) for each in over)


def _similarities(
    rows: Vectors, columns: Vectors, first: int, last: int, out: Tensor | None = None
) -> Tensor:
    """Compute those of some rows, with hardly a number where two are not to be compared."""
    similarities = torch.mm(rows.values[first:last], columns.values.mT, out=out)
    if isinstance(rows.identity, int) and isinstance(columns.identity, int):
        place = rows.identity - columns.identity + first
        similarities.diagonal(place).fill_(NOTHING)
    elif rows.identity is not None and columns.identity is not None:
        twins = _identities(rows)[first:last].unsqueeze(1) == _identities(columns)
        similarities = similarities.masked_fill_(twins, NOTHING)
    if columns.counted is not None:
        similarities = similarities.masked_fill_(~columns.counted, NOTHING)
    if rows.counted is not None:
        similarities = similarities.masked_fill_(~rows.counted[first:last].unsqueeze(1), NOTHING)
    return similarities


class _LogSums(torch.autograd.Function):
    """Sums over parts, whose gradient is computed part by part again."""

    @staticmethod
    def forward(
        over: tuple[int, ...],
        of_rows: tuple[Tensor | int | None, Tensor | None],
        of_columns: tuple[Tensor | int | None, Tensor | None],
        rows: Tensor,
        columns: Tensor,
    ) -> tuple[Tensor, ...]:
        """Bring what each part adds to the sums together."""
        all_rows, all_columns = Vectors(rows, *of_rows), Vectors(columns, *of_columns)
        sums_of_rows, sums_of_columns = [], rows.new_full((len(columns),), NOTHING)
        for first, last, place, other in parts(rows, columns):
            similarities = _similarities(all_rows, all_columns, first, last, place)
            if 0 in over:
                sums_of_columns = torch.logaddexp(sums_of_columns, _log_sum(similarities, 0, other))
            sums_of_rows.append(_log_sum(similarities, 1, similarities))
        return (torch.cat(sums_of_rows), sums_of_columns)[: len(over)]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:  # noqa: ANN401 - torch's own signature
        """Keep the vectors and the sums: what is between them is computed again."""
        ctx.over, of_rows, of_columns, rows, columns = inputs
        # What is no number is saved as a tensor, so that torch refuses to go on where it was changed.
        kept = [each if isinstance(each, Tensor) else None for each in (*of_rows, *of_columns)]
        ctx.numbers = [each if isinstance(each, int) else None for each in (*of_rows, *of_columns)]
        ctx.save_for_backward(rows, columns, *kept, *output)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[None, None, None, Tensor | None, Tensor | None]:  # noqa: ANN401 - torch's own signature
        """Multiply the softmax of each part with the vectors; differentiate the plain formula for more."""
        rows, columns, *kept = ctx.saved_tensors
        kept, sums = kept[:4], kept[4:]
        others = [number if each is None else each for each, number in zip(kept, ctx.numbers, strict=True)]
        rows, columns = Vectors(rows, *others[:2]), Vectors(columns, *others[2:])
        wanted = ctx.needs_input_grad[3:]
        with full_precision(rows.values):
            if torch.is_grad_enabled() or not all(values_readable(each) for each in upstream):
                slopes = _plain_slopes(rows, columns, ctx.over, upstream, wanted)
            else:
                slopes = _slopes(rows, columns, sums, upstream, wanted)
        return None, None, None, *slopes


def parts(
    rows: Tensor, columns: Tensor, *, temporaries: int = 1
) -> Iterator[tuple[int, int, Tensor, Tensor]]:
    """Cut the rows so that their similarities with all columns fit a part; give two places for these.

    Where what is made of them takes several tensors of that size, parts are as much smaller.
    """
    at_once = min(len(rows), max(1, _PART[rows.device.type] // temporaries // len(columns)))
    place, other = rows.new_empty(2, at_once, len(columns))
    for first in range(0, len(rows), at_once):
        last = min(first + at_once, len(rows))
        yield first, last, place[: last - first], other[: last - first]


def _log_sum(values: Tensor, dim: int, place: Tensor) -> Tensor:
    """Compute ``logsumexp`` in a place that is there."""
    largest = values.amax(dim=dim, keepdim=True)
    return torch.sub(values, largest, out=place).exp_().sum(dim=dim).log_().add_(largest.squeeze(dim))


def _slopes(
    rows: Vectors,
    columns: Vectors,
    sums: list[Tensor],
    upstream: tuple[Tensor, ...],
    wanted: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Compute the gradients that are wanted, of rows and of columns."""
    of_rows = torch.empty_like(rows.values) if wanted[0] else None
    of_columns = torch.zeros_like(columns.values) if wanted[1] else None
    for first, last, place, other in parts(rows.values, columns.values):
        similarities = _similarities(rows, columns, first, last, place)
        if len(sums) > 1:
            torch.sub(similarities, sums[1], out=other).exp_().mul_(upstream[1])
        slope = similarities.sub_(sums[0][first:last].unsqueeze(1)).exp_()
        slope.mul_(upstream[0][first:last].unsqueeze(1))
        if len(sums) > 1:
            slope.add_(other)
        if of_rows is not None:
            torch.mm(slope, columns.values, out=of_rows[first:last])
        if of_columns is not None:
            of_columns.addmm_(slope.mT, rows.values[first:last])
    return of_rows, of_columns


def _plain_slopes(
    rows: Vectors,
    columns: Vectors,
    over: tuple[int, ...],
    upstream: tuple[Tensor, ...],
    wanted: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Differentiate the formula of the whole, so that the gradient can be differentiated as well."""
    with torch.enable_grad():
        sums = _plain_log_sums(rows, columns, over)
    vectors = [each.values for each, is_wanted in zip((rows, columns), wanted, strict=True) if is_wanted]
    slopes = iter(torch.autograd.grad(sums, vectors, upstream, create_graph=True))
    first, second = (next(slopes) if is_wanted else None for is_wanted in wanted)
    return first, second
