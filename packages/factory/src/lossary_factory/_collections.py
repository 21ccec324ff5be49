"""The collections of losses that are installed, found by entry point and loaded when needed.

A distribution offers its registry in its ``pyproject.toml``:

.. code-block:: toml

    [project.entry-points."lossary.registries"]
    losses = "lossary_losses:loss_registry"

What losses are made of besides losses has registries of its own, each named by its key word:

.. code-block:: toml

    [project.entry-points."lossary.parts"]
    schedule = "lossary_losses:schedule_registry"

A parameter annotated with the base class of such a registry takes ``{schedule: NAME, PARAMETER: value}``.

Which loss to begin with for a task, the collection knows: ``metadata={"first_choice": ["regression"]}``.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from lossary_registry import Registry

from ._entry_points import EntryPoint, entry_points
from ._problems import CollectionError, did_you_mean

if TYPE_CHECKING:
    from lossary_registry import Entry

FIRST_CHOICE = "first_choice"
"""The metadata of a loss with which to begin: the tags for which it is the first choice."""

GROUP = "lossary.registries"
PARTS_GROUP = "lossary.parts"


class Parts(NamedTuple):
    """A registry of parts, and the key word that chooses from it."""

    keyword: str
    registry: Registry[Any]


@functools.cache
def installed_registry(collection: str | None = None) -> Registry[Any]:
    """Return the registry of an installed collection; of the only one where none is named.

    Raises:
        CollectionError: There is no such collection, there are several, or it does not load.
    """
    return loaded(chosen_entry(collection))


def chosen_registry(registry: Registry[Any] | None) -> Registry[Any]:
    """Return the registry that a call was given; the installed one where it was given none.

    Raises:
        TypeError: It was given something else.
    """
    if isinstance(registry, Registry):
        return registry
    if registry is not None:
        raise TypeError(f"registry is a Registry of classes, not a {type(registry).__name__}")
    return installed_registry()


def chosen_entry(collection: str | None) -> EntryPoint:
    """Return the entry point of an installed collection; of the only one where none is named.

    Raises:
        CollectionError: There is no such collection, or there are several.
    """
    offers = _installed()
    found = {entry.name: entry for entry in offers}
    if not found:
        raise CollectionError(
            "no collection of losses is installed\n"
            "    pip install 'lossary-factory[losses]' installs lossary-losses.\n"
            "    In Python, a registry of your own can be passed as registry=."
        )
    if collection is None and len(found) > 1:
        raise CollectionError(
            "several collections of losses are installed\n"
            + "".join(f"    {_described(entry)}\n" for entry in found.values())
            + "    Choose one with registry=, or with --collection NAME on the command line."
        )
    if collection is not None and collection not in found:
        raise CollectionError(
            f"no installed collection is called {collection!r}\n"
            f"    {did_you_mean(collection, found)}installed: {', '.join(found)}"
        )
    chosen = next(iter(found.values())) if collection is None else found[collection]
    # Several may offer the same object: then it does not matter which of them is asked.
    rivals = {offer.value: offer for offer in offers if offer.name == chosen.name}
    if len(rivals) > 1:
        raise CollectionError(
            f"several distributions offer a collection called {chosen.name!r}\n"
            + "".join(f"    {_described(entry)}\n" for entry in rivals.values())
            + "    Uninstall all but one of them, or pass a registry as registry=."
        )
    return chosen


def _installed() -> list[EntryPoint]:
    return entry_points(GROUP)


def parts_of(kind: type) -> Parts | None:
    """Return the registry that has the parts of a kind, if a distribution offers one.

    Whoever annotates a parameter with the kind has imported the package that offers them:
    what is not imported is not asked, and not loaded for the asking. An offer of which nothing comes has no
    parts of any kind.
    """
    for entry in _part_entries():
        if entry.module in sys.modules:
            with contextlib.suppress(CollectionError):
                registry = loaded(entry)
                if registry.base_class in kind.__mro__:
                    return Parts(entry.name, registry)
    return None


@functools.cache
def _part_entries() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(PARTS_GROUP))


def part_registry(keyword: str) -> Registry[Any]:
    """Return the registry of parts with a key word, which somebody offers."""
    return next(loaded(entry) for entry in _part_entries() if entry.name == keyword)


def loaded(entry: EntryPoint) -> Registry[Any]:
    """Import the registry that an entry point offers.

    Raises:
        CollectionError: That fails, or it is no registry.
    """
    try:
        registry = entry.load()
    except Exception as error:
        raise CollectionError(
            f"the collection {_described(entry)} does not load\n    {type(error).__name__}: {error}"
        ) from error
    if not isinstance(registry, Registry):
        raise CollectionError(f"the collection {_described(entry)} is not a Registry")
    return registry


def registered(name: str, registry: Registry[Any]) -> Any:  # noqa: ANN401  # whatever was registered
    """Return what a registry has under a name, without the warning of a name that is old.

    It is for what speaks of all names; whoever writes an old one into a config is told by a problem.

    Raises:
        UnavailableError: It cannot be imported.
    """
    entry = registry.entry(name)
    return entry.load() if entry.name in entry.deprecated else registry.get(entry.name)


def first_choice_for(entry: Entry[Any]) -> tuple[str, ...]:
    """Return the tags for which a loss is the first choice, as its registration says."""
    tags = entry.metadata.get(FIRST_CHOICE, ())
    return tuple(tags) if isinstance(tags, (list, tuple)) else ()


def _described(entry: EntryPoint) -> str:
    origin = f", from {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    return f"{entry.name} ({entry.value}{origin})"
