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


def labelled(rows: int = 4096) -> tuple[Tensor, ...]:
    """Give embeddings of 256 numbers, and labels of which each stands there eight times."""
    embeddings = torch.randn(rows, 256, generator=torch.Generator().manual_seed(0), requires_grad=True)
    return embeddings, torch.arange(rows) % max(1, rows // 8)


def of_rows(data: Data, usual: int) -> Data:
    """Give data of so many rows, unless others are asked for."""
    return lambda rows=usual: data(rows)


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


def open_clip_sigmoid(input: Tensor, target: Tensor) -> Tensor:
    """Give the sum over one matrix of logits, as open_clip writes it."""
    logits = 10 * input @ target.T - 10
    sign = 2 * torch.eye(len(input)) - 1
    return -functional.logsigmoid(sign * logits).sum() / len(input)


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


def metric_learning(name: str, **options: float) -> Callable[[], Function]:
    """Give what makes a loss of pytorch-metric-learning."""
    return lambda: getattr(importlib.import_module("pytorch_metric_learning.losses"), name)(**options)


def unmined() -> Function:
    """Give ours, with every pair."""
    return ours.MultiSimilarityLoss(epsilon=3.0)


def hardest_triplets(input: Tensor, labels: Tensor) -> Tensor:
    """Give the hinge of the hardest triplets, as it stands in many places."""
    distance, same = torch.cdist(input, input), labels == labels.unsqueeze(1)
    farthest = distance.masked_fill(~same, 0).amax(dim=1)
    nearest = distance.masked_fill(same, torch.inf).amin(dim=1)
    return (farthest - nearest + 0.2).clamp(min=0).mean()


CASES: dict[str, tuple[Data, dict[str, Callable[[], Function]]]] = {
    "symmetric info_nce of unit rows": (
        pairs,
        {"lossary": contrastive(similarity="dot"), "open_clip's formula": lambda: open_clip},
    ),
    "symmetric info_nce of any rows": (
        pairs,
        {"lossary": contrastive(), "open_clip's formula, normalized": lambda: normalized(open_clip)},
    ),
    **{
        f"clip, {rows} rows": (
            of_rows(pairs, rows),
            {"lossary": ours.CLIPLoss, "open_clip's formula, normalized": lambda: normalized(open_clip)},
        )
        for rows in (512, 2048, 8192)
    },
    "siglip": (
        of_rows(pairs, 2048),
        {
            "lossary": ours.SigLIPLoss,
            "open_clip's formula, normalized": lambda: normalized(open_clip_sigmoid),
        },
    ),
    **{
        f"{name}, {rows} rows": (
            of_rows(labelled, rows),
            {"lossary": build, "pytorch-metric-learning": metric_learning(their_name, **options)},
        )
        for name, rows, build, their_name, options in [
            ("supcon", 4096, ours.SupConLoss, "SupConLoss", {}),
            ("multi_similarity without mining", 2048, unmined, "MultiSimilarityLoss", {}),
            ("circle", 2048, ours.CircleLoss, "CircleLoss", {"m": 0.25, "gamma": 256}),
        ]
    },
    "triplet, hard, 2048 rows": (
        of_rows(labelled, 2048),
        {"lossary": ours.TripletLoss, "cdist and masks": lambda: hardest_triplets},
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
