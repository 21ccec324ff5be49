"""Plugins: what installed distributions offer a registry under an entry point group."""

from __future__ import annotations

from importlib import metadata

from lossary_registry._entry import Entry
from lossary_registry._source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def find_plugins(group: str, registry: str) -> list[Entry[Any]]:
    """Return a lazy entry per name offered in a group. No plugin is imported, so none can break this."""
    found: dict[str, Source] = {}
    for offer, distribution in _offers(group):
        if not offer.name.strip():
            continue  # nobody could ask for it
        source = _source_of(offer, distribution)
        first = found.setdefault(offer.name, source)
        if first.target != source.target:
            found[offer.name] = _claimed_twice(first, source)
    return [Entry(name, registry=registry, source=source) for name, source in found.items()]


def _offers(group: str) -> Iterator[tuple[metadata.EntryPoint, str]]:
    """Yield the entry points of a group, each with the name and version of its distribution.

    ``metadata.entry_points`` would do, but for one thing: it fails if any distribution, of whatever kind, has
    a file that cannot be read.
    """
    seen = set()
    for distribution in metadata.distributions():
        try:
            offers = [*distribution.entry_points.select(group=group)]
            # Its name takes longer to read than all of its entry points.
            name, version = (distribution.name, distribution.version) if offers else ("", "")
        except Exception:  # noqa: BLE001, S112 - any error there means that this distribution is damaged
            continue
        # The first of a name on the path is the one that gets imported.
        if name not in seen:
            seen.add(name)
            yield from ((offer, f"{name} {version}") for offer in offers)


def _source_of(offer: metadata.EntryPoint, distribution: str) -> Source:
    # Extras in brackets after the target are a custom of old that installers no longer write.
    target = offer.value.partition("[")[0].replace(" ", "")
    return Source(target, distribution=distribution)


def _claimed_twice(first: Source, second: Source) -> Source:
    """Return a source that says who claims the name; which one is found first depends on the file system."""
    one, other = sorted((first, second), key=lambda source: (source.distribution, source.target))
    return Source(one.target, distribution=one.distribution, rival=(other.distribution, other.target))
