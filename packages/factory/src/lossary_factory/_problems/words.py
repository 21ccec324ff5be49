"""How values and names are put into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_LONGEST_VALUE = 60
_PLURALS = {"a number": "numbers", "a whole number": "whole numbers", "a loss": "losses", "a list": "lists"}
_PLAIN_KEY = re.compile(r"[\w-]+")


def show(value: object) -> str:  # noqa: PLR0911  # a table of cases
    """Write a value as a config would, in a few words however large it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 10]!r}..."
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_VALUE:
        return "an enormous whole number"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "a list"
    return f"an object of type {type(value).__name__}"


def show_key(key: object) -> str:
    """Write a key bare where it reads as a word, and quoted otherwise."""
    if isinstance(key, str):
        return key if len(key) <= _LONGEST_VALUE and _PLAIN_KEY.fullmatch(key) else show(key)
    return show(key)


INTERPOLATED = (
    "nothing is interpolated here: write the value itself, or let the tool that knows it resolve the config"
)


def is_interpolated(value: object) -> bool:
    """Tell whether a value is what other tools replace by another one."""
    return isinstance(value, str) and "${" in value


def either(options: Iterable[str]) -> str:
    """Join options as a sentence does: ``a, b or c``."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last


def listing(names: Iterable[str], *, longest: int = 12) -> str:
    """Join names with commas, and count those beyond the first few."""
    shown = list(names)
    rest = len(shown) - longest
    return ", ".join(shown[:longest]) + (f" and {rest} more" if rest > 0 else "")


def plural(text: str) -> str:
    """Speak of several values as the text of a kind speaks of one."""
    for one, many in _PLURALS.items():
        if text.startswith(one):
            return many + text[len(one) :]
    return f"values that are each {text}"


def printable(text: str) -> str:
    """Replace what would act on a terminal."""
    return "".join(c if c == "\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def printable_lines(text: str) -> str:
    """Replace what would act on a terminal, in a text whose lines may end."""
    return "\n".join(map(printable, text.split("\n")))


def counted(number: int, thing: str) -> str:
    """Put a number before a noun, in the plural where it needs it."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
