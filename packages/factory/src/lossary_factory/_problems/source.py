"""A config's text, and where in it each value stands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from .paths import ConfigPath, show_path
from .words import printable

if TYPE_CHECKING:
    from lossary_registry import Registry

_WIDEST_LINE = 120


class Span(NamedTuple):
    """A stretch of the text, as two offsets."""

    start: int
    end: int


class Place(NamedTuple):
    """Where a value stands, and its key where it has one."""

    value: Span
    key: Span | None = None
    inside: Span | None = None
    """Where to look for what is missing in the value, where that is not its key: it was written elsewhere."""


Places = Mapping[ConfigPath, Place]


class Location(NamedTuple):
    """A place as people count: from one, with the line to show."""

    line: int
    column: int
    line_text: str
    caret: str


@attrs.frozen
class Source:
    """One file's name and text, with the function that finds the places in such a text.

    Places are looked for only when a problem has to be shown: reading a correct file pays nothing for them.
    """

    file: str
    text: str = attrs.field(repr=False)
    find_places: Callable[[str], Places] = attrs.field(repr=False)

    def locate(self, path: ConfigPath, *, at_key: bool = False) -> Location:
        """Find a path, or the longest part of it that the text has."""
        places = _places(self.find_places, self.text)
        known = path
        while known and known not in places:
            known = known[:-1]
        place = places.get(known, Place(Span(0, 0)))
        if known != path:
            return self.at(place.inside or place.key or place.value)
        return self.at(place.key if at_key and place.key else place.value)

    def at(self, span: Span) -> Location:
        """Turn offsets into a line, a column and a caret below the line."""
        text = self.text
        if "\r" in text:  # at the end of a line, alone or not
            text = text.replace("\r\n", " \n").replace("\r", "\n")
        start = min(span.start, len(text))
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", start)
        line_text = text[first : last if last >= 0 else len(text)].rstrip()
        begin = start - first
        end = max(min(span.end - first, len(line_text.rstrip())), begin + 1)
        return Location(text.count("\n", 0, start) + 1, begin + 1, *_cropped(line_text, begin, end))


class Origin(NamedTuple):
    """Where a spec comes from: the place in a config, the registry, and what it might use of that."""

    path: ConfigPath
    source: Source | None
    registry: Registry[Any]
    allowed: frozenset[str] | None = None

    def __str__(self) -> str:
        place = show_path(self.path) or "the top of the config"
        if self.source is None:
            return place
        location = self.source.locate(self.path, at_key=True)
        return f"{place} ({printable(self.source.file)}:{location.line}:{location.column})"


@functools.lru_cache(maxsize=8)
def _places(find_places: Callable[[str], Places], text: str) -> Places:
    return find_places(text)


def _cropped(line: str, begin: int, end: int) -> tuple[str, str]:
    """Return a printable line of bearable width, and the caret that underlines ``begin`` to ``end`` in it."""
    first = 0 if end <= _WIDEST_LINE else max(0, begin - _WIDEST_LINE // 2)
    shown = line[first : first + _WIDEST_LINE]
    marked = max(1, min(end - first, len(shown)) - (begin - first))
    lead = "".join("\t" if character == "\t" else " " for character in shown[: begin - first])
    return printable(shown), lead + "^" * marked
