"""The name that somebody probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossary_registry import nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: object, names: Iterable[object]) -> str | None:
    """Return the name that is spelled most like ``word``, or None where nothing is near."""
    return next(iter(nearest_names(word, names)), None)


def did_you_mean(word: object, names: Iterable[object]) -> str:
    """Ask about the nearest name, before more is said; return an empty text where nothing is near."""
    guess = nearest(word, names)
    return f"did you mean {guess!r}? " if guess else ""
