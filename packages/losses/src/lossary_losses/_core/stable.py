"""Formulas that stay finite, in value and gradient, where the textbook's form does not."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "binary_outcomes",
    "binary_sides",
    "binary_surprise",
    "bounded",
    "focused",
    "length",
    "log_cosh",
    "norm_of",
    "power_of_nonnegative",
    "softplus",
    "times",
]


_LARGEST = 1e30
"""Stands for infinity where zero times infinity would be NaN, in a product or in its gradient."""


def bounded(values: Tensor) -> Tensor:
    """Replace infinities by numbers that are as good as infinite, with a gradient of zero."""
    return values.clamp(-_LARGEST, _LARGEST)


def softplus(values: Tensor) -> Tensor:
    """Compute ``log(1 + exp(values))``; torch's own ends at 20, where float64 has digits left."""
    return functional.softplus(values, threshold=40)


def binary_sides(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give ``|logits|``, where they are not below zero, and the exponential of minus their size.

    At zero the size has the slope of one side: what is made of both has the right one then, as it would not
    have with the zero that ``abs`` has for a slope. The likelier outcome costs the logarithm of one plus the
    exponential, and the other one the size on top of it.
    """
    above = logits >= 0
    size = torch.where(above, logits, -logits).clamp(max=_LARGEST)
    return size, above, (-size).exp()


def binary_surprise(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``-log p`` and ``-log (1 - p)`` of ``p = sigmoid(logits)``, exact at both ends, and finite."""
    if not torch.is_grad_enabled():
        logits = bounded(logits)
        common = softplus(logits.abs().neg_())
        return common - logits.clamp(max=0), common + logits.clamp(min=0)
    size, above, _ = binary_sides(logits)
    common = softplus(-size)
    return common + torch.where(above, 0, size), common + torch.where(above, size, 0)


def binary_outcomes(logits: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Give ``-log p``, ``-log (1 - p)``, ``p`` and ``1 - p``, exact at both ends."""
    if not torch.is_grad_enabled():
        return *binary_surprise(logits), logits.sigmoid(), (-logits).sigmoid()
    # From one exponential, so that a compiler need not keep several.
    size, above, exponential = binary_sides(logits)
    common, likelier = exponential.log1p(), (1 + exponential).reciprocal()
    other = exponential * likelier
    return (
        common + torch.where(above, 0, size),
        common + torch.where(above, size, 0),
        torch.where(above, likelier, other),
        torch.where(above, other, likelier),
    )


def log_cosh(values: Tensor) -> Tensor:
    """Compute ``log(cosh(values))``: no overflow far from zero, no cancellation near it."""
    size = values.abs()
    near = size < 1
    # Each branch sees only arguments that it can take, or its gradient would spoil the other's.
    inside = torch.where(near, values, 0)
    outside = torch.where(near, 1, size)
    return torch.where(
        near,
        (2 * (inside / 2).sinh().square()).log1p(),
        outside + softplus(-2 * outside) - math.log(2),
    )


def norm_of(components: Sequence[Tensor]) -> Tensor:
    """Compute the length of vectors given by their components, with a slope of zero where it is zero."""
    squared = torch.stack([each.square() for each in components]).sum(0)
    nothing = squared == 0
    return torch.where(nothing, 0, torch.where(nothing, 1, squared).sqrt())


def length(vectors: Tensor, power: float = 2.0) -> Tensor:
    """Compute the norm of vectors in the last dimension, with a slope of zero where it is zero.

    They are divided by their largest entry first, so that no power is infinite, or zero by rounding.
    """
    if not vectors.shape[-1]:
        return vectors.sum(-1)
    largest = vectors.detach().abs().amax(-1)
    scale = torch.where(largest == 0, 1, largest)
    total = power_of_nonnegative((vectors / scale.unsqueeze(-1)).abs(), power).sum(-1)
    return scale * power_of_nonnegative(total, 1 / power)


def power_of_nonnegative(base: Tensor, exponent: float) -> Tensor:
    """Raise to a power above zero, with a gradient of zero at zero.

    The derivative of ``0 ** gamma`` is infinite for ``gamma < 1``, and times the zero above it is NaN.
    """
    if exponent >= 2:  # noqa: PLR2004 - up to the second derivative nothing is infinite
        return base**exponent
    # Asked so that NaN, which is neither, stays what it is.
    nothing = base <= 0
    return torch.where(nothing, 0, torch.where(nothing, 1, base) ** exponent)


def focused(surprise: Tensor, hardness: Tensor, gamma: float) -> Tensor:
    """Scale a surprise by how hard its position is, 0 to 1, to the power of gamma."""
    if not gamma:
        return surprise
    power = power_of_nonnegative(hardness, gamma) if torch.is_grad_enabled() else hardness**gamma
    return power * surprise


def times(value: Tensor, factor: Tensor | None) -> Tensor:
    """Multiply, where there is a factor."""
    return value if factor is None else value * factor
