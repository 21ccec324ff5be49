"""Values that become objects: nested losses, their parts, and what only Python can hold."""
# ruff: noqa: ARG002  # one signature for all kinds

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._parameters.annotations import Unknown

from .base import Kind

if TYPE_CHECKING:
    from lossary_factory._problems import ConfigPath
    from lossary_factory._validation import Validation
    from lossary_registry import Registry


def is_instance(value: object, kind: type) -> bool:
    """Tell whether a value is an object of a class of which perhaps only the name is known."""
    if issubclass(kind, Unknown):
        return any(base.__name__ == kind.__name__ for base in type(value).__mro__)
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that is for type checkers only
        return False


@attrs.frozen
class Instance(Kind):
    """An object that plain data cannot spell; a config in Python may hold it."""

    kind: type

    @property
    def text(self) -> str:
        return f"a {self.kind.__name__}"

    @property
    def is_for_python(self) -> bool:
        return True

    def fits(self, value: object) -> bool:
        return is_instance(value, self.kind)

    def example(self, loss: str) -> object:
        return None


@attrs.frozen
class Nested(Kind):
    """Another loss."""

    kind: type
    is_base: bool = True
    """Whether every loss of the registry is of this kind."""

    @property
    def text(self) -> str:
        return "a loss"

    def fits(self, value: object) -> bool:
        return isinstance(value, (str, Mapping))

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        kind = None if self.is_base else self.kind
        return validation.read_loss(value, path, kind=kind)

    def example(self, loss: str) -> object:
        return loss


@attrs.frozen
class Part(Kind):
    """A part of a loss, such as a schedule: ``{KEYWORD: NAME, PARAMETER: value}``."""

    keyword: str
    registry: Registry[Any]
    kind: type

    @property
    def text(self) -> str:
        return f"a {self.keyword}"

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:  # noqa: ANN401
        return validation.read_part(value, path, self)

    def hint(self, value: object) -> str:
        is_name = isinstance(value, str) and value in self.registry
        return f"write {{{self.keyword}: {value}}}, with its parameters beside" if is_name else ""

    def example(self, loss: str) -> object:
        return {self.keyword: self.registry.list()[0]}
