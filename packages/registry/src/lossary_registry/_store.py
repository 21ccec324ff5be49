"""The state of a registry with the snapshots of it, and the only code that changes what its names mean.

Readers take no lock. ``objects`` answers a look-up with one dictionary access; ``entries`` knows every name.
Single reads and writes of a dictionary with string keys are atomic with and without the GIL, so it is enough
that writers exclude each other and write in an order in which every moment in between can be read.

A writer decides what to change without the lock, since deciding may run other people's code (a base class's
``__subclasscheck__``, an ``__eq__`` in metadata), and then applies the decision under the lock if what it was
based on still stands. A signal handler or a destructor that registers does so in the middle of a write, lock
or not: nothing iterates over what may change, and what was made of a copy counts only if the copy still does.

Listings are made once of a view, which is what was there at one moment, and thrown away at the next change.
"""

from __future__ import annotations

import os
import threading
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
    from typing import Any

    from lossary_registry._entry import Entry


class _Writing:
    """The one lock of all writers: registrations are short, and one lock has no order to get wrong."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forget whoever holds the lock."""
        self.lock = threading.RLock()

    def acquire(self) -> None:
        """Wait until nobody writes."""
        self.lock.acquire()

    def release(self) -> None:
        """Let others write."""
        self.lock.release()


writing = _Writing()
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows cannot fork
    # A fork waits for the end of a write. The child would inherit half of it, and a lock held by nobody.
    os.register_at_fork(before=writing.acquire, after_in_parent=writing.release, after_in_child=writing.renew)


class View:
    """A frozen copy of the entries, with the sorted names and the tag index made on demand.

    Two threads that make the same listing at once both make it and get equal ones: no lock is needed.
    Iterating gives every name and alias that somebody may be sent to.
    """

    __slots__ = ("__weakref__", "_canonical", "_index", "_merged", "_names", "entries")

    def __init__(self, entries: dict[str, Entry[Any]]) -> None:
        """Take over a dictionary of every name and alias."""
        self.entries = entries
        self._merged: MutableMapping[View, View] | None = None
        self._canonical: Mapping[str, Entry[Any]] | None = None
        self._names: list[str] | None = None
        self._index: dict[str, list[str]] | None = None

    @property
    def canonical(self) -> Mapping[str, Entry[Any]]:
        """The entries by canonical name, in the order of registration."""
        if self._canonical is None:
            named = {key: entry for key, entry in self.entries.items() if entry.name == key}
            self._canonical = MappingProxyType(named)
        return self._canonical

    @property
    def names(self) -> list[str]:
        """The canonical names, sorted. Whoever hands it out copies it."""
        if self._names is None:
            self._names = sorted(self.canonical)
        return self._names

    @property
    def index(self) -> dict[str, list[str]]:
        """The sorted canonical names of each tag. Whoever hands it out copies it."""
        if self._index is None:
            index: dict[str, list[str]] = {}
            for name in self.names:
                for tag in self.canonical[name].tags:
                    index.setdefault(tag, []).append(name)
            self._index = index
        return self._index

    def below(self, own: View) -> View:
        """Return this view with another on top of it: what a child registry knows.

        It lives as long as both do, so that it keeps alive nothing that either registry gave up.
        """
        if self._merged is None:
            import weakref  # noqa: PLC0415 - few registries have a parent

            self._merged = weakref.WeakKeyDictionary()
        merged = self._merged.get(own)
        if merged is None:
            merged = self._merged[own] = View({**self.entries, **own.entries})
        return merged

    def tagged(self, tag: str) -> list[str]:
        """Return the sorted names that have a tag, or any tag that a pattern with ``* ? [`` matches."""
        if tag in self.index or not is_pattern(tag):
            return self.index.get(tag, [])
        matches = matcher(tag)
        return sorted({name for known, names in self.index.items() if matches(known) for name in names})

    def select(
        self, any_of: Iterable[str], all_of: Iterable[str], none_of: Iterable[str], pattern: str | None
    ) -> list[str]:
        """Return the sorted names that satisfy every condition given."""
        left = set(self.names)
        if any_of:
            left &= {name for tag in any_of for name in self.tagged(tag)}
        for tag in all_of:
            left.intersection_update(self.tagged(tag))
        for tag in none_of:
            left.difference_update(self.tagged(tag))
        if pattern is not None:
            left = set(filter(matcher(pattern), left))
        return sorted(left)

    def __iter__(self) -> Iterator[str]:
        return (key for key, entry in self.entries.items() if key not in entry.deprecated)

    # An error holds the view of its moment; in another process the names are enough.
    def __reduce__(self) -> tuple[type[tuple[str, ...]], tuple[list[str]]]:
        return tuple, (list(self),)


class Store:
    """Names and what they lead to.

    Attributes:
        objects: Every name that can be answered at once, and its object.
        entries: Every name and alias, and its record.
        version: Grows with every change to what a name means.
        frozen: Whether changes are refused.
        cached: The state as it was when somebody last asked, unless it has changed since.
        plugins_pending: Whether installed distributions are still to be asked for what they offer.
        scopes: The changes that end with a block and whose blocks run now, in the order in which they began.
    """

    __slots__ = ("cached", "entries", "frozen", "objects", "plugins_pending", "scopes", "version")

    def __init__(
        self,
        entries: dict[str, Entry[Any]] | None = None,
        *,
        frozen: bool = False,
        plugins_pending: bool = False,
    ) -> None:
        self.objects: dict[str, Any] = {}
        self.entries = entries or {}
        self.version = 0
        self.frozen = frozen
        self.cached: View | None = None
        self.plugins_pending = plugins_pending
        self.scopes: tuple[Any, ...] = ()

    def view(self) -> View:
        """Return the state of now."""
        view = self.cached
        while view is None:
            with writing.lock:
                version, copied = self.version, View(self.entries.copy())
                if self.version == version:
                    view = self.cached = copied
        return view

    def add(self, entry: Entry[Any]) -> bool:
        """Put in an entry if nobody holds any of its names, and tell whether that was so."""
        names = entry.names()
        with writing.lock:
            if self.frozen or not self.entries.keys().isdisjoint(names):
                return False
            for key in names:
                self._put(key, entry)
            self.cached = None
            self.version += 1
        return True

    def swap(
        self,
        expected: Mapping[str, Entry[Any] | None],
        removed: Iterable[Entry[Any]],
        added: Sequence[Entry[Any]],
        *,
        even_if_frozen: bool = False,
    ) -> bool:
        """Exchange entries, if the keys still lead where the decision to exchange them thought they do.

        A record is replaced under all of its names at once, so finding it under one of them is enough.

        Returns:
            Whether it was done. False means that another writer came first: decide again.
        """
        fresh = {key: entry for entry in added for key in entry.names()}
        with writing.lock:
            if self.frozen and not even_if_frozen:
                return False
            if any(self.entries.get(key) is not entry for key, entry in expected.items()):
                return False
            self._promote([entry.name for entry in added if self._is_alias(entry.name)])
            self._write(fresh, stale=[key for entry in removed for key in entry.names() if key not in fresh])
            self.version += 1
        return True

    def fill(self, offered: Iterable[Entry[Any]]) -> None:
        """Put in the entries whose names nobody holds; a frozen registry takes none."""
        with writing.lock:
            fresh = {entry.name: entry for entry in offered if entry.name not in self.entries}
            if fresh and not self.frozen:
                self._write(fresh, ())
                self.version += 1

    def publish(self, loaded: Entry[Any], instead_of: Entry[Any]) -> None:
        """Put what a lazy entry was found to be in its place, unless that place was taken meanwhile.

        What the names mean stays the same, so this is no change: it does not count as a version, and a
        frozen registry does it as well.
        """
        with writing.lock:
            free = [key for key in loaded.names() if self.entries.get(key) is instead_of]
            self._write(dict.fromkeys(free, loaded), ())

    def freeze(self) -> None:
        """Refuse changes from now on."""
        with writing.lock:
            self.frozen = True

    def restore(self, entries: dict[str, Entry[Any]], *, like: Store, instead_of: View) -> bool:
        """Make the entries what they are in a dictionary of all keys, and the rest as in another store.

        Returns:
            Whether it was done. False means that what is there is no longer what the view shows.
        """
        with writing.lock:
            if self.cached is not instead_of:
                return False
            # A new dictionary, since the order of registration is part of what comes back.
            self.entries = entries
            for key in tuple(self.objects):
                if key not in entries:
                    self.objects.pop(key, None)
            for key, entry in tuple(entries.items()):
                self._put(key, entry)
            self.frozen, self.plugins_pending = like.frozen, like.plugins_pending
            self.version += 1
            self.cached = None
        return True

    def _is_alias(self, key: str) -> bool:
        return key in self.entries and self.entries[key].name != key

    def _promote(self, aliases: Sequence[str]) -> None:
        """Move aliases that become names to the end: the order of keys is the order of registration."""
        while aliases:
            view = self.view()
            moved = {key: view.entries[key] for key in aliases if key in view.entries}
            rest = {key: entry for key, entry in view.entries.items() if key not in moved}
            entries = {**rest, **moved}
            if self.cached is view:
                self.entries = entries
                break

    def _write(self, fresh: Mapping[str, Entry[Any]], stale: Sequence[str]) -> None:
        # A name comes before its aliases, and goes after them.
        for key in reversed(stale):
            self.objects.pop(key, None)
            del self.entries[key]
        for key, entry in fresh.items():
            self._put(key, entry)
        self.cached = None

    def _put(self, key: str, entry: Entry[Any]) -> None:
        self.entries[key] = entry
        if entry._item is not None and key not in entry.deprecated:
            self.objects[key] = entry._item
        else:
            # It has to be loaded, or to warn: a look-up has more to do than to answer.
            self.objects.pop(key, None)


def is_pattern(text: str) -> bool:
    """Tell whether a text has wildcards."""
    return any(wildcard in text for wildcard in "*?[")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a whole text matches a pattern, case and all."""
    import fnmatch  # noqa: PLC0415 - brings `re` along, and few programs use patterns
    import re  # noqa: PLC0415

    matches = re.compile(fnmatch.translate(pattern)).match
    return lambda text: matches(text) is not None
