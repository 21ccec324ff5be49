"""Compare registries with a plain dictionary: ``python compare_registries.py [SIZE]``.

Every figure is CPU time, the least of many passes, divided by what a plain dictionary needs in the same run;
ratios travel between machines, and seconds do not. Registries that are not installed are named at the end.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from typing import TYPE_CHECKING

from registry_peers import BASELINES, PEERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry_peers import Peer

PASSES = 15


def least(action: Callable[[], object], passes: int = PASSES) -> float:
    """Return the nanoseconds of CPU that an action takes, at its best."""
    best = float("inf")
    for _ in range(passes):
        start = time.process_time_ns()
        action()
        best = min(best, time.process_time_ns() - start)
    return best


def measure(make: Callable[[], Peer], size: int) -> dict[str, float]:
    """Return nanoseconds an operation, in a registry that holds so many classes."""
    names = [f"name_{number:05d}" for number in range(size)]
    register = min(fill(make(), names) for _ in range(3)) / size
    peer = make()
    fill(peer, names)
    # Every name in turn, as programs do, and not one that is always in the cache.
    wanted = (names * (20_000 // size + 1))[:20_000]
    get = peer.get

    def hits() -> None:
        for name in wanted:
            get(name)

    def misses() -> None:
        for _ in range(100):
            with contextlib.suppress(Exception):  # each has an exception of its own
                get("nothing")

    return {
        "get": least(hits) / len(wanted),
        "miss": least(misses, 5) / 100,
        "register": register,
        "list": least(peer.names, 5),
    }


def fill(peer: Peer, names: list[str]) -> float:
    """Register a class a name, and return the nanoseconds that it took."""
    items = [type(name, (), {}) for name in names]
    start = time.process_time_ns()
    for name, item in zip(names, items, strict=True):
        peer.register(name, item)
    return time.process_time_ns() - start


def main(size: int) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    missing = []
    unit: dict[str, float] = {}
    print(f"{size} names, Python {sys.version.split()[0]}: CPU time as a multiple of a plain dictionary's")
    print(f"{'':18}{'get':>10}{'miss':>10}{'register':>10}{'list':>10}{'get, ns':>10}")
    for make in (*BASELINES, *PEERS):
        try:
            found = measure(make, size)
        except ImportError:
            missing.append(make.__name__)
            continue
        unit = unit or found
        ratios = "".join(f"{found[key] / unit[key]:10.1f}" for key in ("get", "miss", "register", "list"))
        print(f"{make.__name__:18}{ratios}{found['get']:10.0f}", flush=True)
    if missing:
        print(f"not installed, and not measured: {', '.join(missing)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
