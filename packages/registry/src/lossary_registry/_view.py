"""What a registry held at one moment. Listings are made of it once, and thrown away at the next change."""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from lossary_registry._entry import Entry


class View:
    """A frozen copy of the entries, with the sorted names and the tag index made on demand.

    Two threads that make the same listing at once both make it and get equal ones: no lock is needed.
    Iterating gives every name and alias that somebody may be sent to.
    """

    __slots__ = ("_canonical", "_index", "_names", "entries", "sources")

    def __init__(self, entries: dict[str, Entry[Any]], sources: tuple[View, ...] = ()) -> None:
        """Take over a dictionary of every name and alias; ``sources`` are the views it was merged from."""
        self.entries = entries
        self.sources = sources
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


def is_pattern(text: str) -> bool:
    """Tell whether a text has wildcards."""
    return any(wildcard in text for wildcard in "*?[")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a whole text matches a pattern, case and all."""
    import fnmatch  # noqa: PLC0415 - brings `re` along, and few programs use patterns
    import re  # noqa: PLC0415

    matches = re.compile(fnmatch.translate(pattern)).match
    return lambda text: matches(text) is not None
