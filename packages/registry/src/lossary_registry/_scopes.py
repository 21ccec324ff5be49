"""Changes to a registry that end with a block, whatever the order in which the blocks end.

Each lies on what was there when it began, as layers do. One that ends below others is taken out of what they
lie on, and what they put in stays until they end themselves.
"""

from __future__ import annotations

import contextlib
import itertools
import sys

from lossary_registry import _provenance
from lossary_registry._errors import FrozenRegistryError
from lossary_registry._store import Store, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from typing import Any, TypeVar

    from lossary_registry._entry import Entry
    from lossary_registry._provenance import Place
    from lossary_registry._registration import Acceptance

    AnyRegistry = TypeVar("AnyRegistry")


class Override:
    """A running override: the mark of the entry that it put in, and what was there before.

    The mark is the place that began it, an object of its own. Unlike the entry it stays when somebody takes
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

    def leave(self, store: Store) -> Entry[Any] | None:
        """Restore what was there before, and return the stand-in, if it was still there."""
        stand_in = store.entries.get(self.name)
        if stand_in is None or not self.put(stand_in):
            return None
        below = () if self.previous is None else (_without_what_is_taken(self.previous, stand_in, store),)
        store.swap({}, removed=(stand_in,), added=below, even_if_frozen=True)
        return stand_in


class Block:
    """A running isolated block: the state that it began with, and the modules that were there."""

    __slots__ = ("before", "modules")

    def __init__(self, before: Store, modules: set[str]) -> None:
        self.before = before
        self.modules = modules


@contextlib.contextmanager
def override(
    store: Store, name: str, item: object, *, acceptance: Acceptance, find: Callable[[str], Entry[Any]]
) -> Iterator[None]:
    """Let a name lead to something else while a block runs; ``find`` knows the names of parents, too."""
    acceptance.verify(name, item)
    running = _begin_override(store, name, item, registry=acceptance.registry, find=find)
    try:
        yield
    finally:
        with writing.lock:
            _end_override(store, running)


@contextlib.contextmanager
def isolated(registry: AnyRegistry, store: Store, *, empty: bool) -> Iterator[AnyRegistry]:
    """Bring a registry back at the end of a block to what it was, but for newly imported modules."""
    running = _begin_block(store, empty=empty)
    try:
        yield registry
    finally:
        while not _end_block(store, running):
            pass  # another writer came first


def _begin_override(
    store: Store, name: str, item: object, *, registry: str, find: Callable[[str], Entry[Any]]
) -> Override:
    mark = _provenance.calling_place()
    while True:
        if store.frozen:
            raise FrozenRegistryError(registry, f"override {name!r}")
        previous = store.entries.get(name)
        # Of a parent's aliases, this registry may use some for entries of its own.
        stand_in = _stand_in(previous or find(name), item, mark, taken=() if previous else store.entries)
        with writing.lock:
            if store.swap(dict.fromkeys(stand_in.names(), previous), removed=(), added=(stand_in,)):
                running = Override(stand_in.name, mark, previous)
                store.scopes = (*store.scopes, running)
                return running


def _end_override(store: Store, ended: Override) -> None:
    """Take one override out: of the state of now, and of those to which the blocks above it lead back."""
    below, above = _around(ended, store.scopes)
    store.scopes = (*below, *above)
    for state in (*[scope.before for scope in above if isinstance(scope, Block)], store):
        ended.leave(state)
    for scope in above:
        if isinstance(scope, Override) and ended.put(scope.previous):
            scope.previous = ended.previous


def _begin_block(store: Store, *, empty: bool) -> Block:
    modules = set(sys.modules)
    while True:
        with writing.lock:
            view = store.view()
            before = Store(view.entries.copy(), frozen=store.frozen, plugins_pending=store.plugins_pending)
            within = Store(plugins_pending=store.plugins_pending and not empty)
            if store.restore({} if empty else view.entries.copy(), like=within, instead_of=view):
                running = Block(before, modules)
                store.scopes = (*store.scopes, running)
                return running


def _end_block(store: Store, ended: Block) -> bool:
    """Undo what one block did, up to the next block above it, and tell whether no writer came between.

    What another block found when it began is what that one leads back to.
    """
    scopes = store.scopes
    below, above = _around(ended, scopes)
    overrides = [*itertools.takewhile(lambda scope: isinstance(scope, Override), above)]
    state = store if len(overrides) == len(above) else above[len(overrides)].before
    view = state.view()
    undone, previous = _undone(ended, view.entries, overrides)
    # Whatever goes is kept until the end, here in the view, so that nobody's destructor runs under the lock.
    with writing.lock:
        if store.scopes is not scopes or not state.restore(undone, like=ended.before, instead_of=view):
            return False
        store.scopes = (*below, *above)
        for number, running in enumerate(overrides):
            running.previous, previous[number] = previous[number], running.previous
    return True


def _undone(
    ended: Block, entries: dict[str, Entry[Any]], overrides: Sequence[Override]
) -> tuple[dict[str, Entry[Any]], list[Entry[Any] | None]]:
    """Return the entries without what a block did, and what overrides that began in it lie on afterwards."""
    stripped = Store(entries.copy())
    stand_ins = [running.leave(stripped) for running in reversed(overrides)]
    before = ended.before.entries
    undone = Store({**before, **_find_survivors(stripped.entries, before, ended.modules)})
    previous = []
    for running, stand_in in zip(overrides, reversed(stand_ins), strict=True):
        shown = undone.entries.get(running.name)
        previous.append(shown)
        taken: Container[str] = ()
        if shown is None and running.previous is None:
            shown, taken = stand_in, undone.entries  # for a parent's entry, which no block here takes away
        if stand_in is not None and shown is not None and shown.name == running.name:
            again = _stand_in(shown, stand_in._item, running.mark, taken=taken)
            undone.swap({}, removed=(), added=(again,))
    return undone.entries, previous


def _around(scope: Override | Block, scopes: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the scopes that began before one, and those that began after it."""
    position = scopes.index(scope)
    return scopes[:position], scopes[position + 1 :]


def _stand_in(shown: Entry[Any], item: object, mark: Place, *, taken: Container[str]) -> Entry[Any]:
    """Return what to put in place of an entry, without aliases that are taken."""
    aliases = tuple(alias for alias in shown.aliases if alias not in taken)
    return shown._replace(aliases=aliases, item=item, place=mark, source=None)


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
    files = {_provenance.file_of_module(name) for name in imported} - {None}
    survivors = {}
    for key, entry in after.items():
        is_new = entry.target.partition(":")[0] in imported
        is_new = is_new or (entry.where is not None and entry.where[0] in files)
        if is_new and before.keys().isdisjoint(entry.names()):
            survivors[key] = entry
    return survivors
