"""Means and variances of a pair of images within a window around each position.

They are those of sum and difference: what two nearly equal images differ by is found by subtracting them, not
their variances. A constant is taken off first, since the variance of large values is lost in their squares.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import values_readable

__all__ = ["Moments", "centres", "gaussian_window", "local_moments", "reflected", "uniform_window"]

_CONVOLUTIONS = {
    1: (functional.conv1d, functional.conv_transpose1d),
    2: (functional.conv2d, functional.conv_transpose2d),
    3: (functional.conv3d, functional.conv_transpose3d),
}
"""By how many dimensions space has: what gathers from windows, and what spreads over them again."""


class Moments(NamedTuple):
    """Of sum and difference of two images, for each window, ``(B, C, *S)``."""

    mean_of_sum: Tensor
    mean_of_difference: Tensor
    variance_of_sum: Tensor
    variance_of_difference: Tensor


def gaussian_window(size: int, sigma: float, like: Tensor) -> Tensor:
    """Give the weights of a window along one dimension, which add up to one."""
    distance = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = (-(distance / sigma).square() / 2).exp()
    return weights / weights.sum()


def uniform_window(size: int, like: Tensor) -> Tensor:
    """Give the weights of a window in which all positions count alike."""
    return like.new_full((size,), 1 / size)


def local_moments(input: Tensor, target: Tensor, window: Tensor, counted: Tensor | None) -> Moments:
    """Compute the moments of every window that lies within images of up to three dimensions of space.

    Excluded positions are no part of a window: its weights are those of the others, scaled to add up to one.
    """
    levels = _mean(input, counted), _mean(target, counted)
    level, drift = (levels[0] + levels[1]) / 2, levels[0] - levels[1]
    total, difference = (input - level) + (target - level), (input - target) - drift
    if counted is not None:
        total, difference = torch.where(counted, total, 0), torch.where(counted, difference, 0)
    averages = _averages(total, difference, window)
    if counted is not None:
        kept = counted.to(input.dtype)
        # As several channels, of which torch never convolves one in fewer digits than it is told to.
        share, _ = _gather_all((kept, kept), window)
        averages = tuple(each / torch.where(share > 0, share, 1) for each in averages)
    mean, mean_of_difference, square, square_of_difference = averages
    return Moments(
        mean + 2 * level,
        mean_of_difference + drift,
        _not_negative(square - mean.square()),
        _not_negative(square_of_difference - mean_of_difference.square()),
    )


def centres(positions: Tensor, size: int) -> Tensor:
    """Give of positions those that are the centre of a window within the image."""
    for dimension in range(2, positions.ndim):
        positions = positions.narrow(dimension, size // 2, positions.shape[dimension] - size + 1)
    return positions


def reflected(positions: Tensor, size: int) -> Tensor:
    """Continue images as in a mirror, so that every position is the centre of a window.

    Written as flips, since torch's own padding has a gradient that differs from run to run on GPUs.
    """
    radius = size // 2
    for dimension in range(2, positions.ndim):
        length = positions.shape[dimension]
        before = positions.narrow(dimension, 1, radius).flip(dimension)
        after = positions.narrow(dimension, length - 1 - radius, radius).flip(dimension)
        positions = torch.cat([before, positions, after], dimension)
    return positions


def _mean(image: Tensor, counted: Tensor | None) -> Tensor:
    """Give the mean of each channel, as a constant; excluded positions are zero."""
    space = tuple(range(2, image.ndim))
    if counted is None:
        return image.detach().mean(space, keepdim=True)
    positions = counted.expand_as(image).sum(space, keepdim=True)
    return image.detach().sum(space, keepdim=True) / positions.clamp(min=1)


def _not_negative(variance: Tensor) -> Tensor:
    """Take away what rounding left below zero; the slope is as right there as elsewhere."""
    return variance - variance.detach().clamp(max=0)


def _averages(total: Tensor, difference: Tensor, window: Tensor) -> tuple[Tensor, ...]:
    """Average both, and their squares, over every window that lies within."""
    if total.device.type == "cpu" and values_readable(total):
        averages: tuple[Tensor, ...] = _Averages.apply(total, difference, window)  # type: ignore[no-untyped-call]
        return averages
    return _gather_all((total, difference, total.square(), difference.square()), window)


def _gather_all(maps: Sequence[Tensor], window: Tensor) -> tuple[Tensor, ...]:
    """Average several maps at once, as channels of one."""
    return _gather(torch.cat([*maps], 1), window).chunk(len(maps), 1)


def _gather(maps: Tensor, window: Tensor) -> Tensor:
    convolve, _ = _CONVOLUTIONS[maps.ndim - 2]
    # The last dimension first: on a CPU that is several times as fast.
    for kernel in reversed(_kernels(maps, window)):
        maps = convolve(maps, kernel, groups=maps.shape[1])
    return maps


def _spread(maps: Tensor, window: Tensor) -> Tensor:
    _, convolve = _CONVOLUTIONS[maps.ndim - 2]
    for kernel in _kernels(maps, window):
        maps = convolve(maps, kernel, groups=maps.shape[1])
    return maps


def _kernels(maps: Tensor, window: Tensor) -> list[Tensor]:
    """Give the window along each dimension of space, once for each channel."""
    channels, dimensions = maps.shape[1], maps.ndim - 2
    shapes = [[-1 if each == along else 1 for each in range(dimensions)] for along in range(dimensions)]
    return [window.expand(channels, 1, -1).reshape(channels, 1, *shape) for shape in shapes]


class _Averages(torch.autograd.Function):
    """Averages of two maps and of their squares, of which the two alone are kept for the gradient.

    That is found by the transpose, where torch on a CPU would take a slower operation. On a GPU it is torch's
    own that is fast, and exact: the transpose is computed in fewer digits there, as TF32.
    """

    @staticmethod
    def forward(total: Tensor, difference: Tensor, window: Tensor) -> tuple[Tensor, ...]:
        """Average."""
        return _gather_all((total, difference, total.square(), difference.square()), window)

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[Tensor, Tensor, Tensor],
        output: tuple[Tensor, ...],  # noqa: ARG004 - torch's own signature
    ) -> None:
        """Keep what is averaged, and the window."""
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Spread the gradient of each window over it."""
        total, difference, window = ctx.saved_tensors
        above = torch.cat(upstream, 1)
        spread = (
            _Spread.apply(above, window)  # type: ignore[no-untyped-call]
            if values_readable(above)
            else _spread(above, window)
        )
        mean, mean_of_difference, square, square_of_difference = spread.chunk(4, 1)
        return (
            torch.addcmul(mean, total, square, value=2),
            torch.addcmul(mean_of_difference, difference, square_of_difference, value=2),
            None,
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401 - torch's own signature
        """Average the tangents."""
        total, difference, window = ctx.saved_tensors
        of_total, of_difference, _ = tangents
        squares = 2 * total * of_total, 2 * difference * of_difference
        return _gather_all((of_total, of_difference, *squares), window)


class _Spread(torch.autograd.Function):
    """The transpose of averages over windows."""

    @staticmethod
    def forward(maps: Tensor, window: Tensor) -> Tensor:
        """Spread, in a backward pass under autocast as well."""
        with full_precision(maps):
            return _spread(maps, window)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Remember the window."""
        ctx.window = inputs[1]

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Average the gradient."""
        with full_precision(upstream[0]):
            return _gather(upstream[0], ctx.window), None
