"""A function of one number, as points."""

from __future__ import annotations

import attrs


class NoCurveError(Exception):
    """Something cannot be drawn as a curve; the message says why, and what could be."""


@attrs.frozen
class Curve:
    """Points of a function.

    Attributes:
        title: What the function is.
        x_label: What it depends on.
        x: Where the points are, from left to right.
        y: How high they are; may hold NaN and infinities, which are not drawn.
    """

    title: str
    x_label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


def spaced(first: float, last: float, count: int) -> tuple[float, ...]:
    """Return numbers at equal distances, both ends included.

    Raises:
        NoCurveError: The last one does not come after the first.
    """
    if first >= last:
        raise NoCurveError(f"the curves would go from {first:g} to {last:g}: give --from, --to or both")
    step = (last - first) / (count - 1)
    return (*(first + step * index for index in range(count - 1)), last)
