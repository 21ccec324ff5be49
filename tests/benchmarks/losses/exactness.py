"""How exact a step is that is split over parts and processes, by engine; and what counting it costs.

    python tests/benchmarks/losses/exactness.py

Each row gives the largest difference to the gradient of the whole batch in one process, as a share of the
largest gradient: for parts that are weighed by what they count, and for a mean of their means. Part sizes
differ, and most labels of the largest part are ignored.
"""
# ruff: noqa: T201 - it prints

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, distributed, multiprocessing

from lossary_losses.exact import Exact, check_training

sys.path.append(str(Path(__file__).parents[3] / "docs/examples/exact"))

import engines

ROUNDS = 200


def mostly_ignored(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Give a part of which one label counts."""
    input, target = part
    return input, torch.where(torch.arange(len(target)) == 0, target, -100)


def error(step: Callable[[engines.Parts], dict[str, Tensor]], batch: tuple[Tensor, ...], world: int) -> str:
    """Give by how much the gradients of a step are off."""
    try:
        check_training(step, batch, world=world, ignore=mostly_ignored, tolerance=1e-30)
    except AssertionError as found:
        return str(found).partition(" off by ")[2].partition(" ")[0]
    return "0"


def count(rank: int, folder: str) -> None:
    """Time the counting of a step in two processes, and in one of them alone."""
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    targets = [torch.randint(0, 3, (1024,)) for _ in range(3)]
    for name, group in (("one message between two processes", distributed.group.WORLD), ("no message", None)):
        exact = Exact(engines.LOSS, group=group)
        exact.total(targets)
        start = time.perf_counter()
        for _ in range(ROUNDS):
            exact.total(targets)
        if rank == 0:
            print(
                f"counting three parts, {name}: {(time.perf_counter() - start) / ROUNDS * 1e6:.0f} us a step"
            )
    distributed.destroy_process_group()


def main() -> None:
    """Measure and print."""
    print("engine | processes x parts | error")
    batch = engines.make_batch()
    large = tuple(each.repeat(2, *[1] * (each.ndim - 1)) for each in batch)
    for step in (*engines.STEPS, engines.mean_of_means):
        for world, tensors in ((1, batch), (2, batch), (3, large)):
            print(f"{step.__name__} | {world} x 3 | {error(step, tensors, world)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(count, args=(folder,), nprocs=2)


if __name__ == "__main__":
    main()
