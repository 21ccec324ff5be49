"""Differences of neighbours along the dimensions of space."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["forward_differences", "inner", "second_differences", "sobel_differences"]

_NEIGHBOURS = (-1, 0, 1)


def forward_differences(values: Tensor, counted: Tensor | None) -> list[Tensor]:
    """Give, for each dimension of space of ``(B, C, *S)``, what the next position has more than each.

    Zero where there is no next position, or where not both count.
    """
    return [_forward_difference(values, counted, dimension) for dimension in range(2, values.ndim)]


def _forward_difference(values: Tensor, counted: Tensor | None, dimension: int) -> Tensor:
    steps = values.shape[dimension] - 1
    if steps < 1:
        return torch.zeros_like(values)
    difference = values.narrow(dimension, 1, steps) - values.narrow(dimension, 0, steps)
    if counted is not None:
        both = counted.narrow(dimension, 1, steps) & counted.narrow(dimension, 0, steps)
        difference = torch.where(both, difference, 0)
    return torch.cat([difference, torch.zeros_like(values.narrow(dimension, 0, 1))], dimension)


def sobel_differences(values: Tensor, counted: Tensor | None) -> list[Tensor]:
    """Give, for each dimension of space, Sobel's slope: half of what is between the positions on both sides.

    It is smoothed by 1, 2, 1 along the other dimensions. Zero where the neighbourhood, of three positions
    along each dimension, is not whole, or does not count.
    """
    dimensions = range(2, values.ndim)
    if min(values.shape[2:]) < len(_NEIGHBOURS):
        return [torch.zeros_like(values) for _ in dimensions]
    whole = counted
    for dimension in dimensions:
        if whole is not None:
            before, here, after = (_shifted(whole, dimension, step) for step in _NEIGHBOURS)
            whole = before & here & after
    slopes = []
    for along in dimensions:
        slope = values
        for dimension in dimensions:
            before, here, after = (_shifted(slope, dimension, step) for step in _NEIGHBOURS)
            slope = (after - before) / 2 if dimension == along else (before + 2 * here + after) / 4
        slope = slope if whole is None else torch.where(whole, slope, 0)
        slopes.append(functional.pad(slope, (1, 1) * len(dimensions)))
    return slopes


def second_differences(values: Tensor, counted: Tensor | None) -> dict[tuple[int, int], Tensor]:
    """Give, for each two dimensions of space, the second derivative at positions with neighbours all around.

    Along one dimension it is made of three positions next to each other, along two of the four corners around
    a position; zero where not all of these count.
    """
    derivatives = {}
    for first in range(2, values.ndim):
        for second in range(first, values.ndim):
            if first == second:
                places: list[dict[int, int]] = [{first: step} for step in _NEIGHBOURS]
                before, here, after = (inner(values, place) for place in places)
                derivative = (after - here) - (here - before)
            else:
                places = [{first: one, second: other} for one in (-1, 1) for other in (-1, 1)]
                low, up, down, high = (inner(values, place) for place in places)
                derivative = ((high - down) - (up - low)) / 4
            if counted is not None:
                all_count = inner(counted, places[0])
                for place in places[1:]:
                    all_count = all_count & inner(counted, place)
                derivative = torch.where(all_count, derivative, 0)
            derivatives[first - 2, second - 2] = derivative
    return derivatives


def inner(values: Tensor, shift: Mapping[int, int]) -> Tensor:
    """Give the positions that have neighbours all around, or those that many steps from them."""
    for dimension in range(2, values.ndim):
        values = _shifted(values, dimension, shift.get(dimension, 0))
    return values


def _shifted(values: Tensor, dimension: int, step: int) -> Tensor:
    return values.narrow(dimension, 1 + step, values.shape[dimension] - 2)
