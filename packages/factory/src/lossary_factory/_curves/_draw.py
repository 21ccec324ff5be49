"""Curves drawn with characters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._curve import Curve

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
