"""Stand-ins at run time for the parts of ``typing`` that class bodies execute.

Importing ``typing`` costs as many modules as all the rest of this package and ``threading`` together.
Type checkers never read this module: they see the imports under ``TYPE_CHECKING``.
"""

from __future__ import annotations

from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# What ``Generic[T]`` needs in order to be evaluated.
T = Item = object
Type = type


class Generic:
    """A base that can be written ``Generic[T]``, and whose subclasses can be written ``Registry[Shape]``."""

    __slots__ = ()

    def __class_getitem__(cls, parameters: object) -> object:
        return cls if cls is Generic else GenericAlias(cls, parameters)


def overload(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function: overloads speak to type checkers only."""
    return function
