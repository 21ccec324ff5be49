"""Values as a spec holds them: they do not change, can be hashed, and can be written and built."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from ._problems import UnwritableError, show

if TYPE_CHECKING:
    from collections.abc import Callable

MAPPINGS = (dict, Mapping)
"""What a mapping is an instance of; almost all are dicts, and to ask that first takes half the time."""


Class = TypeVar("Class", bound=type)
Key = TypeVar("Key")
Value = TypeVar("Value")

SCALARS = frozenset({bool, int, float, str, type(None)})

_SHARED = ("__delitem__", "__setitem__", "clear", "pop")


def _refuse(self: object, *_arguments: object, **_named: object) -> NoReturn:
    raise TypeError(f"a {type(self).__name__} does not change")


def _unchanging(*methods: str) -> Callable[[Class], Class]:
    """Make a class refuse what changes its base class."""

    def decorate(cls: Class) -> Class:
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


class Unbuilt:
    """What a config describes and nobody has built yet: the base of specs."""

    __slots__ = ()

    def build(self) -> Any:  # noqa: ANN401  # whatever was registered
        """Call the constructor."""
        raise NotImplementedError

    def to_dict(self, *, defaults: bool = False) -> dict[str, Any]:
        """Write it as plain data."""
        raise NotImplementedError


@attrs.frozen
class Numbers(Unbuilt):
    """The numbers of a tensor, in lists that do not change."""

    value: object

    def build(self) -> Any:  # noqa: ANN401  # a tensor, of a package that this one does not know
        """Make the tensor, as ``torch.tensor`` does; whoever asks for one has imported torch."""
        return sys.modules["torch"].tensor(self.value)

    def to_dict(self, *, defaults: bool = False) -> Any:  # noqa: ANN401, ARG002  # plain data, though no dict
        """Write the numbers as lists."""
        return plain(self.value)


def holds_unbuilt(value: object) -> bool:
    """Tell whether a checked value is a nested loss or part, or contains one."""
    if isinstance(value, dict):
        return any(map(holds_unbuilt, value.values()))
    if isinstance(value, (list, tuple, frozenset)):
        return any(map(holds_unbuilt, value))
    return isinstance(value, Unbuilt)


def built(value: Any) -> Any:  # noqa: ANN401, PLR0911  # what a constructor takes
    """Build the losses in a value, and copy its containers: a constructor may keep and change them."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if isinstance(value, Unbuilt):
        return value.build()
    if kind is FrozenDict:
        return {key: built(item) for key, item in value.items()}
    if kind is FrozenList:
        return [built(item) for item in value]
    if kind is tuple:
        return tuple(map(built, value))
    if isinstance(value, frozenset):  # what is in it can be hashed as it is, and once copied perhaps not
        items = {item.build() if isinstance(item, Unbuilt) else item for item in value}
        return items if kind is FrozenSet else frozenset(items)
    return value


def plain(value: Any, place: str = "a value") -> Any:  # noqa: ANN401, PLR0911  # a table of cases
    """Write a checked value as plain data.

    Raises:
        UnwritableError: It is an object, or holds one.
    """
    if isinstance(value, Unbuilt):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value.value, str) else value.name
    if isinstance(value, Mapping):
        return {_plain_key(key, place): plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, frozenset):  # in an order that is always the same
        return sorted((plain(item, place) for item in value), key=repr)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise UnwritableError(f"{place} is an object of type {type(value).__name__}, which no config can spell")


def _plain_key(key: object, place: str) -> object:
    if key is not None and not isinstance(key, (bool, int, float, str, enum.Enum, os.PathLike)):
        raise UnwritableError(f"{place} has {show(key)} as a key, which no config can spell")
    return plain(key, place)
