"""Time and memory of forward and backward, beside other losses, in one run.

Time is the CPU time of the process, the smallest of several passes; memory is the largest resident size
during one pass in a process of its own, less that before it, as a multiple of the input's size. Peers that
are not installed are named at the end. The ratio is that of ours to the best of the others.
"""
# ruff: noqa: T201 - it prints

import argparse
import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["Case", "Function", "bare_peer", "compare", "peer"]

Function = Callable[[Tensor, Tensor], Tensor]
Case = tuple[Callable[[], tuple[Tensor, Tensor]], nn.Module, dict[str, Callable[[], Function]]]
"""What makes input and target, our loss, and what makes each of the others."""

sys.path.append(str(Path(__file__).parents[2] / "peers"))


def peer(module: str, make: Callable[..., Function]) -> Callable[[], Function]:
    """Give what makes a peer's loss, once its module is imported."""
    return lambda: make(importlib.import_module(module))


def bare_peer(module: str, make: Callable[..., Function]) -> Callable[[], Function]:
    """Do the same without the package's ``__init__``, which may want more than its losses do."""
    return lambda: make(importlib.import_module("libraries").losses_of(module))


def one_pass(loss: Function, input: Tensor, target: Tensor) -> None:
    """Compute value and gradient."""
    input.grad = None
    loss(input, target).backward()


def milliseconds(loss: Function, input: Tensor, target: Tensor, repeats: int) -> float:
    """Measure CPU time, the smallest of several passes after one to warm up."""
    one_pass(loss, input, target)
    passes = []
    for _ in range(repeats):
        start = time.process_time()
        one_pass(loss, input, target)
        passes.append(time.process_time() - start)
    return 1000 * min(passes)


def peak_memory(module: str, case: str, name: str) -> float:
    """Measure in a process of its own how far one pass raises the largest resident size, in input sizes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_memory, (module, case, name))


def _peak_memory(module: str, case: str, name: str) -> float:
    torch.set_num_threads(1)
    data, own, peers = importlib.import_module(module).CASES[case]
    loss = own if name == "lossary" else peers[name]()
    input, target = data()
    # Lazily loaded code and buffers are no part of the answer: a small pass brings them in.
    one_pass(loss, input[:1, ..., :32, :32].detach().requires_grad_(), target[:1, ..., :32, :32])
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123 - resets the high-water mark
        file.write("5")
    before = _high_water()
    one_pass(loss, input, target)
    return (_high_water() - before) / (input.numel() * input.element_size())


def _high_water() -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123 - no file of ours
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def compare(module: str, cases: Mapping[str, Case]) -> None:
    """Run the cases that are asked for and print a table of each; ``module`` is where they can be found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(cases)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compiled", action="store_true", help="compile every loss with inductor first")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    missing = set()
    for case in arguments.cases or cases:
        data, own, peers = cases[case]
        input, target = data()
        print(f"\n{case}, input {tuple(input.shape)}")
        times = {}
        for name, make in {"lossary": lambda own=own: own, **peers}.items():
            try:
                loss = make()
                loss = torch.compile(loss) if arguments.compiled else loss
                times[name] = milliseconds(loss, input, target, arguments.repeats)
            except ImportError as error:
                missing.add(error.name)
                continue
            memory = "" if arguments.compiled else f"{peak_memory(module, case, name):8.2f} x input"
            print(f"  {name:24s}{times[name]:9.1f} ms{memory}")
        own_time = times.pop("lossary")
        if times:
            best = min(times, key=times.__getitem__)
            print(f"  ratio to the best of the others, {best}: {own_time / times[best]:.2f}")
    if missing:
        print(f"\nnot installed: {', '.join(sorted(map(str, missing)))}")
    print(f"\ntorch {torch.__version__}, {arguments.threads} thread(s), load {os.getloadavg()[0]:.1f}")
