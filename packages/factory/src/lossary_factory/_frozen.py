"""Mappings, lists and sets that do not change, and can be hashed like the values in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = TypeVar("Kind", bound=type)
Key = TypeVar("Key")
Value = TypeVar("Value")

_SHARED = ("__delitem__", "__setitem__", "clear", "pop")


def _refuse(self: object, *_arguments: object, **_named: object) -> NoReturn:
    raise TypeError(f"a {type(self).__name__} does not change")


def _unchanging(*methods: str) -> Callable[[Kind], Kind]:
    """Make a class refuse what changes its base class."""

    def decorate(cls: Kind) -> Kind:
        for method in (*_SHARED, *methods):
            setattr(cls, method, _refuse)
        return cls

    return decorate


@_unchanging("__ior__", "popitem", "setdefault", "update")
class FrozenDict(dict[Key, Value]):
    """A dict that refuses to change: equal to a dict with the same entries."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none because it changes
        return hash(frozenset(self.items()))

    def __deepcopy__(self, _memo: object) -> FrozenDict[Key, Value]:
        return self

    def __reduce__(self) -> tuple[type, tuple[dict[Key, Value]]]:
        return FrozenDict, (dict(self),)


@_unchanging("__iadd__", "__imul__", "append", "extend", "insert", "remove", "reverse", "sort")
class FrozenList(list[Value]):
    """A list that refuses to change: equal to a list with the same items."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a list has none because it changes
        return hash(tuple(self))

    def __deepcopy__(self, _memo: object) -> FrozenList[Value]:
        return self

    def __reduce__(self) -> tuple[type, tuple[list[Any]]]:
        return FrozenList, (list(self),)


class FrozenSet(frozenset[Value]):
    """A set that does not change, in the place of one that does: a constructor gets a ``set`` for it."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[list[Any]]]:
        return FrozenSet, (list(self),)
