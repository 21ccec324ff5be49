"""Time and memory of losses whose elements look at the whole batch, beside peers and plain torch, in one run.

    python tests/benchmarks/losses/compare_coupled.py [--threads 1] [--repeats 7] [CASE ...]

Time is the CPU time of the process for forward and backward, the smallest of several passes; memory is the
largest resident size during one pass in a process of its own, less that before it. Peers that are not
installed are named at the end. The ratios are those of ours to each of the others.
"""
# ruff: noqa: T201 - it prints

import argparse
import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

import lossary_losses as ours

Function = Callable[..., Tensor]
Data = Callable[[int], tuple[Tensor, ...]]


def pairs(rows: int = 4096) -> tuple[Tensor, ...]:
    """Give two embeddings of 256 numbers for each row, of length one."""
    generator = torch.Generator().manual_seed(0)
    views = (functional.normalize(torch.randn(rows, 256, generator=generator)) for _ in range(2))
    return tuple(each.requires_grad_() for each in views)


def hazards(rows: int = 100_000, *, ties: bool = False) -> tuple[Tensor, ...]:
    """Give log hazards, times, and events for two rows of three; with ties, of 1,000 times."""
    generator = torch.Generator().manual_seed(0)
    times = torch.randperm(rows, generator=generator)
    times = (times // 100 if ties else times).float()
    log_hazard = torch.randn(rows, generator=generator, requires_grad=True)
    return log_hazard, times, torch.rand(rows, generator=generator) < 2 / 3


def open_clip(input: Tensor, target: Tensor) -> Tensor:
    """Give two cross entropies of one matrix of similarities, as open_clip writes them."""
    logits, labels = input @ target.T / 0.07, torch.arange(len(input))
    return (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2


def normalized(loss: Function) -> Function:
    """Bring rows to length one first."""
    return lambda *views: loss(*map(functional.normalize, views))


def by_cumulation(log_hazard: Tensor, times: Tensor, event: Tensor) -> Tensor:
    """Give Cox's loss of times without ties, as it stands in many places."""
    order = times.argsort(descending=True)
    log_hazard, event = log_hazard[order], event[order]
    return (log_hazard.logcumsumexp(0) - log_hazard)[event].mean()


def cox(**options: str) -> Function:
    """Give ours, with the event by place."""
    loss = ours.CoxLoss(**options)
    return lambda log_hazard, times, event: loss(log_hazard, times, event=event)


sys.path.append(str(Path(__file__).parents[2] / "peers"))


def peer(module: str, make: Callable[..., Function]) -> Callable[[], Function]:
    """Give what makes a peer's loss, once its module is imported without the ``__init__`` of its package."""
    return lambda: make(importlib.import_module("libraries").losses_of(module))


def contrastive(**options: object) -> Callable[[], Function]:
    """Give what makes ours."""
    return lambda: ours.InfoNCELoss(symmetric=True, **options)


CASES: dict[str, tuple[Data, dict[str, Callable[[], Function]]]] = {
    "symmetric info_nce of unit rows": (
        pairs,
        {"lossary": contrastive(similarity="dot"), "open_clip's formula": lambda: open_clip},
    ),
    "symmetric info_nce of any rows": (
        pairs,
        {"lossary": contrastive(), "open_clip's formula, normalized": lambda: normalized(open_clip)},
    ),
    "cox without ties": (
        hazards,
        {
            "lossary": partial(cox, ties="breslow"),
            "plain logcumsumexp": lambda: by_cumulation,
            "torchsurv": peer(
                "torchsurv.loss.cox",
                lambda module: lambda h, t, e: module.neg_partial_log_likelihood(h, e, t),
            ),
        },
    ),
    "cox with ties": (
        partial(hazards, ties=True),
        {
            "lossary": partial(cox, ties="efron"),
            "torchsurv": peer(
                "torchsurv.loss.cox",
                lambda module: lambda h, t, e: module.neg_partial_log_likelihood(h, e, t, "efron"),
            ),
        },
    ),
}


def one_pass(loss: Function, tensors: tuple[Tensor, ...]) -> None:
    """Compute value and gradient."""
    for each in tensors:
        each.grad = None
    loss(*tensors).backward()


def milliseconds(loss: Function, tensors: tuple[Tensor, ...], repeats: int) -> float:
    """Measure CPU time, the smallest of several passes after one to warm up."""
    one_pass(loss, tensors)
    passes = []
    for _ in range(repeats):
        start = time.process_time()
        one_pass(loss, tensors)
        passes.append(time.process_time() - start)
    return 1000 * min(passes)


def peak_memory(case: str, name: str) -> float:
    """Measure in a process of its own how far one pass raises the largest resident size, in MiB."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_memory, (case, name))


def _peak_memory(case: str, name: str) -> float:
    torch.set_num_threads(1)
    data, losses = CASES[case]
    loss = losses[name]()
    tensors = data()
    # Lazily loaded code and buffers are no part of the answer: a small pass brings them in.
    one_pass(loss, data(64))
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123 - resets the high-water mark
        file.write("5")
    before = _high_water()
    one_pass(loss, tensors)
    return (_high_water() - before) / 2**20


def _high_water() -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123 - no file of ours
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Run the cases that are asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(CASES)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    missing = set()
    for case in arguments.cases or CASES:
        data, losses = CASES[case]
        tensors = data()
        print(f"\n{case}, input {tuple(tensors[0].shape)}")
        own: tuple[float, float] | None = None
        for name, make in losses.items():
            try:
                cost = milliseconds(make(), tensors, arguments.repeats), peak_memory(case, name)
            except ImportError as error:
                missing.add(error.name)
                continue
            own = own or cost
            ratios = f"   ratios {own[0] / cost[0]:.2f} {own[1] / cost[1]:.2f}" if cost is not own else ""
            print(f"  {name:32s}{cost[0]:9.1f} ms{cost[1]:9.1f} MiB{ratios}")
    if missing:
        print(f"\nnot installed: {', '.join(sorted(map(str, missing)))}")
    print(f"\ntorch {torch.__version__}, {arguments.threads} thread(s), load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
