"""What all kinds of values share, and those that look at nothing."""
# ruff: noqa: ARG002  # one signature for all kinds

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import show

if TYPE_CHECKING:
    from lossary_factory._problems import ConfigPath
    from lossary_factory._validation import Validation

AsIs = Callable[[Any], bool]
"""Tells of a value that it is right as it stands."""


class Kind:
    """What all kinds of values share."""

    @property
    def text(self) -> str:
        """What a value has to be, as a sentence says it."""
        raise NotImplementedError

    @property
    def alternatives(self) -> list[str]:
        """What a value has to be, one phrase for each thing that it may be."""
        return [self.text]

    @property
    def is_for_python(self) -> bool:
        """Whether only an object fits, which no file can hold."""
        return False

    def __call__(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Return what the constructor gets for ``value``; note what is wrong with it."""
        if self.fits(value):
            return self.read(value, path, validation)
        validation.wrong_type(path, value, self.text, hint=self.hint(value) or self._without_brackets(value))
        return value

    def _without_brackets(self, value: object) -> str:
        is_alone = isinstance(value, (list, tuple)) and len(value) == 1 and self.fits(value[0])
        return f"write {show(value[0])}, without brackets" if is_alone else ""  # type: ignore[index]

    def fits(self, value: object) -> bool:
        """Tell whether a value is of this kind, without looking inside."""
        raise NotImplementedError

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Check the inside of a value that fits."""
        return value

    def as_is(self) -> AsIs | None:
        """Return what tells at once that ``read`` would return a value as it is, if anything can.

        It may not know all such values: those that it does not know are checked in full.
        """
        return None

    def hint(self, value: object) -> str:
        """Say how to mend a value that does not fit."""
        return ""

    def example(self, loss: str) -> object:
        """Return a value that this kind accepts; ``loss`` is a name to use where one is needed."""
        raise NotImplementedError


@attrs.frozen
class Anything(Kind):
    """A parameter without an annotation, or with one that says nothing about plain data."""

    @property
    def text(self) -> str:
        return "anything"

    def fits(self, value: object) -> bool:
        return True

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        return validation.copied(value, path)

    def example(self, loss: str) -> object:
        return 1.0


@attrs.frozen
class Null(Kind):
    """Nothing: ``null`` in YAML and JSON; TOML leaves the key out."""

    @property
    def text(self) -> str:
        return "null"

    def fits(self, value: object) -> bool:
        return value is None

    def as_is(self) -> AsIs:
        return self.fits

    def example(self, loss: str) -> object:
        return None
