"""All that is known of one registered loss, as plain data."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from lossary_factory._collections import chosen_registry
from lossary_factory._parameters import Parameter, constructor_of
from lossary_factory._problems import UnwritableError
from lossary_factory._values import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from lossary_registry import Registry


def describe(name: str, *, registry: Registry[Any] | None = None) -> dict[str, Any]:
    """Describe a loss as plain data, which JSON can hold.

    Args:
        name: A name or an alias.
        registry: Where it is looked up; the installed collection if None.

    Returns:
        ``name``, ``summary``, ``class``, ``aliases``, ``tags``, and for each of the ``parameters`` what it
        ``accepts``, whether it is ``required``, and its ``default`` where plain data can spell it.

    Raises:
        UnknownNameError: Nobody registered the name.
        UnavailableError: It is registered, but something that it needs is missing or broken.
        CollectionError: No registry was given, and not exactly one collection is installed.
    """
    registry = chosen_registry(registry)
    entry = registry.entry(name)
    loss_class: Any = entry.load()
    return {
        "name": entry.name,
        "summary": summary(loss_class),
        "class": entry.target,
        "aliases": list(entry.aliases),
        "tags": list(entry.tags),
        "parameters": {
            parameter.name: _described(parameter)
            for parameter in constructor_of(loss_class, registry.base_class).offered
        },
    }


def summary(loss_class: Callable[..., object]) -> str:
    """Return the first line of a class's own docstring; whatever else stands in its place says nothing."""
    written = loss_class.__doc__
    return (inspect.cleandoc(written if isinstance(written, str) else "").splitlines() or [""])[0]


def _described(parameter: Parameter) -> dict[str, Any]:
    about = {"accepts": parameter.kind.text, "required": parameter.is_required}
    try:
        return about if parameter.is_required else {**about, "default": plain(parameter.default)}
    except UnwritableError:
        return about
