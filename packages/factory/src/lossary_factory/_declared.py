"""What a constructor takes beyond what it names: ``**options``, where it is declared what they may be.

By a ``TypedDict``, as type checkers understand it: ``**options: Unpack[Options]``; or, where the signature
cannot be changed, by an attribute ``config_parameters`` that maps names to types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from ._annotations import evaluated, names_of

if TYPE_CHECKING:
    import inspect

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


def keys_of(typed_dict: Any) -> Iterator[tuple[str, Declared]]:  # noqa: ANN401  # a TypedDict
    """Yield the keys of a ``TypedDict``, with what stands under each."""
    names = names_of(typed_dict)
    for name, written in typed_dict.__annotations__.items():
        annotation = evaluated(written, names)
        is_required = name in typed_dict.__required_keys__
        # Python does not see these words where annotations are postponed.
        for form, says_so in (("Required", True), ("NotRequired", False)):
            if _is_form(annotation, form):
                (annotation,), is_required = get_args(annotation), says_so
        yield name, Declared(annotation, is_required)
