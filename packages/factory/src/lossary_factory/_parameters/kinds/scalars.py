"""Single values: truth values, numbers, texts, and one of a few."""
# ruff: noqa: ANN401, ARG002  # values are of any type until they are checked, in one signature for all

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import LARGEST_INTEGER, ConfigPath, either, label, nearest, show
from lossary_factory._values import plain

from .base import AsIs, Kind

if TYPE_CHECKING:
    import enum

    from lossary_factory._validation import Validation


_LONGEST_NUMBER = 40


@attrs.frozen
class Boolean(Kind):
    """True or false, and no number."""

    @property
    def text(self) -> str:
        return "true or false"

    def fits(self, value: object) -> bool:
        return isinstance(value, bool)

    def as_is(self) -> AsIs:
        return lambda value: type(value) is bool

    def hint(self, value: object) -> str:
        words = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}
        word = words.get(value.lower()) if isinstance(value, str) else None
        return f"write {word}, without quotes" if word else ""

    def example(self, loss: str) -> object:
        return True


@attrs.frozen
class Integer(Kind):
    """A whole number, and neither a truth value nor a text."""

    @property
    def text(self) -> str:
        return "a whole number"

    def fits(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        return validation.bounded(value, path)

    def as_is(self) -> AsIs:
        largest = LARGEST_INTEGER
        return lambda value: type(value) is int and -largest < value < largest

    def hint(self, value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return f"write {value:.0f}"
        return _unquoted_number(value)

    def example(self, loss: str) -> object:
        return 1


@attrs.frozen
class Number(Kind):
    """A number, whole or not; finite unless the class says that it means infinities."""

    finite: bool = True

    @property
    def text(self) -> str:
        return "a number"

    def fits(self, value: object) -> bool:
        return isinstance(value, (float, int)) and not isinstance(value, bool)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        try:
            number = float(value)
        except OverflowError:
            validation.add("out-of-range", f"{label(path)} is too large for a number", path)
            return value
        if self.finite and not math.isfinite(number):
            validation.add("not-finite", f"{label(path)} must be finite, not {show(number)}", path)
        return number

    def as_is(self) -> AsIs | None:
        infinity = math.inf
        return (lambda value: type(value) is float and -infinity < value < infinity) if self.finite else None

    def hint(self, value: object) -> str:
        return _unquoted_number(value)

    def example(self, loss: str) -> object:
        return 1.0


@attrs.frozen
class Text(Kind):
    """A text."""

    @property
    def text(self) -> str:
        return "text"

    def fits(self, value: object) -> bool:
        return isinstance(value, str)

    def as_is(self) -> AsIs:
        return lambda value: type(value) is str

    def hint(self, value: object) -> str:
        return "put it in quotes" if isinstance(value, (bool, int, float)) else ""

    def example(self, loss: str) -> object:
        return "text"


@attrs.frozen
class PathText(Kind):
    """The path of a file or folder: a text, of which the constructor gets the path. Nothing is opened."""

    @property
    def text(self) -> str:
        return "the path of a file or folder, as text"

    def fits(self, value: object) -> bool:
        return isinstance(value, (str, os.PathLike))

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        from pathlib import Path  # noqa: PLC0415  # slow, and few losses take one

        return Path(value) if isinstance(value, str) else value

    def example(self, loss: str) -> object:
        return "folder/file"


@attrs.frozen
class Choice(Kind):
    """One of a few values, as ``Literal`` lists them."""

    options: tuple[object, ...]

    @property
    def text(self) -> str:
        return either(self.alternatives)

    @property
    def alternatives(self) -> list[str]:
        return list(map(show, self.options))

    def fits(self, value: object) -> bool:
        # Equality alone would take true for 1.
        return any(type(value) is type(option) and value == option for option in self.options)

    def as_is(self) -> AsIs:
        words = frozenset(option for option in self.options if type(option) is str)
        return lambda value: type(value) is str and value in words

    def hint(self, value: object) -> str:
        if value is None and "none" in self.options:
            return "write 'none', as text: null is no value at all"
        guess = nearest(value, self.options)
        return f"did you mean {guess!r}?" if guess else ""

    def example(self, loss: str) -> object:
        return self.options[0]


@attrs.frozen
class Member(Kind):
    """A member of an enum, by its value or by its name.

    Attributes:
        kind: The enum.
        names: The names of those members that will do; all of them where it is empty.
    """

    kind: type[enum.Enum]
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return either(self.alternatives)

    @property
    def alternatives(self) -> list[str]:
        return list(map(show, self.spellings()))

    @property
    def members(self) -> list[enum.Enum]:
        """Those members that will do."""
        return [self.kind[name] for name in self.names] or list(self.kind)

    def spellings(self) -> list[object]:
        """List how the members are written: by value where the value is text, by name otherwise."""
        return list(map(plain, self.members))

    def fits(self, value: object) -> bool:
        return self.find(value) is not None

    def find(self, value: object) -> enum.Enum | None:
        members = self.members
        if isinstance(value, self.kind):
            return value if value in members else None
        for member in members:
            if type(value) is type(member.value) and value == member.value:
                return member
        named = self.kind.__members__.get(value) if isinstance(value, str) else None
        return named if named in members else None

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        return self.find(value)

    def hint(self, value: object) -> str:
        guess = nearest(value, self.spellings())
        return f"did you mean {guess!r}?" if guess else ""

    def example(self, loss: str) -> object:
        return self.spellings()[0]


def _unquoted_number(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return f"write {value.strip()}, without quotes"
