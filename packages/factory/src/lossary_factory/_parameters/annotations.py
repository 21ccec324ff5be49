"""What annotations say of a constructor's parameters, however they were written.

``typing.get_type_hints`` gives up on a whole class when one name is imported for type checkers only.
Here they are evaluated one by one: such a name becomes a type of which nothing is known, and all others keep
their meaning.

What a constructor takes beyond what it names is declared by a ``TypedDict``, as type checkers understand it:
``**options: Unpack[Options]``; or, where the signature cannot be changed, by an attribute
``config_parameters`` that maps names to types.
"""

from __future__ import annotations

import builtins
import collections.abc
import functools
import inspect
import sys
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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


ATTRIBUTE = "config_parameters"


class Declared(NamedTuple):
    """One keyword argument that the signature does not name."""

    annotation: object
    is_required: bool


def declared(
    cls: Any,  # noqa: ANN401  # a class or a function
    keywords: inspect.Parameter,
    names: Mapping[str, Any],
) -> dict[str, Declared] | None:
    """Return what ``**keywords`` may be; None where that is not declared.

    Raises:
        TypeError: There is a declaration that cannot be read.
    """
    attribute = getattr(cls, ATTRIBUTE, None)
    if attribute is None:
        annotation = evaluated(keywords.annotation, names)
        if not _is_form(annotation, "Unpack"):
            return None
        (attribute,) = get_args(annotation)
    if is_typed_dict(attribute):
        return dict(keys_of(attribute))
    if isinstance(attribute, Mapping) and all(isinstance(name, str) for name in attribute):
        return {name: Declared(evaluated(hint, names), is_required=False) for name, hint in attribute.items()}
    raise TypeError(f"its {ATTRIBUTE} do not map names to types")


def is_typed_dict(value: object) -> bool:
    """Tell whether a value is a class that was declared as a ``TypedDict``."""
    return isinstance(value, type) and issubclass(value, dict) and hasattr(value, "__required_keys__")


def _is_form(annotation: object, name: str) -> bool:
    """Tell whether an annotation is ``Unpack[...]`` or the like, of typing or of typing_extensions."""
    return getattr(get_origin(annotation), "_name", None) == name


_QUALIFIERS: dict[Any, Callable[[bool], bool]] = {
    "Required": lambda _is_required: True,
    "NotRequired": lambda _is_required: False,
    "ReadOnly": lambda is_required: is_required,
}
"""What may stand around the type of a key, and whether the key is then required."""


def keys_of(typed_dict: Any) -> Iterator[tuple[str, Declared]]:  # noqa: ANN401  # a TypedDict
    """Yield the keys of a ``TypedDict``, with what stands under each."""
    names = names_of(typed_dict)
    for name, written in typed_dict.__annotations__.items():
        annotation = evaluated(written, names)
        is_required = name in typed_dict.__required_keys__
        # Python does not see these words where annotations are postponed.
        while (form := getattr(get_origin(annotation), "_name", None)) in _QUALIFIERS:
            (annotation,) = get_args(annotation)
            is_required = _QUALIFIERS[form](is_required)
        yield name, Declared(annotation, is_required)
