"""Images ``(B, C, *S)`` at half their size."""

import torch
from torch import Tensor

__all__ = ["halved", "spread_out"]


def halved(values: Tensor, counted: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Average blocks of two positions along each dimension of space, and say which blocks count.

    A last position without a partner is a block of its own. Positions that do not count are zero, and no part
    of an average; a block counts if one of its positions does.
    """
    if counted is None:
        return _averages(values), None
    share = _averages(counted.to(values.dtype))
    return _averages(values) / torch.where(share > 0, share, 1), share > 0


def spread_out(values: Tensor, times: int, space: torch.Size) -> Tensor:
    """Give each block's value to the positions in it, of images that were halved so many times."""
    for dimension, length in enumerate(space, start=2) if times else ():
        values = values.repeat_interleave(2**times, dimension).narrow(dimension, 0, length)
    return values


def _averages(values: Tensor) -> Tensor:
    """Average by slices: torch's own pooling is slower on a CPU, and differs from run to run on GPUs."""
    for dimension in range(2, values.ndim):
        length = values.shape[dimension]
        pairs = values.narrow(dimension, 0, length - length % 2).unflatten(dimension, (-1, 2))  # type: ignore[no-untyped-call]
        averages = (pairs.select(dimension + 1, 0) + pairs.select(dimension + 1, 1)) / 2
        last = values.narrow(dimension, length - length % 2, length % 2)
        values = torch.cat([averages, last], dimension) if length % 2 else averages
    return values
