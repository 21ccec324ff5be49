"""Differences of neighbours along the dimensions of space."""

import torch
from torch import Tensor

__all__ = ["forward_differences"]


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
