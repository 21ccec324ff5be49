"""Journeys to other processes: registries travel as the place to import them from."""

from __future__ import annotations

import importlib
import pickle
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lossary_registry._writing import Writing


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
