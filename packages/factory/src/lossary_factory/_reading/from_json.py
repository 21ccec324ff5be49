"""JSON as its standard has it: no repeated key, no NaN or Infinity."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import attrs

from lossary_factory._problems import DEEPEST, MOST_VALUES, ConfigPath, Place, Places, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .complaints import Complaints

_SPACE = " \t\n\r"
_CONSTANTS = ("NaN", "Infinity", "-Infinity")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]|[^\s\[\]{},:"]+', re.DOTALL)
"""A text, a bracket or a word; what is no JSON falls into such pieces as well, in linear time."""


def parse(text: str, complaints: Complaints) -> object:
    """Return the data that a JSON text holds."""
    _refuse_size(text, complaints)
    suspicious: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        entries: dict[str, object] = {}
        for key, value in items:
            if key in entries:
                suspicious.append(key)
            else:
                entries[key] = value
        return entries

    def constant(name: str) -> float:
        suspicious.append(name)
        return float(name)

    try:
        data: object = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise complaints.fatal("syntax", error.msg, Span(error.pos, error.pos + 1)) from None
    except ValueError:  # an integer with more digits than Python agrees to read
        raise complaints.fatal("out-of-range", "a number has too many digits", Span(0, 1)) from None
    if suspicious:
        _complain(text, complaints)
    return data


def _refuse_size(text: str, complaints: Complaints) -> None:
    """Refuse what is too deep or too large before anything goes into it, which recurses with every level."""
    depth = values = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "]}":
            depth -= 1
            continue
        depth += first in "[{"
        values += 1
        if depth > DEEPEST:
            raise complaints.too_deep(Span(*token.span()))
        if values > MOST_VALUES:
            raise complaints.too_large(Span(*token.span()))


def find_places(text: str) -> Places:
    """Find every key and value of a JSON text that ``parse`` could read."""
    places: dict[ConfigPath, Place] = {}
    for path, place in _Scanner(text).entries():
        places.setdefault(path, place)
    return places


def _complain(text: str, complaints: Complaints) -> None:
    """Say where the repeated keys and the numbers that are none stand."""
    first: dict[ConfigPath, Place] = {}
    for path, place in _Scanner(text).entries():
        earlier = first.setdefault(path, place)
        if earlier is not place and place.key and earlier.key:
            complaints.duplicate(path[-1], place.key, earlier.key, path=path)
        elif (written := text[place.value.start : place.value.end]) in _CONSTANTS:
            message = f"{written} is not a number that JSON has"
            complaints.add("not-finite", message, place.value, path=path)


class _Entry(NamedTuple):
    path: ConfigPath
    place: Place


@attrs.define
class _Scanner:
    """Walks a text that is known to be JSON, to see where things stand."""

    text: str
    position: int = 0
    decoder: json.JSONDecoder = attrs.field(factory=json.JSONDecoder)

    def entries(self) -> Iterator[_Entry]:
        return self.value((), None)

    def value(self, path: ConfigPath, key: Span | None) -> Iterator[_Entry]:
        """Give what a value holds, then the value: only then is its end known."""
        start = self.skip_space()
        if self.text[start] == "{":
            yield from self.items(path, "}")
        elif self.text[start] == "[":
            yield from self.items(path, "]")
        else:
            _, self.position = self.decoder.raw_decode(self.text, start)
        yield _Entry(path, Place(Span(start, self.position), key))

    def items(self, path: ConfigPath, closing: str) -> Iterator[_Entry]:
        index = 0
        self.position += 1
        while self.text[self.skip_space()] != closing:
            key: object = index
            span = None
            if closing == "}":
                start = self.position
                key, self.position = self.decoder.raw_decode(self.text, start)
                span = Span(start, self.position)
                self.skip_space()
                self.position += 1  # the colon
            yield from self.value((*path, key), span)
            if self.text[self.skip_space()] == ",":
                self.position += 1
            index += 1
        self.position += 1

    def skip_space(self) -> int:
        while self.position < len(self.text) and self.text[self.position] in _SPACE:
            self.position += 1
        return self.position
