"""Changes to a registry that end with a block."""

from __future__ import annotations

import contextlib
import sys

from lossary_registry import _provenance
from lossary_registry._errors import FrozenRegistryError
from lossary_registry._store import writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    from lossary_registry._entry import Entry
    from lossary_registry._provenance import Place
    from lossary_registry._store import Store
    from lossary_registry._writing import Writing

    AnyRegistry = TypeVar("AnyRegistry", bound=Writing[Any])


class Layer:
    """One running override: the mark of the entry that it put in, and what was there before.

    The mark is the place that begun it, an object of its own. Unlike the entry it stays when somebody takes
    an alias away from the stand-in.
    """

    __slots__ = ("mark", "name", "previous")

    def __init__(self, name: str, mark: Place, previous: Entry[Any] | None) -> None:
        self.name = name
        self.mark = mark
        self.previous = previous

    def put(self, entry: Entry[Any] | None) -> bool:
        """Tell whether an entry is the one that this override put in."""
        return entry is not None and entry._place is self.mark


@contextlib.contextmanager
def override(registry: Writing[Any], name: str, item: object) -> Iterator[None]:
    """Let a name lead to something else while a block runs."""
    layer = _begin(registry, name, item)
    try:
        yield
    finally:
        with writing.lock:
            _end(registry, layer)


@contextlib.contextmanager
def isolated(registry: AnyRegistry, *, empty: bool) -> Iterator[AnyRegistry]:
    """Bring a registry back at the end of a block to what it was, but for newly imported modules."""
    store = registry._store
    # A view, since it is made between two writes and not in the middle of one.
    before, frozen, pending = store.view().entries, store.frozen, registry._plugins_pending
    modules = set(sys.modules)
    registry._plugins_pending = pending and not empty
    store.restore({} if empty else before.copy(), frozen=False)
    try:
        yield registry
    finally:
        survivors = _find_survivors(store.view().entries, before, modules)
        store.restore({**before, **survivors}, frozen=frozen)
        registry._plugins_pending = pending


def _begin(registry: Writing[Any], name: str, item: object) -> Layer:
    registry._acceptance.verify(name, item)
    store, mark = registry._store, _provenance.calling_place()
    while True:
        if store.frozen:
            raise FrozenRegistryError(registry.name, f"override {name!r}")
        previous = store.entries.get(name)
        shown = previous or registry.entry(name)
        # Of a parent's aliases, this registry may use some for entries of its own.
        aliases = (
            shown.aliases if previous else tuple(key for key in shown.aliases if key not in store.entries)
        )
        stand_in = shown._replace(aliases=aliases, item=item, place=mark, source=None)
        with writing.lock:
            if store.swap(dict.fromkeys(stand_in.names(), previous), removed=(), added=(stand_in,)):
                layer = Layer(shown.name, mark, previous)
                registry._overrides.append(layer)
                return layer


def _end(registry: Writing[Any], layer: Layer) -> None:
    """Take one layer out: from the top by restoring what was below, from below by telling the one above."""
    store = registry._store
    registry._overrides.remove(layer)
    stand_in = store.entries.get(layer.name)
    if stand_in is not None and layer.put(stand_in):
        below = () if layer.previous is None else (_without_what_is_taken(layer.previous, stand_in, store),)
        store.swap({}, removed=(stand_in,), added=below, even_if_frozen=True)
    for above in registry._overrides:
        if layer.put(above.previous):
            above.previous = layer.previous


def _without_what_is_taken(previous: Entry[Any], stand_in: Entry[Any], store: Store) -> Entry[Any]:
    """Return what to restore, without the aliases that something else took while the stand-in was there."""
    taken = {alias for alias in previous.aliases if store.entries.get(alias, stand_in) is not stand_in}
    return previous._without(taken) if taken else previous


def _find_survivors(
    after: dict[str, Entry[Any]], before: dict[str, Entry[Any]], modules: set[str]
) -> dict[str, Entry[Any]]:
    """Return what modules registered that were imported within the block and are there to stay.

    What was there before the block goes first: an entry that would need one of its names does not survive.
    """
    imported = set(sys.modules) - modules
    files = {_file_of(name) for name in imported} - {None}
    survivors = {}
    for key, entry in after.items():
        is_new = entry.target.partition(":")[0] in imported
        is_new = is_new or (entry.where is not None and entry.where[0] in files)
        if is_new and before.keys().isdisjoint(entry.names()):
            survivors[key] = entry
    return survivors


def _file_of(module: str) -> Any:
    try:
        # A lazy module imports itself when it is asked for an attribute in the usual way.
        return object.__getattribute__(sys.modules[module], "__file__")
    except (AttributeError, KeyError):
        return None
