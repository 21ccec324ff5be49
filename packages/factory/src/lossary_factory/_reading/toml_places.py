"""Where the keys and values of a TOML text stand."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import NamedTuple

import attrs

from lossary_factory._problems import ConfigPath, Place, Span

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}(?!")|\'\'\'.*?'{3,5}(?!')|"(?:\\.|[^"\\\n])*"|'[^'\n]*\'''', re.DOTALL
)
_BARE = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")


class Entry(NamedTuple):
    """A path and its place; ``defined`` where the text gives the path its value, not only goes through it."""

    path: ConfigPath
    place: Place
    defined: bool

    @property
    def span(self) -> Span:
        """The key, or the value where there is no key."""
        return self.place.key or self.place.value


class _LostError(Exception):
    """The text is not what TOML looks like from here on."""


def scan(text: str) -> list[Entry]:
    """List the entries of a TOML text in order, up to where it stops being TOML."""
    scanner = _Scanner(text)
    # Where it gets lost, its entries so far are good, and the parser itself says what is wrong.
    with contextlib.suppress(_LostError, RecursionError, tomllib.TOMLDecodeError):
        scanner.document()
    return scanner.entries


@attrs.define
class _Scanner:
    text: str
    position: int = 0
    entries: list[Entry] = attrs.field(factory=list)
    tables: dict[ConfigPath, int] = attrs.field(factory=dict)
    """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: ConfigPath = ()
        self.skip(_BLANK)
        while self.position < len(self.text):
            if self.at("["):
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)

    def header(self) -> ConfigPath:
        """Read ``[a.b]`` or ``[[a.b]]``, and return the path of the table that it opens."""
        is_array = self.text.startswith("[[", self.position)
        self.position += 2 if is_array else 1
        path: ConfigPath = ()
        parts = self.key()
        for number, (name, span) in enumerate(parts, 1):
            path = (*path, name)
            is_last = number == len(parts)
            if is_array and is_last:
                self.tables[path] = self.tables.get(path, 0) + 1
            self.note(path, Place(span, span), defined=is_last and not is_array)
            if path in self.tables:
                path = (*path, self.tables[path] - 1)
                self.note(path, Place(span, span), defined=False)
        self.expect("]]" if is_array else "]")
        return path

    def pair(self, table: ConfigPath) -> None:
        parts = self.key()
        self.expect("=")
        path = table
        for name, span in parts[:-1]:
            path = (*path, name)
            self.note(path, Place(span, span), defined=False)
        name, span = parts[-1]
        self.value((*path, name), span)

    def key(self) -> list[tuple[str, Span]]:
        parts: list[tuple[str, Span]] = []
        self.skip(_SPACE)
        while True:
            found = self.take(_KEY_PART)
            parts.append((_unquoted(found.group()), Span(*found.span())))
            dot = _DOT.match(self.text, self.position)
            if dot is None:
                return parts
            self.position = dot.end()

    def value(self, path: ConfigPath, key: Span | None) -> None:
        self.skip(_SPACE)
        start = self.position
        index = len(self.entries)
        if self.at("["):
            self.array(path)
        elif self.at("{"):
            self.inline_table(path)
        elif self.at('"') or self.at("'"):
            self.take(_STRING)
        else:
            self.take(_BARE)
        place = Place(Span(start, self.position), key)
        self.entries.insert(index, Entry(path, place, defined=True))

    def array(self, path: ConfigPath) -> None:
        self.position += 1
        self.skip(_BLANK)
        index = 0
        while not self.at("]"):
            self.value((*path, index), None)
            self.skip_comma()
            index += 1
        self.position += 1

    def inline_table(self, path: ConfigPath) -> None:
        self.position += 1
        self.skip(_BLANK)
        while not self.at("}"):
            self.pair(path)
            self.skip_comma()
        self.position += 1

    def skip_comma(self) -> None:
        self.skip(_BLANK)
        if self.at(","):
            self.position += 1
            self.skip(_BLANK)

    def note(self, path: ConfigPath, place: Place, *, defined: bool) -> None:
        self.entries.append(Entry(path, place, defined))

    def at(self, character: str) -> bool:
        return self.text.startswith(character, self.position)

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.position)
        if found is None:
            raise _LostError
        self.position = found.end()
        return found

    def expect(self, mark: str) -> None:
        self.skip(_SPACE)
        if not self.at(mark):
            raise _LostError
        self.position += len(mark)


def _unquoted(part: str) -> str:
    return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "'\"" else part
