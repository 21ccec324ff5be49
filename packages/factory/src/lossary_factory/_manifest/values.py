"""Kinds of values as plain data, and back: the name of the class, and its fields."""
# ruff: noqa: ANN401  # fields may be anything

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._parameters import kinds, unknown
from lossary_factory._parameters.kinds import Array, Bound, Instance, Kind, Nested, Part
from lossary_factory._values import FrozenList, FrozenSet
from lossary_registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (getattr(kinds, name) for name in kinds.__all__) if attrs.has(kind)
}
_MAKERS: dict[str, Any] = {
    "list": FrozenList,
    "tuple": tuple,
    "set": FrozenSet,
    "frozenset": frozenset,
}


def encode(value: Any) -> Any:
    """Return a kind, or the value of one of its fields, as plain data."""
    if isinstance(value, (Kind, Bound)):
        kind: Any = type(value)
        fields = {field.name: getattr(value, field.name) for field in attrs.fields(kind)}
        kept = {name: encode(field) for name, field in fields.items() if not isinstance(field, Registry)}
        return {"is": kind.__name__, **kept}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if value in _MAKERS.values():
        return next(name for name, maker in _MAKERS.items() if maker is value)
    if isinstance(value, type) and issubclass(value, enum.Enum):
        members: dict[str, enum.Enum] = dict(value.__members__)
        return {
            "enum": value.__name__,
            "members": {name: _plain(member.value) for name, member in members.items()},
        }
    if isinstance(value, type):
        return target(value)
    return {"float": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def target(cls: type) -> str:
    """Return where a class is defined."""
    return f"{cls.__module__}:{cls.__qualname__}"


def _plain(value: object) -> object:
    """Return the value of a member of an enum; one that is no plain data is known by its name alone."""
    return value if isinstance(value, (bool, int, float, str)) else [repr(value)]


@attrs.frozen
class Decoder:
    """Makes kinds of values of plain data.

    Attributes:
        kind: Gives the class that stands for one, by where that is defined.
        parts: The registries of parts by their key words.
    """

    kind: Callable[[str], type]
    parts: dict[str, Registry[Any]]

    def decode(self, data: Any) -> Any:
        """Return the kind, or the value of a field, that ``encode`` made this of."""
        if isinstance(data, list):
            return tuple(map(self.decode, data))
        if not isinstance(data, dict):
            return data
        if "float" in data:
            return float(data["float"])
        if "enum" in data:
            members = {
                name: repr(value) if isinstance(value, list) else value
                for name, value in data["members"].items()
            }
            return enum.Enum(data["enum"], members)
        kind = _KINDS[data["is"]]
        fields = {name: self.decode(value) for name, value in data.items() if name != "is"}
        if "make" in fields:
            fields["make"] = _MAKERS[fields["make"]]
        if kind in (Array, Instance):
            fields["kind"] = unknown(fields["kind"].rpartition(":")[2].rpartition(".")[2])
        elif kind in (Nested, Part):
            fields["kind"] = self.kind(fields["kind"])
        if kind is Part:
            fields["registry"] = self.parts[fields["keyword"]]
        return kind(**fields)
