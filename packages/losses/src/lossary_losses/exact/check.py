"""A check of a training step: split over processes and parts, it has the gradients of one batch."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, multiprocessing

__all__ = ["check_training"]

Batch = tuple[Tensor, ...]
Step = Callable[[list[Batch]], Mapping[str, Tensor]]

_PARTS = 3
"""How many parts each process has."""
_SINGLE = 1e-5
_DOUBLE = 1e-11


def check_training(
    step: Step,
    batch: Batch,
    *,
    world: int = 2,
    ignore: Callable[[Batch], Batch] | None = None,
    tolerance: float | None = None,
) -> None:
    """Compare the gradients of a step in several processes with those of the whole batch in one.

    Processes are spawned that talk by gloo, and each is given three parts, all of different sizes. Another
    process is given the whole batch as a single part.

    Args:
        step: What a trainer does for one optimizer step, without the optimizer: called in each process, with
            ``torch.distributed`` set up, with the parts of that process. It makes the model, always the same,
            wraps it as the engine does, calls ``backward`` for each part, and returns the gradients that the
            optimizer would see, by name. It must be importable, since processes are spawned.
        batch: The tensors of the batch, each with the samples in dimension 0, such as input, target and mask.
        world: How many processes.
        ignore: Turns a part into one in which nothing counts, by its mask or its target; the largest part
            becomes one. Default: None, everything counts.
        tolerance: How far gradients may be apart, as a share of the largest. Default: 1e-5 in float32, 1e-11
            in float64.

    Raises:
        AssertionError: A gradient differs; the message says which, and by how much.
        ValueError: The batch has too few samples for parts of different sizes.
    """
    parts = _split(batch, world)
    if ignore is not None:
        parts[-1] = ignore(parts[-1])
    whole = tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))
    alone = _run(step, [[whole]])[0]
    together = _run(step, [parts[rank::world] for rank in range(world)])
    for rank, gradients in enumerate(together):
        missing = sorted(set(alone) ^ set(gradients))
        if missing:
            raise AssertionError(f"process {rank} and one process have other gradients: {', '.join(missing)}")
        for name, expected in alone.items():
            _compare(name, rank, gradients[name], expected, tolerance)


def _compare(name: str, rank: int, actual: Tensor, expected: Tensor, tolerance: float | None) -> None:
    allowed = tolerance or (_DOUBLE if expected.dtype == torch.float64 else _SINGLE)
    largest = expected.double().abs().max()
    gap = (actual.double() - expected.double()).abs().max() / torch.where(largest == 0, 1, largest)
    if not gap <= allowed:  # NaN as well
        raise AssertionError(
            f"the gradient of {name} in process {rank} is off by {float(gap):.3g} of the largest, "
            f"where {allowed:g} is allowed"
        )


def _split(batch: Batch, world: int) -> list[Batch]:
    """Give parts of different sizes, the largest last."""
    count = world * _PARTS
    samples = len(batch[0])
    weights = torch.arange(1, count + 1)
    if samples < int(weights.sum()):
        raise ValueError(f"{count} parts of different sizes need {int(weights.sum())} samples, got {samples}")
    sizes = weights.tolist()
    sizes[-1] += samples - sum(sizes)
    return list(zip(*(torch.split(tensor, sizes) for tensor in batch), strict=True))


def _run(step: Step, parts: Sequence[list[Batch]]) -> list[dict[str, Tensor]]:
    """Run a step in as many processes as have parts, and collect their gradients."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(  # type: ignore[no-untyped-call,attr-defined]
            _process, args=(step, parts, folder), nprocs=len(parts)
        )
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=True) for rank in range(len(parts))]


def _process(rank: int, step: Step, parts: Sequence[list[Batch]], folder: str) -> None:
    torch.set_num_threads(1)
    world = str(len(parts))
    # As torchrun does, for engines that look there.
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=world, LOCAL_WORLD_SIZE=world)
    store: Any = f"file://{folder}/store"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=len(parts))
    try:
        gradients = step(parts[rank])
        torch.save(
            {name: each.detach().cpu() for name, each in gradients.items()}, Path(folder) / f"{rank}.pt"
        )
    finally:
        distributed.destroy_process_group()
