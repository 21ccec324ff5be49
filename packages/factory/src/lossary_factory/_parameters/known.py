"""What was read of constructors, kept for as long as the classes are there."""
# ruff: noqa: ANN401  # a class or a function

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from .constructor import read_constructor

if TYPE_CHECKING:
    from .constructor import Constructor

_MOST_KNOWN = 4096


class _Known(NamedTuple):
    initializer: object
    """The ``__init__`` of the class when it was read; None for what is no class."""
    constructor: Constructor
    holder: object
    """What takes the entry away when the class goes, before its identity can be that of another one."""


_known: dict[tuple[int, int], _Known] = {}
"""What was read, by the identities of class and base class: not every class has a hash."""


def constructor_of(cls: Any, base_class: type | None) -> Constructor:
    """Return what the constructor of a class or a function takes, for a registry with this base class.

    It is read once, and again when the class gets another ``__init__``.
    """
    key = (id(cls), id(base_class))
    known = _known.get(key)
    if known is not None:
        initializer = known[0]
        if initializer is cls.__init__ or initializer is None:
            return known[1]
    constructor = read_constructor(cls, base_class)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    initializer = cls.__init__ if isinstance(cls, type) else None  # type: ignore[misc]  # of this very class
    _known[key] = _Known(initializer, constructor, _holder(cls, key))
    return constructor


def _holder(cls: Any, key: tuple[int, int]) -> object:
    """Refer to a class without keeping it alive; notebooks define theirs again and again."""
    try:
        return weakref.ref(cls, lambda _reference: _known.pop(key, None))
    except TypeError:  # an object that cannot be referred to so
        return cls
