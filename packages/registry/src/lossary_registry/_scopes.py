"""Changes to a registry that end with a block."""

from __future__ import annotations

import contextlib
import sys

from lossary_registry import _provenance
from lossary_registry._errors import FrozenRegistryError
from lossary_registry._store import Layer, Store, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from lossary_registry._entry import Entry
    from lossary_registry._registration import Acceptance

    AnyRegistry = TypeVar("AnyRegistry")


@contextlib.contextmanager
def override(
    store: Store, name: str, item: object, *, acceptance: Acceptance, find: Callable[[str], Entry[Any]]
) -> Iterator[None]:
    """Let a name lead to something else while a block runs; ``find`` knows the names of parents, too."""
    acceptance.verify(name, item)
    layer = _begin(store, name, item, registry=acceptance.registry, find=find)
    try:
        yield
    finally:
        with writing.lock:
            _end(store, layer)


@contextlib.contextmanager
def isolated(registry: AnyRegistry, store: Store, *, empty: bool) -> Iterator[AnyRegistry]:
    """Bring a registry back at the end of a block to what it was, but for newly imported modules."""
    # A view, since it is made between two writes and not in the middle of one.
    before, frozen, pending = store.view().entries, store.frozen, store.plugins_pending
    modules = set(sys.modules)
    store.plugins_pending = pending and not empty
    store.restore({} if empty else before.copy(), frozen=False)
    try:
        yield registry
    finally:
        survivors = _find_survivors(store.view().entries, before, modules)
        store.restore({**before, **survivors}, frozen=frozen)
        store.plugins_pending = pending


def _begin(
    store: Store, name: str, item: object, *, registry: str, find: Callable[[str], Entry[Any]]
) -> Layer:
    mark = _provenance.calling_place()
    while True:
        if store.frozen:
            raise FrozenRegistryError(registry, f"override {name!r}")
        previous = store.entries.get(name)
        shown = previous or find(name)
        # Of a parent's aliases, this registry may use some for entries of its own.
        aliases = (
            shown.aliases if previous else tuple(key for key in shown.aliases if key not in store.entries)
        )
        stand_in = shown._replace(aliases=aliases, item=item, place=mark, source=None)
        with writing.lock:
            if store.swap(dict.fromkeys(stand_in.names(), previous), removed=(), added=(stand_in,)):
                layer = Layer(shown.name, mark, previous)
                store.overrides.append(layer)
                return layer


def _end(store: Store, layer: Layer) -> None:
    """Take one layer out: from the top by restoring what was below, from below by telling the one above."""
    store.overrides.remove(layer)
    stand_in = store.entries.get(layer.name)
    if stand_in is not None and layer.put(stand_in):
        below = () if layer.previous is None else (_without_what_is_taken(layer.previous, stand_in, store),)
        store.swap({}, removed=(stand_in,), added=below, even_if_frozen=True)
    for above in store.overrides:
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
