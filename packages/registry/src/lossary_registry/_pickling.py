"""Journeys to other processes: registries and entries travel as the place to import them from."""

from __future__ import annotations

import importlib
import pickle
import sys

from lossary_registry import _origin
from lossary_registry._lazy import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lossary_registry._entry import Entry
    from lossary_registry._writing import Writing


def portable_source(entry: Entry[Any]) -> Source:
    """Return where another process finds the object of an entry."""
    if entry._source is not None:
        return entry._source
    if not _origin.is_importable(entry.target):
        raise pickle.PicklingError(
            f"{entry.name!r} of {entry.registry} is {entry.target}, which no other process can import:"
            " define it at the top level of a module"
        )
    return Source(entry.target)


def find_home(registry: Writing[Any], module: str) -> tuple[str, str]:
    """Return the module and the attribute that hold a registry, looking first where it was made."""
    for name, namespace in _namespaces(module):
        for attribute, value in namespace.items():
            if value is registry:
                return name, attribute
    raise pickle.PicklingError(
        f"{registry!r} travels by reference, but no module holds it: assign it at the top level of one"
    )


def find_registry(module: str, attribute: str) -> Any:
    """Return the registry that another process told us about."""
    return getattr(importlib.import_module(module), attribute)


def _namespaces(first: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [first, *list(sys.modules)]
    for name in names:
        try:
            # A lazy module imports itself when it is asked for its __dict__ in the usual way.
            namespace = object.__getattribute__(sys.modules[name], "__dict__")
        except (AttributeError, KeyError):
            continue
        yield name, dict(namespace)
