"""Compare building from a config with calling the constructor: ``python compare_factories.py``.

Every figure is CPU time divided by that of the plain constructors, measured in turns and in the same run;
the middle of many such ratios is printed beside its limit. Peers that are not installed are named at the end.
"""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from factory_peers import PEERS

from lossary_factory import build, validate
from lossary_losses import DiceLoss, FocalLoss, MSELoss, WeightedSum, loss_registry

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 41
CALLS = 200

ONE = {"name": "focal_loss", "params": {"gamma": 1.0, "alpha": 0.25}}
THREE = {
    "sum": {
        "region": {"name": "dice_loss", "weight": 0.5},
        "pixel": {"name": "focal_loss", "weight": 0.3, "params": {"gamma": 1.0}},
        "rest": {"name": "mse_loss", "weight": 0.2},
    }
}
LIMITS = {"build": 1.5, "build a spec": 1.1, "validate": 0.35}


def one() -> object:
    return FocalLoss(gamma=1.0, alpha=0.25)


def three() -> object:
    terms = {"region": DiceLoss(), "pixel": FocalLoss(gamma=1.0), "rest": MSELoss()}
    return WeightedSum(terms=terms, weights={"region": 0.5, "pixel": 0.3, "rest": 0.2})


def cpu(action: Callable[[], object], calls: int) -> int:
    """Return the nanoseconds of CPU that so many calls take."""
    start = time.process_time_ns()
    for _ in range(calls):
        action()
    return time.process_time_ns() - start


def ratio(action: Callable[[], object], base: Callable[[], object], calls: int = CALLS) -> float:
    """Return how many times as long as the base an action takes: the middle of many pairs."""
    action()
    return statistics.median(cpu(action, calls) / cpu(base, calls) for _ in range(ROUNDS))


def rows(config: Any, plain: Callable[[], object]) -> dict[str, float]:
    spec = validate(config, registry=loss_registry)
    return {
        "build": ratio(lambda: build(config, registry=loss_registry), plain),
        "build a spec": ratio(spec.build, plain),
        "validate": ratio(lambda: validate(config, registry=loss_registry), plain),
    }


def main() -> int:
    """Print the tables; return how many limits are passed over."""
    over = 0
    for title, config, plain in (("one loss", ONE, one), ("three terms", THREE, three)):
        print(f"{title}, x the plain constructors")
        for name, figure in rows(config, plain).items():
            mark = "" if figure <= LIMITS[name] else "  over"
            over += bool(mark)
            print(f"  {name:<24} {figure:7.2f}  limit {LIMITS[name]}{mark}")
    print("peers, one loss and three terms, x the plain constructors")
    for name, make in PEERS.items():
        try:
            peer = make()
        except ImportError as error:
            print(f"  {name:<24} not installed: {error.name}")
            continue
        single, triple = ratio(peer.one, one, 5), ratio(peer.three, three, 5)
        print(f"  {name:<24} {single:7.1f} {triple:7.1f}")
    return over


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
