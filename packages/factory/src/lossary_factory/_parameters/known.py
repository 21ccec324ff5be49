"""What was read of constructors, kept for as long as the classes are there."""
# ruff: noqa: ANN401  # a class or a function

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from .constructor import Constructor, read_constructor

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_KNOWN = 4096


class _Known(NamedTuple):
    reference: Callable[[], object]
    """Gives the class, as long as anybody else needs it."""
    initializer: object
    """Its ``__init__`` when it was read; None for what is no class."""
    constructor: Constructor


_known: dict[tuple[int, int], _Known] = {}
"""What was read, by the identities of class and base class: not every class has a hash."""


def constructor_of(cls: Any, base_class: type | None) -> Constructor:
    """Return what the constructor of a class or a function takes, for a registry with this base class.

    It is read once, and again when the class gets another ``__init__``.
    """
    key = (id(cls), id(base_class))
    known = _known.get(key)
    if known is not None:
        reference, initializer, constructor = known
        if reference() is cls and (initializer is None or initializer is cls.__init__):  # type: ignore[misc]  # of this very class
            return constructor
    constructor = read_constructor(cls, base_class)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    initializer = cls.__init__ if isinstance(cls, type) else None  # type: ignore[misc]  # same
    _known[key] = _Known(_reference(cls, key), initializer, constructor)
    return constructor


def _reference(cls: Any, key: tuple[int, int]) -> Callable[[], object]:
    """Refer to a class without keeping it alive; notebooks define theirs again and again."""
    try:
        return weakref.ref(cls, lambda _reference: _known.pop(key, None))
    except TypeError:  # an object that cannot be referred to so
        return lambda: cls
