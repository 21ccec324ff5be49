"""The entry points of installed distributions, read from their folders.

``importlib.metadata`` reads them as well, and imports half of the standard library to do so: a quarter of
what a call of the command would take. It is asked where the folders show nothing, since distributions may
also lie in archives, or wherever an importer of its own finds them.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = "entry_points.txt"
_FOLDERS = (".dist-info", ".egg-info")


class Distribution(NamedTuple):
    """What a distribution calls itself."""

    name: str
    version: str


class EntryPoint(NamedTuple):
    """An object that a distribution offers under a name."""

    name: str
    value: str
    """The module and, after a colon, the path of the object in it."""
    dist: Distribution | None

    @property
    def module(self) -> str:
        """The module in which the object is."""
        return self.value.partition(":")[0].strip()

    def load(self) -> Any:  # noqa: ANN401  # it may be anything
        """Import the module, and return the object."""
        found: Any = importlib.import_module(self.module)
        for attribute in self.value.partition("[")[0].partition(":")[2].strip().split("."):
            found = getattr(found, attribute) if attribute else found
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group, sorted; of distributions with one name, the first counts."""
    return sorted(
        EntryPoint(name, value, _about(distribution))
        for distribution, text in _offers(group)
        for name, value in _of_group(group, text)
    ) or _asked(group)


def _offers(group: str) -> Iterator[tuple[str, str]]:
    """Yield the folder and the entry points of each distribution that may have some of a group."""
    known: set[str] = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208  # names are enough
        except OSError:
            continue
        for folder in names:
            if not folder.endswith(_FOLDERS):
                continue
            name = folder.rpartition(".")[0].partition("-")[0].lower().replace(".", "_")
            if name in known:
                continue
            known.add(name)
            path = os.path.join(place, folder)  # noqa: PTH118  # pathlib takes as long as all the rest
            try:
                with _opened(path, _FILE) as stream:
                    text = stream.read()
            except OSError:
                continue
            if group in text:
                yield path, text


def _opened(folder: str, file: str) -> TextIO:
    """Open a file of a distribution; one that is damaged is read as far as that goes, and breaks nothing."""
    return open(os.path.join(folder, file), encoding="utf-8", errors="replace")  # noqa: PTH118, PTH123  # slow


def _of_group(group: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a section."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and not line.startswith(("#", ";", "=")):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _about(folder: str) -> Distribution | None:
    """Read what a distribution calls itself."""
    about: dict[str, str] = {}
    for file in ("METADATA", "PKG-INFO"):
        try:
            with _opened(folder, file) as stream:
                for line in stream:
                    if not line.strip():
                        break  # the description follows
                    key, _, value = line.partition(":")
                    about.setdefault(key, value.strip())
        except OSError:
            continue
    return Distribution(about["Name"], about["Version"]) if {"Name", "Version"} <= about.keys() else None


def _asked(group: str) -> list[EntryPoint]:
    """Ask the standard library."""
    from importlib.metadata import distributions  # noqa: PLC0415  # slow

    found: dict[str, list[EntryPoint]] = {}
    for distribution in distributions():
        # What is damaged offers nothing. The library's own entry_points() would fail for all of them.
        with contextlib.suppress(Exception):
            offers = distribution.entry_points.select(group=group)
            if offers:
                about = Distribution(distribution.name, distribution.version)
                found.setdefault(about.name, [EntryPoint(each.name, each.value, about) for each in offers])
    return sorted(entry for offers in found.values() for entry in offers)
