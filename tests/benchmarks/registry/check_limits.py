"""Measure what the registry promises, each beside its limit: ``python check_limits.py``.

Every promise is a ratio to something plain that is measured in the same run, or a time with a generous limit.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

from compare_registries import least

from lossary_registry import Registry, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = 2_000
TURNS = 60
SIZES = (100, 10_000)


class Base:
    """What the registered classes derive from."""


class Bare:
    """The least that a registry can be."""

    def __init__(self, entries: dict[str, type]) -> None:
        self._d = entries

    def get(self, name: str) -> type:
        return self._d[name]

    def has(self, name: str) -> bool:
        return name in self._d


def filled(size: int) -> Registry[Base]:
    registry = Registry(Base, "bench")
    for number in range(size):
        item = type(f"Class{number}", (Base,), {})
        registry.register(item, name=f"name_{number:05d}", tags=[f"tag {number % 50}", "all"])
    return registry


def each(*functions: Callable[[str], object], name: str = "") -> list[float]:
    """Return the nanoseconds of one call of each function, which take turns so that no lull favours one."""

    def many(function: Callable[[str], object]) -> None:
        for _ in range(CALLS):
            function(name)

    turns = [[least(lambda f=f: many(f), 1) for f in functions] for _ in range(TURNS)]
    return [min(times) / CALLS for times in zip(*turns, strict=True)]


def ratio(ours: Callable[[str], object], plain: Callable[[str], object], name: str) -> float:
    """Return how many times as long our call takes."""
    mine, theirs = each(ours, plain, name=name)
    return mine / theirs


def look_ups(size: int) -> Iterator[tuple[str, float, float]]:
    registry = filled(size)
    bare = Bare(dict(registry._objects))
    name = "name_00050"
    yield f"get of {size}, x bare method", ratio(registry.get, bare.get, name), 1.3
    yield f"in of {size}, x bare method", ratio(registry.__contains__, bare.has, name), 1.3
    yield f"get with default, miss of {size}, us", each(lambda _: registry.get("no", None))[0] / 1e3, 0.5

    def missed(_: str) -> None:
        try:
            registry.get("nothing")
        except UnknownNameError:
            return

    yield f"miss of {size}, raised and caught, us", each(missed)[0] / 1e3, 2.0
    error = UnknownNameError("nmae_00050", "bench", registry._view())
    yield f"message of a miss of {size}, ms", least(lambda: str(error)) / 1e6, 30 if size < 10_000 else 50


def listings() -> Iterator[tuple[str, float, float]]:
    registry = filled(10_000)
    plain = dict.fromkeys(registry)
    index = {"tag 7": registry.filter_by_tag("tag 7")}
    yield "list of 10000, x list(d)", least(registry.list) / least(lambda: list(plain)), 1.1
    slowdown = ratio(registry.filter_by_tag, lambda tag: list(index[tag]), "tag 7")
    yield "filter_by_tag, 200 of 10000, x list(index[tag])", slowdown, 2.0


def writing() -> Iterator[tuple[str, float, float]]:
    items = [type(f"Class{number}", (Base,), {}) for number in range(10_000)]
    names = [f"name_{number:05d}" for number in range(10_000)]

    def register_all() -> Registry[Base]:
        registry = Registry(Base, "bench")
        for name, item in zip(names, items, strict=True):
            registry.register(item, name=name, tags=["one", "all"])
        return registry

    yield "register 10000, ms", least(register_all, 9) / 1e6, 100
    tracemalloc.start()
    kept = register_all()
    taken = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    yield "memory an entry, bytes", taken, 450


def importing() -> Iterator[tuple[str, float, float]]:
    count = "import sys; n = len(sys.modules); import lossary_registry; print(len(sys.modules) - n)"
    output = subprocess.run([sys.executable, "-I", "-c", count], capture_output=True, check=True)  # noqa: S603
    yield "import, modules", int(output.stdout), 30
    imports = min(cpu_of("import lossary_registry") for _ in range(15))
    yield "import, ms of CPU", (imports - min(cpu_of("pass") for _ in range(15))) * 1e3, 20


def cpu_of(statement: str) -> float:
    """Return the seconds of CPU of an interpreter that runs a statement."""
    import resource  # noqa: PLC0415 - not on Windows

    def children() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = children()
    subprocess.run([sys.executable, "-I", "-c", statement], check=True)  # noqa: S603
    return children() - before


def main() -> int:
    """Print the table, and return how many limits were passed."""
    passed = 0
    print(f"Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}")
    for rows in (*map(look_ups, SIZES), listings(), writing(), importing()):
        for what, figure, limit in rows:
            passed += figure > limit
            print(f"{what:50}{figure:10.2f}{limit:10.2f}{'  TOO MUCH' if figure > limit else ''}", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
