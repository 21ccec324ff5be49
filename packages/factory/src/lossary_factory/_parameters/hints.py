"""From a type to the kind of values that it means."""
# ruff: noqa: ANN401  # annotations are of any type

from __future__ import annotations

import collections
import collections.abc
import enum
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import attrs

from lossary_factory._collections import parts_of
from lossary_factory._values import FrozenList, FrozenSet

from .annotations import Unknown, is_typed_dict, keys_of
from .kinds import (
    Anything,
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
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


@attrs.frozen
class Hints:
    """Turns types into kinds of values.

    Attributes:
        base_class: The base class of the registry, if it has one; a parameter of that type takes a loss.
        finite: Whether numbers must be finite.
        open: The ``TypedDict`` classes that are being read, which may hold themselves.
    """

    base_class: type | None
    finite: bool = True
    open: frozenset[type] = frozenset()

    def kind(self, hint: Any) -> Kind:  # noqa: PLR0911  # a table of cases
        """Return the kind of a type; a type that says nothing about plain data accepts all of it."""
        hint = _without_alias(hint)
        origin = get_origin(hint) or hint
        arguments = get_args(hint)
        if not isinstance(origin, collections.abc.Hashable):
            return Anything()
        if origin is Annotated:
            return self._annotated(*arguments)
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is Literal:
            return Choice(arguments)
        if origin is float:
            return Number(finite=self.finite)
        if origin in _PLAIN:
            return _PLAIN[origin]
        if origin in _LISTS:
            return self._list(hint, origin, arguments)
        if origin in _MAPPINGS:
            return Entries(*map(self.kind, arguments or (Any, Any)))
        return self._class(origin)

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
        origins = [get_origin(member) or member for member in members]
        unknown = [origin for origin, c in zip(origins, kinds, strict=True) if isinstance(c, Anything)]
        says_nothing = all(isinstance(kind, (Anything, Null)) for kind in kinds)
        if Any in members or object in members or (says_nothing and not all(map(_is_opaque, unknown))):
            return Anything()
        return any_of(
            [
                Instance(origin) if isinstance(kind, Anything) else kind
                for origin, kind in zip(origins, kinds, strict=True)
                if isinstance(origin, type) or not isinstance(kind, Anything)
            ]
        )

    def _list(self, hint: Any, origin: Any, arguments: Sequence[Any]) -> Kind:
        if origin is tuple and arguments[-1:] != (Ellipsis,) and (arguments or hasattr(hint, "__args__")):
            items = () if arguments == ((),) else arguments  # Python 3.10 has it so for an empty tuple
            return FixedItems(tuple(map(self.kind, items)))
        return Items(self.kind(arguments[0] if arguments else Any), _LISTS[origin])

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
            return Member(hint)
        # Not issubclass: the base class may be a protocol, which does not answer.
        if self.base_class is not None and self.base_class in hint.__mro__:
            return Nested(hint, is_base=hint is self.base_class)
        if is_typed_dict(hint):
            return self._fields(hint)
        if hasattr(hint, "__array__"):
            return Anything()
        if hasattr(hint, "__fspath__"):
            return PathText()
        parts = parts_of(hint)
        return Part(parts.keyword, parts.registry, hint) if parts else Anything()


def _is_opaque(hint: Any) -> bool:
    """Tell whether a type is known, and has no values that lists of numbers could stand for."""
    return isinstance(hint, type) and not issubclass(hint, Unknown) and not hasattr(hint, "__array__")


def _without_alias(hint: Any) -> Any:
    """Return what a ``NewType`` or a ``type X = ...`` stands for."""
    while True:
        meaning = getattr(hint, "__supertype__", None) or getattr(hint, "__value__", None)
        if meaning is None or isinstance(hint, type):
            return hint
        hint = meaning
