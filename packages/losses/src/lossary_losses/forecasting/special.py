"""Functions of likelihoods that keep their digits where the textbook's form loses all of them.

Logarithms of factorials of large numbers are large, and differ by little: what they differ by is computed
here, from Stirling's series.
"""

import math

import torch
from torch import Tensor

__all__ = ["deviance", "exponential", "half_step", "stirling_error"]

_FROM = 10.0
"""Where the series is exact to twelve digits."""

_HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2


def exponential(values: Tensor) -> Tensor:
    """Compute the exponential, followed along its tangent where it and its multiples would overflow."""
    inside = values.clamp(max=0.8 * math.log(torch.finfo(values.dtype).max))
    return inside.exp() * (1 + (values - inside))


def deviance(value: Tensor, log_value: Tensor, log_ratio: Tensor) -> Tensor:
    """Compute ``value * (exp(r) - 1 - r)``: what it costs to expect the value times the exponential of r."""
    near = log_ratio < 1
    inside = torch.where(near, log_ratio, 0)
    # Where the value is tiny the ratio is huge, but not their product.
    outside = exponential(log_value + log_ratio) - value * (1 + log_ratio)
    return torch.where(near, value * (inside.expm1() - inside), outside)


def stirling_error(value: Tensor, log_value: Tensor) -> Tensor:
    """Give by how much the logarithm of a factorial is above Stirling's formula.

    The formula is ``(x + 1 / 2) log x - x + log(2 pi) / 2``. The logarithm is given, too, since it may be
    that of what is no longer above zero.
    """
    few = value < _FROM
    inside = torch.where(few, value, 1)
    exact = (inside + 1).lgamma() - (inside + 0.5) * log_value + inside - _HALF_LOG_TWO_PI
    return torch.where(few, exact, _series(torch.where(few, _FROM, value)))


def half_step(value: Tensor, log_value: Tensor) -> Tensor:
    """Compute ``log(gamma(x + 1 / 2) / (gamma(x) sqrt(x)))``, which is nothing for large numbers."""
    few = value < _FROM
    inside = torch.where(few, value, 1)
    exact = (inside + 0.5).lgamma() - (inside + 1).lgamma() + log_value / 2
    many = torch.where(few, _FROM, value)
    rest = many * (0.5 / many).log1p() - 0.5 + _series(many + 0.5) - _series(many)
    return torch.where(few, exact, rest)


def _series(value: Tensor) -> Tensor:
    """Give the first terms of Stirling's series."""
    inverse = 1 / value
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
