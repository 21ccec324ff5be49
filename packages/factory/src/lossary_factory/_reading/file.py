"""Open a file, or say why it cannot be read."""
# ruff: noqa: PTH116, PTH122, PTH123  # pathlib takes longer to import than a config to check

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

import attrs

from lossary_factory._problems import (
    MOST_CHARACTERS,
    ConfigError,
    ConfigPath,
    Places,
    Problem,
    Source,
    Span,
    either,
    nearest,
)

from .complaints import Complaints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Format(NamedTuple):
    parse: Callable[[str, Complaints], object]
    find_places: Callable[[str], Places]


def _yaml() -> _Format:
    from . import from_yaml  # noqa: PLC0415  # a parser is imported when the first such file is read

    return _Format(from_yaml.parse, from_yaml.find_places)


def _toml() -> _Format:
    from . import from_toml  # noqa: PLC0415  # a parser is imported when the first such file is read

    return _Format(from_toml.parse, from_toml.find_places)


def _json() -> _Format:
    from . import from_json  # noqa: PLC0415  # a parser is imported when the first such file is read

    return _Format(from_json.parse, from_json.find_places)


_FORMATS: dict[str, Callable[[], _Format]] = {".yaml": _yaml, ".yml": _yaml, ".toml": _toml, ".json": _json}
SUFFIXES = tuple(_FORMATS)


@attrs.frozen
class Document:
    """What a file holds: its data, its text, and the problems that reading it went past."""

    data: object
    source: Source
    complaints: Complaints

    @property
    def problems(self) -> list[Problem]:
        """Those of the whole file."""
        return self.complaints.problems

    def problems_at(self, path: ConfigPath) -> list[Problem]:
        """Return those that concern what stands at a path of the data."""
        return self.complaints.problems_at(path)


def read(path: str | os.PathLike[str]) -> Document:
    """Read a config file.

    Raises:
        ConfigError: The file cannot be read, or what it holds cannot be understood at all.
    """
    file = os.fsdecode(path)
    form = _format_of(file)
    source = Source(file, _text_of(file), form.find_places)
    complaints = Complaints(source)
    if not source.text.strip():
        raise complaints.fatal("empty-file", "the file is empty", Span(0, 0), hint=_START)
    data = form.parse(source.text, complaints)
    if data is None:
        raise complaints.fatal("empty-file", "the file holds no value", Span(0, 0), hint=_START)
    return Document(data, source, complaints)


_START = "a config begins with 'loss:', followed by a loss such as {name: NAME, params: {...}}"


def _format_of(file: str) -> _Format:
    suffix = os.path.splitext(file)[1].lower()
    if suffix in _FORMATS:
        return _FORMATS[suffix]()
    _check_there(file)
    guess = nearest(suffix, SUFFIXES) if suffix else None
    hint = f"did you mean {guess}? " if guess else ""
    raise _unreadable(
        file,
        "unknown-format",
        f"the name must end in {either(SUFFIXES)}" + (f", not {suffix}" if suffix else ""),
        f"{hint}the end of the name says which format to read",
    )


def _text_of(file: str) -> str:
    _check_there(file)
    try:
        with open(file, "rb") as stream:
            raw = stream.read(4 * MOST_CHARACTERS + 1)
    except OSError as error:
        raise _unreadable(file, "unreadable-file", f"the file cannot be opened: {error.strerror}") from None
    if b"\0" in raw:
        hint = "a config is text in UTF-8; UTF-16 is not read"
        raise _unreadable(file, "binary-file", "the file is binary: it holds NUL bytes", hint)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8 text: byte {raw[error.start]:#04x} in line {line}"
        raise _unreadable(file, "not-utf8", message, "save it as UTF-8") from None
    if len(text) > MOST_CHARACTERS:
        message = f"the file is longer than {MOST_CHARACTERS:,} characters"
        raise _unreadable(file, "too-large", message)
    return text


def _check_there(file: str) -> None:
    """Refuse what is not a regular file; reading a pipe or a device might never end."""
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        raise _unreadable(file, "no-such-file", "there is no such file", _neighbour(file)) from None
    except OSError as error:
        raise _unreadable(file, "unreadable-file", f"the file cannot be opened: {error.strerror}") from None
    except ValueError:  # a NUL character in the name
        raise _unreadable(file, "no-such-file", "no file can have this name") from None
    if stat.S_ISDIR(mode):
        raise _unreadable(file, "not-a-file", "this is a folder, not a file", "name a file in it")
    if not stat.S_ISREG(mode):
        raise _unreadable(file, "not-a-file", "this is not a regular file")


def _neighbour(file: str) -> str:
    """Suggest a file of the same folder that has almost this name."""
    from pathlib import Path  # noqa: PLC0415  # only what is wrong needs it

    path = Path(file)
    try:
        files = {entry.stem: entry for entry in path.parent.iterdir() if _is_config(entry)}
    except OSError:
        return ""
    guess = nearest(path.stem, files)
    return f"did you mean {str(files[guess])!r}?" if guess else ""


def _is_config(entry: Path) -> bool:
    return entry.suffix.lower() in SUFFIXES and entry.is_file()


def _unreadable(file: str, code: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(code, message, hint=hint, file=file)])
