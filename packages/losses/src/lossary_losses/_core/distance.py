"""Exact Euclidean distances on a grid, one axis after the other, without a gradient.

An operator of its own: a compiled graph contains it as it stands, where its loops depend on the values.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["squared_distance"]

_PART = {"cpu": 2**17}
"""How many elements are worked on at once: few enough for a core's cache, elsewhere many."""
_PART_ELSEWHERE = 2**24

_LOOKS = 8
"""After how many steps to look whether the rest can still matter: on a GPU each look waits for it."""


@torch.library.custom_op(
    "lossary_losses::squared_distance",
    mutates_args=(),
    schema="(Tensor sources, float[] spacing) -> Tensor",
)
def squared_distance(sources: Tensor, spacing: Sequence[float]) -> Tensor:
    """Compute the squared distance of each position to the nearest source, over the last dimensions.

    ``sources`` are bool, ``(..., *S)``; ``spacing`` has the distance of neighbours along each of ``S``. The
    result is float32, exact for spacings of one up to 4096 positions, and infinite where there is no source.
    """
    if not spacing:
        return torch.zeros(sources.shape, dtype=torch.float32, device=sources.device).masked_fill_(
            ~sources, torch.inf
        )
    result = torch.empty(sources.shape, dtype=torch.float32, device=sources.device)
    if not result.numel():
        return result
    last = sources.reshape(-1, 1, sources.shape[-1]), result.view(-1, 1, sources.shape[-1])
    for rows, _ in _parts(last[0].transpose(1, 2)):
        last[1][rows] = _along_last_axis(last[0][rows], spacing[-1])
    for axis in range(2, len(spacing) + 1):
        outer, inner = math.prod(sources.shape[:-axis]), math.prod(sources.shape[1 - axis :])
        lines = result.reshape(outer, sources.shape[-axis], inner)
        result = _along_middle_axis(lines, spacing[-axis]).view(sources.shape)
    return result


@squared_distance.register_fake
def _(sources: Tensor, spacing: Sequence[float]) -> Tensor:  # noqa: ARG001 - the operator's own signature
    return torch.empty_like(sources, dtype=torch.float32, memory_format=torch.contiguous_format)


@squared_distance.register_vmap
def _(
    _info: object, in_dims: tuple[Any, ...], sources: Tensor, spacing: Sequence[float]
) -> tuple[Tensor, int]:
    return squared_distance(sources.movedim(in_dims[0], 0), spacing), 0


def _along_last_axis(sources: Tensor, step: float) -> Tensor:
    """Look for the last source before each position, and for the next one after it."""
    position = torch.arange(sources.shape[-1], dtype=torch.float32, device=sources.device)
    before = torch.where(sources, position, -torch.inf).cummax(-1).values
    after = torch.where(sources, position, torch.inf).flip(-1).cummin(-1).values.flip(-1)
    return torch.minimum(position - before, after - position).mul_(step).square_()


def _along_middle_axis(lines: Tensor, step: float) -> Tensor:
    """Give each position of ``(L, N, M)`` the least of any other along N plus the squared way there."""
    result = lines.clone(memory_format=torch.contiguous_format)
    for rows, columns in _parts(lines):
        _sweep(lines[rows, :, columns], result[rows, :, columns], step)
    return result


def _sweep(lines: Tensor, result: Tensor, step: float) -> None:
    """Go further and further away from all positions at once, until nothing can be nearer.

    Where few places along the lines have any source, and the way is long, as around a single small region,
    each of those places is compared with all positions instead.
    """
    length = lines.shape[1]
    least = lines.amin(dim=1, keepdim=True)
    places: list[int] | None = None
    for offset in range(1, length):
        price = (offset * step) ** 2
        if offset % _LOOKS == 1:
            # A line without any source stays infinite, which is not more than infinite.
            gap = (result - least).nan_to_num(nan=0.0, posinf=torch.inf).amax().item()
            if not gap > price:
                break
            if places is None:
                places = lines.isfinite().any(2).any(0).nonzero().flatten().tolist()
            if len(places) < 2 * (min(math.sqrt(gap) / step, length) - offset):
                _compare(lines, result, step, places)
                break
        for near, far in (
            (result[:, offset:], lines[:, :-offset]),
            (result[:, :-offset], lines[:, offset:]),
        ):
            torch.minimum(near, far + price, out=near)


def _compare(lines: Tensor, result: Tensor, step: float, places: list[int]) -> None:
    """Compare some places along the lines with every position."""
    length = lines.shape[1]
    prices = lines.new_tensor([(each * step) ** 2 for each in range(length)])
    both_ways = torch.cat([prices.flip(0), prices[1:]]).view(1, -1, 1)
    for place in places:
        way = both_ways[:, length - 1 - place : 2 * length - 1 - place]
        torch.minimum(result, lines[:, place : place + 1] + way, out=result)


def _parts(lines: Tensor) -> Iterator[tuple[slice, slice]]:
    """Cut ``(L, N, M)`` into several lines at once, or into several ranges of M."""
    part = _PART.get(lines.device.type, _PART_ELSEWHERE)
    rows, length, columns = lines.shape
    rows_at_once = max(1, part // (length * columns))
    columns_at_once = columns if rows_at_once > 1 else max(1, part // length)
    for row in range(0, rows, rows_at_once):
        for column in range(0, columns, columns_at_once):
            yield slice(row, row + rows_at_once), slice(column, column + columns_at_once)
