"""Plugins: what installed distributions offer a registry under an entry point group."""

from __future__ import annotations

from importlib import metadata

from lossary_registry._entry import Entry
from lossary_registry._lazy import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def find_plugins(group: str, registry: str) -> list[Entry[Any]]:
    """Return a lazy entry per name offered in a group. No plugin is imported, so none can break this."""
    found: dict[str, Source] = {}
    for offer in metadata.entry_points(group=group):
        source = _source_of(offer)
        first = found.setdefault(offer.name, source)
        if first.target != source.target:
            found[offer.name] = _claimed_twice(first, source)
    return [Entry(name, registry=registry, source=source) for name, source in found.items()]


def _source_of(offer: metadata.EntryPoint) -> Source:
    distribution = "" if offer.dist is None else f"{offer.dist.name} {offer.dist.version}"
    # Extras in brackets after the target are a custom of old that installers no longer write.
    target = offer.value.partition("[")[0].replace(" ", "")
    return Source(target, distribution=distribution or "an unknown distribution")


def _claimed_twice(first: Source, second: Source) -> Source:
    """Return a source that says who claims the name; which one is found first depends on the file system."""
    one, other = sorted((first, second), key=lambda source: (source.distribution, source.target))
    return Source(one.target, distribution=one.distribution, rival=(other.distribution, other.target))
