"""How the command looks: colours by role, and columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossary_factory._problems import Role

_COLOURS: dict[Role, dict[str, str | bool]] = {
    "place": {"bold": True},
    "code": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "message": {"bold": True},
    "path": {"fg": "cyan"},
    "number": {"dim": True},
    "source": {},
    "caret": {"fg": "red", "bold": True},
    "hint": {"fg": "green"},
}


def paint(role: Role, text: str) -> str:
    """Colour a piece of a problem; click takes the colours out where no terminal is."""
    return click.style(text, **_COLOURS[role])  # type: ignore[arg-type]


def dim(text: str) -> str:
    """Make a text less prominent."""
    return click.style(text, dim=True)


def bold(text: str) -> str:
    """Make a text more prominent."""
    return click.style(text, bold=True)


def success(text: str) -> str:
    """Mark a text as good news."""
    return click.style(text, fg="green")


def failure(text: str) -> str:
    """Mark a text as bad news."""
    return click.style(text, fg="red", bold=True)


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Align the cells of rows; the last cell of a row is as wide as it likes."""
    table = list(rows)
    widths = [max(len(click.unstyle(cell)) for cell in cells) for cells in zip(*table, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]


def width() -> int | None:
    """Return how many characters a line of the terminal has; None where the output is none."""
    if not sys.stdout.isatty():
        return None
    import shutil  # noqa: PLC0415  # slow, and only for terminals

    return shutil.get_terminal_size().columns
