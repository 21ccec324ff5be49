"""What a parameter accepts, as JSON Schema."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lossary_factory._parameters.kinds import (
    AnyOf,
    Array,
    Boolean,
    Bound,
    Bounded,
    Choice,
    Entries,
    Fields,
    FixedItems,
    Instance,
    Integer,
    Items,
    Kind,
    Member,
    Null,
    Number,
    PathText,
    Text,
)
from lossary_factory._problems import UnwritableError
from lossary_factory._values import plain

if TYPE_CHECKING:
    from lossary_factory._parameters import Parameter

Schema = dict[str, Any]
Inner = Callable[[Kind], Schema]

_TYPES: dict[type[Kind], str | list[str]] = {
    Array: ["number", "boolean", "array"],
    Boolean: "boolean",
    Integer: "integer",
    Null: "null",
    Number: "number",
    PathText: "string",
    Text: "string",
}
_LIMITS = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}
_LENGTHS = {">=": ("minItems", "minLength"), "<=": ("maxItems", "maxLength")}


def value_schema(kind: Kind, inner: Inner) -> Schema:  # noqa: PLR0911  # a table of cases
    """Return the schema of a kind; ``inner`` gives those of the kinds inside it."""
    if type(kind) in _TYPES:
        return {"type": _TYPES[type(kind)]}
    if isinstance(kind, Choice):
        return {"enum": [plain(option) for option in kind.options]}
    if isinstance(kind, Member):
        return {"enum": _spellings(kind)}
    if isinstance(kind, Items):
        return {"type": "array", "items": inner(kind.item)}
    if isinstance(kind, FixedItems):
        return _places(kind, inner)
    if isinstance(kind, Fields):
        return _fields(kind, inner)
    if isinstance(kind, Entries):
        return {"type": "object", "additionalProperties": inner(kind.value)}
    if isinstance(kind, Bounded):
        return {**inner(kind.inner), **_limits(kind.bounds)}
    if isinstance(kind, AnyOf):
        return _any_of([inner(option) for option in kind.options if not isinstance(option, Instance)])
    return {}  # it accepts anything, or nothing that a file could hold


def _places(kind: FixedItems, inner: Inner) -> Schema:
    """Return the schema of a tuple; of the last places after any number of others it can say nothing."""
    least = len(kind.items) + len(kind.last)
    places: Schema = {"type": "array", "items": list(map(inner, kind.items)), "minItems": least}
    if kind.rest is None:
        return {**places, "maxItems": least}
    return places if kind.last else {**places, "additionalItems": inner(kind.rest)}


def _fields(kind: Fields, inner: Inner) -> Schema:
    properties = {name: inner(value) for name, value in zip(kind.names, kind.values, strict=True)}
    required = [name for name, needed in zip(kind.names, kind.required, strict=True) if needed]
    need = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **need, "additionalProperties": False}


def default_of(parameter: Parameter) -> Schema:
    """Return the default of a parameter for editors to show, if JSON can hold it."""
    if parameter.is_required:
        return {}
    try:
        default = plain(parameter.default)
    except UnwritableError:
        return {}
    is_finite = not isinstance(default, float) or math.isfinite(default)
    # That nothing is the default of what may be nothing, an editor need not say.
    return {"default": default} if default is not None and is_finite else {}


def _any_of(options: list[Schema]) -> Schema:
    """Join schemas; ``null`` beside one other reads better as a part of it."""
    if {"type": "null"} in options and len(options) == 2:  # noqa: PLR2004
        (other,) = (option for option in options if option != {"type": "null"})
        if isinstance(other.get("type"), str):
            return {**other, "type": [other["type"], "null"]}
        if other.keys() == {"enum"}:
            return {"enum": [*other["enum"], *([] if None in other["enum"] else [None])]}
    return options[0] if len(options) == 1 else {"anyOf": options}


def _spellings(kind: Member) -> list[object]:
    """List every way to write the members, the one that people are told first."""
    members = kind.members
    names = [name for name, member in kind.kind.__members__.items() if member in members]
    values = [member.value for member in members if isinstance(member.value, (bool, int, float, str))]
    return list(dict.fromkeys([*kind.spellings(), *names, *values]))


def _limits(bounds: tuple[Bound, ...]) -> Schema:
    limits: Schema = {}
    for bound in bounds:
        names = _LENGTHS.get(bound.symbol, ()) if bound.of_length else (_LIMITS[bound.symbol],)
        limits.update(dict.fromkeys(names, bound.limit))
    return limits
