"""What a report holds of each term, of each class, of each pair of terms, and of the whole."""

from collections.abc import Mapping

import attrs

__all__ = ["ClassPull", "Conflict", "Health", "TermPull"]


@attrs.frozen(kw_only=True)
class TermPull:
    """A term of a loss: the shares of the terms of one level add up to 1."""

    value: float
    """What it adds to the loss, its weight included."""
    share: float
    """Its share of the value."""
    pull: float
    """Its share of the gradient: negative where it works against the sum."""
    norm: float
    """How long its gradient is."""


@attrs.frozen(kw_only=True)
class Conflict:
    """How the gradients of two terms lie to each other."""

    first: str
    second: str
    cosine: float
    """1 where they agree, -1 where one undoes the other."""


@attrs.frozen(kw_only=True)
class ClassPull:
    """What the positions pull at which a class is true."""

    value: float | None
    """Their mean loss; None where the loss has no value for each position."""
    pull: float
    """Their share of the squared gradient."""
    counted: int
    """How many they are, without those that are excluded."""


@attrs.frozen(kw_only=True)
class Health:
    """What is wrong with a gradient, in numbers of elements of the input."""

    elements: int
    excluded: int
    """By a mask, or by ``ignore_index``."""
    dead: int
    """Counted, with less than 1e-8 of the largest gradient."""
    saturated: int | None
    """Dead, with a loss above the mean; None where the loss has no value for each position."""
    non_finite: Mapping[str, int]
    """NaN and infinities, by where they are: the input, the target, the value, the gradient."""
    largest: float
    """The share that a single element has of the squared gradient."""
