"""From a type to the kind of values that it means."""
# ruff: noqa: ANN401  # annotations are of any type

from __future__ import annotations

import collections
import collections.abc
import enum
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import attrs

from lossary_factory._collections import parts_of
from lossary_factory._values import FrozenList, FrozenSet

from .annotations import Unknown, is_typed_dict, keys_of
from .kinds import (
    Anything,
    Array,
    Boolean,
    Choice,
    Entries,
    Fields,
    FixedItems,
    Instance,
    Integer,
    Items,
    Kind,
    Member,
    Nested,
    Null,
    Number,
    Part,
    PathText,
    Text,
    annotated_bounds,
    any_of,
    bounded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PLAIN: dict[object, Kind] = {
    bool: Boolean(),
    int: Integer(),
    str: Text(),
    None: Null(),
    type(None): Null(),
    Any: Anything(),
    object: Anything(),
}
_LISTS: dict[object, Callable[[list[object]], object]] = {
    list: FrozenList,
    tuple: tuple,
    collections.abc.Sequence: FrozenList,
    collections.abc.MutableSequence: FrozenList,
    collections.abc.Collection: FrozenList,
    collections.abc.Iterable: FrozenList,
    set: FrozenSet,
    collections.abc.MutableSet: FrozenSet,
    frozenset: frozenset,
    collections.abc.Set: frozenset,
}
_TAKES_LISTS = (Items, FixedItems)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


@attrs.frozen
class Hints:
    """Turns types into kinds of values.

    Attributes:
        base_class: The base class of the registry, if it has one; a parameter of that type takes a loss.
        finite: Whether numbers must be finite.
        open: What is being read and may hold itself: ``TypedDict`` classes, and each ``type X = ...``.
    """

    base_class: type | None
    finite: bool = True
    open: frozenset[object] = frozenset()

    def kind(self, hint: Any) -> Kind:  # noqa: PLR0911  # a table of cases
        """Return the kind of a type; a type that says nothing about plain data accepts all of it."""
        hint = _without_new_type(hint)
        origin = get_origin(hint) or hint
        arguments = get_args(hint)
        if type(origin).__name__ == "TypeAliasType":  # of typing, or of typing_extensions
            return self._alias(origin, arguments)
        if not isinstance(origin, collections.abc.Hashable):
            return Anything()
        if origin is Annotated:
            return self._annotated(*arguments)
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is Literal:
            return _literal(arguments)
        if origin is float:
            return Number(finite=self.finite)
        if origin in _PLAIN:
            return _PLAIN[origin]
        if origin in _LISTS:
            return self._list(hint, origin, arguments)
        if origin in _MAPPINGS:
            return Entries(*map(self.kind, arguments or (Any, Any)))
        return self._class(origin)

    def _alias(self, alias: Any, arguments: Sequence[Any]) -> Kind:
        """Return the kind of what ``type X = ...`` stands for; within itself it accepts anything."""
        if alias in self.open:
            return Anything()
        try:
            meaning = _meaning(alias, arguments)
        except Exception:  # noqa: BLE001  # it is evaluated only now, and may raise anything
            return Anything()
        return attrs.evolve(self, open=self.open | {alias}).kind(meaning)

    def _annotated(self, hint: Any, *marks: object) -> Kind:
        infinite = any(getattr(mark, "allow_inf_nan", False) is True for mark in marks)
        hints = attrs.evolve(self, finite=False) if infinite else self
        return bounded(hints.kind(hint), annotated_bounds(marks))

    def _union(self, members: Sequence[Any]) -> Kind:
        """Join the members; beside one that is known, a class accepts only its own instances.

        Beside None alone it does so too, unless it is an array or its meaning is not known:
        of ``Tensor | None`` plain data can give the numbers, of ``ProcessGroup | None`` it can give nothing.
        """
        kinds = [self.kind(member) for member in members]
        if any(isinstance(kind, _TAKES_LISTS) for kind in kinds):  # which then stand for what they say
            kinds = [Instance(kind.kind) if isinstance(kind, Array) else kind for kind in kinds]
        origins = [get_origin(member) or member for member in members]
        unknown = [origin for origin, c in zip(origins, kinds, strict=True) if isinstance(c, Anything)]
        says_nothing = all(isinstance(kind, (Anything, Null)) for kind in kinds)
        if Any in members or object in members or (says_nothing and not all(map(_is_opaque, unknown))):
            return Anything()
        options = [
            Instance(origin) if isinstance(kind, Anything) else kind
            for origin, kind in zip(origins, kinds, strict=True)
            if isinstance(origin, type) or not isinstance(kind, Anything)
        ]
        if any(isinstance(kind, Array) for kind in options):  # a number is a number before it is a tensor
            options.sort(key=lambda kind: (isinstance(kind, Null), isinstance(kind, Array)))
        return any_of(options)

    def _list(self, hint: Any, origin: Any, arguments: Sequence[Any]) -> Kind:
        if origin is tuple and arguments[-1:] != (Ellipsis,) and (arguments or hasattr(hint, "__args__")):
            items = () if arguments == ((),) else arguments  # Python 3.10 has it so for an empty tuple
            return self._tuple(_flat(items))
        return Items(self.kind(arguments[0] if arguments else Any), _LISTS[origin])

    def _tuple(self, items: Sequence[Any]) -> Kind:
        place = next((place for place, item in enumerate(items) if isinstance(item, _AnyNumberOf)), None)
        if place is None:
            return FixedItems(tuple(map(self.kind, items)))
        first, last = (tuple(map(self.kind, part)) for part in (items[:place], items[place + 1 :]))
        return FixedItems(first, self.kind(items[place].hint), last)

    def _fields(self, hint: Any) -> Kind:
        if hint in self.open:
            return Entries(Text(), Anything())
        hints = attrs.evolve(self, open=self.open | {hint})
        declared = dict(keys_of(hint))
        return Fields(
            tuple(declared),
            tuple(hints.kind(each.annotation) for each in declared.values()),
            tuple(each.is_required for each in declared.values()),
        )

    def _class(self, hint: Any) -> Kind:  # noqa: PLR0911  # a table of cases
        if not isinstance(hint, type) or issubclass(hint, Unknown):
            return Anything()
        if issubclass(hint, enum.Enum):
            return Member(hint) if len(hint) else Instance(hint)  # a base of enums has no members
        # Not issubclass: the base class may be a protocol, which does not answer.
        if self.base_class is not None and self.base_class in hint.__mro__:
            return Nested(hint, is_base=hint is self.base_class)
        if is_typed_dict(hint):
            return self._fields(hint)
        if (hint.__module__, hint.__qualname__) == ("torch", "Tensor"):
            return Array(hint, self.finite)
        if hasattr(hint, "__array__"):
            return Anything()
        if hasattr(hint, "__fspath__"):
            return PathText()
        parts = parts_of(hint)
        return Part(parts.keyword, parts.registry, hint) if parts else Anything()


def _is_opaque(hint: Any) -> bool:
    """Tell whether a type is known, and has no values that lists of numbers could stand for."""
    return isinstance(hint, type) and not issubclass(hint, Unknown) and not hasattr(hint, "__array__")


def _without_new_type(hint: Any) -> Any:
    while hasattr(hint, "__supertype__") and not isinstance(hint, type):
        hint = hint.__supertype__
    return hint


def _meaning(alias: Any, arguments: Sequence[Any]) -> Any:
    """Return what ``type X[T] = ...`` stands for, with arguments in the place of its parameters."""
    meaning = alias.__value__
    if not arguments:
        return meaning
    given = dict(zip(alias.__type_params__, arguments, strict=True))
    if meaning in alias.__type_params__:
        return given[meaning]
    return meaning[tuple(given[each] for each in meaning.__parameters__)]


def _literal(options: Sequence[Any]) -> Kind:
    """Return the kind of the values of a ``Literal``: a config writes enum members by name, and no bytes."""
    members: dict[type[enum.Enum], list[str]] = {}
    for option in options:
        if isinstance(option, enum.Enum):
            members.setdefault(type(option), []).append(option.name)
    words = tuple(option for option in options if not isinstance(option, (enum.Enum, bytes)))
    return any_of(
        [
            *([Choice(words)] if words else []),
            *(Member(kind, tuple(names)) for kind, names in members.items()),
            *([Instance(bytes)] if any(isinstance(option, bytes) for option in options) else []),
        ]
    )


class _AnyNumberOf(NamedTuple):
    """A place in a tuple where any number of values may stand."""

    hint: Any


def _flat(items: Sequence[Any]) -> list[Any]:
    """Return the places of a tuple, with those of every ``*tuple[...]`` in its place."""
    flat: list[Any] = []
    for item in items:
        inner = item
        if getattr(get_origin(item), "_name", None) == "Unpack":
            (inner,) = get_args(item)
        elif getattr(item, "__unpacked__", False) is not True:
            flat.append(item)
            continue
        arguments = get_args(inner)
        if get_origin(inner) is not tuple:  # *Ts
            flat.append(_AnyNumberOf(Any))
        elif arguments[-1:] == (Ellipsis,):
            flat.append(_AnyNumberOf(arguments[0]))
        else:
            flat += _flat(arguments)
    return flat
