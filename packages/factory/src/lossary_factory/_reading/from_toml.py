"""TOML, with the places that its parser does not tell."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from lossary_factory._problems import DEEPEST, MOST_VALUES, ConfigError, ConfigPath, Place, Places, Span

from .toml_places import Entry, scan

if TYPE_CHECKING:
    from .complaints import Complaints

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
# A key of very many parts takes the parser quadratic time.
_ENDLESS_KEY = re.compile(rf"""(?<![\w"'.-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{DEEPEST}}}""")


def parse(text: str, complaints: Complaints) -> object:
    """Return the data that a TOML text holds."""
    endless = _ENDLESS_KEY.search(text)
    if endless:
        raise complaints.too_deep(Span(*endless.span()))
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _explained(str(error), text, complaints) from None
    except RecursionError:
        raise complaints.too_deep(Span(0, 1)) from None
    except ValueError:  # an integer with more digits than Python agrees to read
        raise complaints.fatal("out-of-range", "a number has too many digits", Span(0, 1)) from None
    _refuse_size(data, text, complaints)
    return data


def _refuse_size(data: object, text: str, complaints: Complaints) -> None:
    """Refuse what is too deep or too large; where a dotted key leads, only the parser knew."""
    values = 0
    waiting: list[tuple[ConfigPath, object]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if not isinstance(value, (dict, list)):
            continue
        values += len(value) * (2 if isinstance(value, dict) else 1)  # keys count as well
        if len(path) >= DEEPEST:
            raise complaints.too_deep(_span_at(path, text), path=path)
        if values > MOST_VALUES:
            raise complaints.too_large(_span_at(path, text), path=path)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        waiting.extend(((*path, key), item) for key, item in items)


def _span_at(path: ConfigPath, text: str) -> Span:
    places = find_places(text)
    known = next(path[:end] for end in range(len(path), -1, -1) if path[:end] in places)
    return places[known].value


def find_places(text: str) -> Places:
    """Find every key and value of a TOML text that ``parse`` could read."""
    places: dict[ConfigPath, Place] = {(): Place(Span(0, 0))}
    for entry in scan(text):
        places.setdefault(entry.path, entry.place)
    return places


def _explained(error: str, text: str, complaints: Complaints) -> ConfigError:
    """Turn the parser's message into a problem: a duplicate key where it is one."""
    found = _POSITION.search(error)
    message = _POSITION.sub("", error)
    offset = _offset(text, int(found[1]), int(found[2])) if found and found[1] else len(text.rstrip())
    duplicates = _duplicates(scan(text)) if message.startswith(("Cannot ", "Duplicate ")) else []
    if duplicates:
        for first, again in duplicates:
            complaints.duplicate(again.path[-1], again.span, first.span, path=again.path)
        return ConfigError(complaints.problems)
    return complaints.fatal("syntax", message, Span(offset, offset + 1))


def _duplicates(entries: list[Entry]) -> list[tuple[Entry, Entry]]:
    first: dict[ConfigPath, Entry] = {}
    return [
        (first[entry.path], entry)
        for entry in entries
        if entry.defined and first.setdefault(entry.path, entry) is not entry
    ]


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")  # as the parser counts them: splitlines() knows other ends of lines
    return sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
