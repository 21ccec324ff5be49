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
from lossary_losses.errors import InputValueError

__all__ = [
    "Moments",
    "Window",
    "centres",
    "channel_means",
    "gaussian_window",
    "local_moments",
    "reflected",
    "require_windows",
    "standardized",
]

_CONVOLUTIONS = {
    1: (functional.conv1d, functional.conv_transpose1d),
    2: (functional.conv2d, functional.conv_transpose2d),
    3: (functional.conv3d, functional.conv_transpose3d),
}
"""By how many dimensions space has: what gathers from windows, and what spreads over them again."""

Window = Tensor | int
"""The weights of a window along a dimension, the same from both ends; or its size, where all count alike."""

_ROUNDING = 8
"""By how many units in the last place what is left of a constant image may differ from zero."""


class Moments(NamedTuple):
    """Of sum and difference of two images, for each window, ``(B, C, *S)``."""

    mean_of_sum: Tensor
    mean_of_difference: Tensor
    variance_of_sum: Tensor
    variance_of_difference: Tensor
    covariance: Tensor | None = None
    """Of sum and difference, where it was asked for: how much more the input varies than the target."""


def gaussian_window(size: int, sigma: float, like: Tensor) -> Tensor:
    """Give the weights of a window along one dimension, which add up to one."""
    distance = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = (-(distance / sigma).square() / 2).exp()
    return weights / weights.sum()


def require_windows(input: Tensor, size: int, shortest: int) -> None:
    """Refuse images in which no window fits, or which have too many dimensions."""
    space = tuple(input.shape[2:])
    if len(space) not in _CONVOLUTIONS or min(space) < shortest:
        raise InputValueError(
            f"windows of {size} need images (B, C, *S) with one to three dimensions of "
            f"{shortest} positions or more in S: input {tuple(input.shape)}"
        )


def standardized(image: Tensor, counted: Tensor | None) -> Tensor:
    """Bring each channel to mean zero and variance one, of constants, and a flat one to zero.

    For what knows neither offset nor gain: it has the same slope as if they were no constants.
    """
    level = channel_means(image, counted)
    centred = image - level if counted is None else torch.where(counted, image - level, 0)
    spread = channel_means(centred.square(), counted).sqrt()
    # Of a constant image rounding is left, which is none.
    is_flat = spread <= _ROUNDING * torch.finfo(image.dtype).eps * level.abs()
    return torch.where(is_flat, 0, centred / torch.where(is_flat, 1, spread))


def local_moments(
    input: Tensor, target: Tensor, window: Window, counted: Tensor | None, *, crossed: bool = False
) -> Moments:
    """Compute the moments of every window that lies within images of up to three dimensions of space.

    ``crossed`` asks for the covariance of sum and difference as well.

    Excluded positions are no part of a window: its weights are those of the others, scaled to add up to one.
    """
    levels = channel_means(input, counted), channel_means(target, counted)
    level, drift = (levels[0] + levels[1]) / 2, levels[0] - levels[1]
    total, difference = (input - level) + (target - level), (input - target) - drift
    if counted is not None:
        total, difference = torch.where(counted, total, 0), torch.where(counted, difference, 0)
    averages = _averages(total, difference, window, crossed=crossed)
    if counted is not None:
        kept = counted.to(input.dtype)
        # As several channels, of which torch never convolves one in fewer digits than it is told to.
        share, _ = _gather_all((kept, kept), window)
        averages = tuple(each / torch.where(share > 0, share, 1) for each in averages)
    mean, mean_of_difference, square, square_of_difference, *product = averages
    return Moments(
        mean + 2 * level,
        mean_of_difference + drift,
        _not_negative(square - mean.square()),
        _not_negative(square_of_difference - mean_of_difference.square()),
        product[0] - mean * mean_of_difference if crossed else None,
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


def channel_means(image: Tensor, counted: Tensor | None) -> Tensor:
    """Give the mean of each channel, as a constant; excluded positions are zero."""
    space = tuple(range(2, image.ndim))
    if counted is None:
        return image.detach().mean(space, keepdim=True)
    positions = counted.expand_as(image).sum(space, keepdim=True)
    return image.detach().sum(space, keepdim=True) / positions.clamp(min=1)


def _not_negative(variance: Tensor) -> Tensor:
    """Take away what rounding left below zero; the slope is as right there as elsewhere."""
    return variance - variance.detach().clamp(max=0)


def _averages(total: Tensor, difference: Tensor, window: Window, *, crossed: bool) -> tuple[Tensor, ...]:
    """Average both, their squares, and perhaps their product, over every window that lies within."""
    if total.device.type == "cpu" and values_readable(total):
        total, difference = _laid_out(total), _laid_out(difference)
        averages: tuple[Tensor, ...] = _Averages.apply(total, difference, window, crossed)  # type: ignore[no-untyped-call]
        return averages
    return _gather_all(_with_products(total, difference, crossed=crossed), window)


def _with_products(total: Tensor, difference: Tensor, *, crossed: bool) -> tuple[Tensor, ...]:
    squares = total.square(), difference.square()
    return (total, difference, *squares, *((total * difference,) if crossed else ()))


def _gather_all(maps: Sequence[Tensor], window: Window) -> tuple[Tensor, ...]:
    """Average several maps at once, as channels of one."""
    return _gather(torch.cat([*maps], 1), window).chunk(len(maps), 1)


def _gather(maps: Tensor, window: Window) -> Tensor:
    if isinstance(window, int):
        for dimension in range(2, maps.ndim):
            maps = _sums(maps, window, dimension)
        return maps / float(window ** (maps.ndim - 2))
    convolve, _ = _CONVOLUTIONS[maps.ndim - 2]
    maps = _laid_out(maps)
    # The last dimension first: on a CPU that is several times as fast.
    for kernel in reversed(_kernels(maps, window)):
        maps = convolve(maps, kernel, groups=maps.shape[1])
    return maps


def _spread(maps: Tensor, window: Window) -> Tensor:
    if isinstance(window, int):
        return _gather(functional.pad(maps, [window - 1] * 2 * (maps.ndim - 2)), window)
    _, convolve = _CONVOLUTIONS[maps.ndim - 2]
    maps = _laid_out(maps)
    for kernel in _kernels(maps, window):
        maps = convolve(maps, kernel, groups=maps.shape[1])
    return maps


def _sums(maps: Tensor, size: int, dimension: int) -> Tensor:
    """Add up as many neighbours, from sums of two, four and so on."""
    places = maps.shape[dimension] - size + 1
    total, reached, width = None, 0, 1
    while reached < size:
        if size & width:
            part = maps.narrow(dimension, reached, places)
            total, reached = part if total is None else total + part, reached + width
        if reached < size:
            pairs = maps.shape[dimension] - width
            maps = maps.narrow(dimension, 0, pairs) + maps.narrow(dimension, width, pairs)
            width *= 2
    assert total is not None  # noqa: S101 - tells the type checker
    return total


def _laid_out(maps: Tensor) -> Tensor:
    """Lay flat images out as a CPU convolves them fastest."""
    # Batch, channels, and a plane.
    if maps.ndim == 4 and maps.device.type == "cpu" and values_readable(maps):  # noqa: PLR2004
        return maps.contiguous(memory_format=torch.channels_last)
    return maps


def _kernels(maps: Tensor, window: Tensor) -> list[Tensor]:
    """Give the window along each dimension of space, once for each channel."""
    channels, dimensions = maps.shape[1], maps.ndim - 2
    shapes = [[-1 if each == along else 1 for each in range(dimensions)] for along in range(dimensions)]
    return [window.expand(channels, 1, -1).reshape(channels, 1, *shape) for shape in shapes]


class _Averages(torch.autograd.Function):
    """Averages of two maps and of their products, of which the two alone are kept for the gradient.

    That is found by the transpose, where torch on a CPU would take a slower operation. On a GPU it is torch's
    own that is fast, and exact: the transpose is computed in fewer digits there, as TF32.
    """

    @staticmethod
    def forward(total: Tensor, difference: Tensor, window: Window, crossed: bool) -> tuple[Tensor, ...]:
        """Average."""
        return _gather_all(_with_products(total, difference, crossed=crossed), window)

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[Tensor, Tensor, Window, bool],
        output: tuple[Tensor, ...],  # noqa: ARG004 - torch's own signature
    ) -> None:
        """Keep what is averaged, and the window."""
        *tensors, ctx.window, ctx.crossed = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None, None]:  # noqa: ANN401 - torch's own signature
        """Spread the gradient of each window over it."""
        total, difference = ctx.saved_tensors
        above = torch.cat(upstream, 1)
        spread = (
            _Spread.apply(above, ctx.window)  # type: ignore[no-untyped-call]
            if values_readable(above)
            else _spread(above, ctx.window)
        )
        mean, mean_of_difference, square, square_of_difference, *product = spread.chunk(len(upstream), 1)
        slope = torch.addcmul(mean, total, square, value=2)
        slope_of_difference = torch.addcmul(mean_of_difference, difference, square_of_difference, value=2)
        if ctx.crossed:
            slope = torch.addcmul(slope, difference, product[0])
            slope_of_difference = torch.addcmul(slope_of_difference, total, product[0])
        return slope, slope_of_difference, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401 - torch's own signature
        """Average the tangents."""
        total, difference = ctx.saved_tensors
        of_total, of_difference, *_ = tangents
        products = [2 * total * of_total, 2 * difference * of_difference]
        if ctx.crossed:
            products.append(total * of_difference + difference * of_total)
        return _gather_all((of_total, of_difference, *products), ctx.window)


class _Spread(torch.autograd.Function):
    """The transpose of averages over windows."""

    @staticmethod
    def forward(maps: Tensor, window: Window) -> Tensor:
        """Spread, in a backward pass under autocast as well."""
        with full_precision(maps):
            return _spread(maps, window)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Window], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Remember the window."""
        ctx.window = inputs[1]

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Average the gradient."""
        with full_precision(upstream[0]):
            return _gather(upstream[0], ctx.window), None
