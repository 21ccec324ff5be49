"""Evaluate annotations, one by one, however they were written.

``typing.get_type_hints`` gives up on a whole class when one name is imported for type checkers only.
Here such a name becomes a type of which nothing is known, and all others keep their meaning.
"""

from __future__ import annotations

import builtins
import collections.abc
import functools
import inspect
import sys
import typing
from typing import Any

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class _UnknownMeta(type):
    """Lets an unknown name be used as types are: ``Name.attribute``, ``Name[...]``, ``Name | None``."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return unknown(name)

    def __getitem__(cls, _key: object) -> type:
        return cls


class Unknown(metaclass=_UnknownMeta):
    """The base of the types that stand for names which are not there at run time."""


def unknown(name: str) -> type:
    """Make a type that stands for a name of which nothing is known."""
    return _UnknownMeta(name, (Unknown,), {})


class _Names(dict[str, Any]):
    """The names that an annotation can mean, nearest first."""

    def __init__(self, spaces: Iterable[Mapping[str, Any]]) -> None:
        super().__init__()
        self.spaces = [*spaces, vars(builtins), vars(collections.abc), vars(typing)]

    def __missing__(self, name: str) -> object:
        for space in self.spaces:
            if name in space:
                return space[name]
        return unknown(name)


def evaluated(annotation: object, names: Mapping[str, Any]) -> object:
    """Return the type that an annotation means; one that means nothing becomes an unknown type."""
    holder = type("Holder", (), {"__annotations__": {"it": annotation}})
    try:
        return typing.get_type_hints(holder, {}, names, include_extras=True)["it"]
    except Exception:  # noqa: BLE001  # an annotation is any expression, and may raise anything
        return unknown("annotation")


def names_of(cls: Any) -> Mapping[str, Any]:  # noqa: ANN401  # whatever can be called
    """Return what annotations in a class and its bases, or in a function, can refer to."""
    while isinstance(cls, functools.partial):
        cls = cls.func
    bases = getattr(cls, "__mro__", ())
    initializer = inspect.unwrap(cls.__init__ if bases else cls)
    modules = [vars(module) for base in bases if (module := sys.modules.get(base.__module__))]
    return _Names([getattr(initializer, "__globals__", {}), {getattr(cls, "__name__", ""): cls}, *modules])
