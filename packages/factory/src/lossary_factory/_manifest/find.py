"""Find the manifest of an installed collection."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from typing import TYPE_CHECKING, Any

from lossary_factory._collections import chosen_entry, installed_registry

from .make import FORMAT
from .read import read_manifest

if TYPE_CHECKING:
    from lossary_factory._entry_points import EntryPoint
    from lossary_registry import Registry

FILE = "lossary-manifest.json"
"""The name of the file, in the folder of the package that the entry point names."""

MIGRATIONS = "lossary-migrations.json"
"""The name of the file beside it that says what losses of other libraries are of these."""


@functools.cache
def described_registry(collection: str | None = None) -> Registry[Any]:
    """Return the registry of an installed collection by its manifest; without a current one, the real one.

    Raises:
        CollectionError: There is no such collection, there are several, or it does not load.
    """
    entry = chosen_entry(collection)
    manifest = _beside(entry, FILE, FORMAT)
    if manifest is None:
        return installed_registry(collection)
    origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    try:
        return read_manifest(manifest, origin, functools.partial(installed_registry, collection))
    except Exception:  # noqa: BLE001  # it is JSON of any shape, and does not say what it should
        return installed_registry(collection)


def described_migrations(collection: str | None = None) -> dict[str, Any] | None:
    """Return what an installed collection knows of other libraries, if it knows anything.

    Raises:
        CollectionError: There is no such collection, or there are several.
    """
    return _beside(chosen_entry(collection), MIGRATIONS, 1)


def _beside(entry: EntryPoint, file: str, form: int) -> dict[str, Any] | None:
    """Return a file beside the package of an entry point, if there is a sound one of its version."""
    # The top of a dotted name is found without importing anything.
    found = importlib.util.find_spec(entry.module.partition(".")[0])
    for folder in (found.submodule_search_locations or ()) if found else ():
        try:
            with open(os.path.join(folder, file), encoding="utf-8") as stream:  # noqa: PTH118, PTH123  # pathlib is slow
                data = json.load(stream)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(data, dict):
            return None
        is_current = entry.dist is not None and data.get("version") == entry.dist.version
        return data if is_current and data.get("format") == form else None
    return None
