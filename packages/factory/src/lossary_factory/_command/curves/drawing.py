"""A function of one number as points, and how it is drawn: with characters, or as a picture."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


_NARROWEST = 20
_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character: four rows of two dots."""
_ROWS, _COLUMNS = 4, 2


class Marks(NamedTuple):
    """The characters of a frame."""

    bar: str
    corner: str
    line: str


_FINE = Marks("│", "└", "─")
_PLAIN = Marks("|", "+", "-")


def draw(curve: Curve, width: int, height: int = 8, *, plain: bool = False) -> Iterator[str]:
    """Yield the lines of a drawing, none longer than ``width`` unless that is absurdly small.

    Args:
        curve: What to draw.
        width: How many characters a line may have.
        height: How many lines the curve may have, its frame apart.
        plain: Use characters of ASCII alone.
    """
    finite = [y for y in curve.y if math.isfinite(y)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    marks = _PLAIN if plain else _FINE
    labels = {0: _number(high), height - 1: _number(low)}
    margin = max(map(len, labels.values()))
    columns = max(width - margin - 2, _NARROWEST)
    cells = _cells(curve, low, high, columns, height)
    yield curve.title
    for number, row in enumerate(cells):
        shown = "".join(_cell(bits, plain=plain) for bits in row)
        yield f"{labels.get(number, ''):>{margin}} {marks.bar}{shown}".rstrip()
    yield f"{'':{margin}} {marks.corner}{marks.line * columns}"
    first, last = _number(curve.x[0]), _number(curve.x[-1])
    middle = curve.x_label if len(curve.x_label) + len(first) + len(last) + 2 <= columns else ""
    yield f"{'':{margin}}  {first}{middle:^{columns - len(first) - len(last)}}{last}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _cell(bits: int, *, plain: bool) -> str:
    if plain:
        return "*" if bits else " "
    return chr(_BRAILLE + bits) if bits else " "


def _cells(curve: Curve, low: float, high: float, columns: int, height: int) -> list[list[int]]:
    """Return the dots of every character, joined from one column of dots to the next."""
    cells = [[0] * columns for _ in range(height)]
    dots = columns * _COLUMNS
    before: int | None = None
    for dot in range(dots):
        y = curve.y[round(dot * (len(curve.y) - 1) / (dots - 1))]
        if not math.isfinite(y):
            before = None
            continue
        row = round((high - y) / (high - low) * (height * _ROWS - 1))
        start = row if before is None else before + (row > before) - (row < before)
        for each in range(min(start, row), max(start, row) + 1):
            cells[each // _ROWS][dot // _COLUMNS] |= _DOTS[each % _ROWS][dot % _COLUMNS]
        before = row
    return cells


FORMATS = ("png", "svg", "pdf")


def picture(curves: Sequence[Curve], form: str) -> bytes:
    """Return a picture of curves, one above the other.

    Args:
        curves: One or more.
        form: One of ``FORMATS``.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # an extra

    figure = Figure(figsize=(7, 2.6 * len(curves)), layout="constrained")
    for axes, curve in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves, strict=True):
        axes.plot(curve.x, curve.y)
        axes.set_title(curve.title, fontsize="medium")
        axes.set_xlabel(curve.x_label)
        axes.grid(visible=True, alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=150)
    return stream.getvalue()
