"""From the loss of each element to what ``reduction`` asks for."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

__all__ = [
    "Elements",
    "Fraction",
    "Reduction",
    "drop_dimension",
    "fraction_of_each",
    "mean",
    "to_fraction",
    "weigh",
    "widened",
]

Reduction = Literal["none", "mean", "sum"]


class Elements(NamedTuple):
    """The loss of each element, and how much each counts."""

    value: Tensor
    """Each element's loss with all weights applied; zero where it is excluded."""
    share: Tensor | None
    """What each element adds to the denominator of the mean; None where every one adds one."""


class Fraction(NamedTuple):
    """A mean that can still be added up: over micro-batches, or over processes.

    The mean over all of them is the sum of the numerators divided by the sum of the denominators, which a
    mean of means is not when the batches count differently.
    """

    numerator: Tensor
    denominator: Tensor


def widened(value: Tensor) -> Tensor:
    """Give a result in float32, unless it is in float64 already: sums and products of halves overflow."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def weigh(value: Tensor, share: Tensor | None, class_share: Tensor | None = None) -> Elements:
    """Let each element count by its share.

    ``class_share`` are class weights that ``value`` holds already, and that the mean divides by as well.
    """
    if share is not None:
        value = value * share
        class_share = share if class_share is None else share * class_share
    return Elements(value, class_share)


def fraction_of_each(elements: Elements) -> tuple[Tensor, Tensor]:
    """Add up the elements of each sample, and what they count."""
    value, share = elements
    counted = torch.ones_like(value) if share is None else share.expand_as(value)
    return _of_each_sample(value), _of_each_sample(counted)


def _of_each_sample(values: Tensor) -> Tensor:
    return values.flatten(1).sum(1) if values.ndim > 1 else values


def drop_dimension(elements: Elements, dimension: int) -> Elements:
    """Give elements without a dimension that holds one entry, such as that of the classes."""
    value, share = elements
    return Elements(value.squeeze(dimension), None if share is None else share.squeeze(dimension))


def to_fraction(elements: Elements) -> Fraction:
    """Give the numerator and the denominator of the mean."""
    value, share = elements
    counted = value.new_full((), value.numel()) if share is None else share.expand_as(value).sum()
    return Fraction(value.sum(), counted)


def mean(fraction: Fraction) -> Tensor:
    """Divide; the mean over nothing is zero."""
    numerator, denominator = fraction
    # Over infinity, what costs something and weighs nothing, as smoothing makes it, has no gradient either.
    return numerator / torch.where(denominator == 0, torch.inf, denominator)
