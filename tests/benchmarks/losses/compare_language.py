"""Time and memory of losses over a vocabulary, beside logits that are held and peers, in one run.

    python tests/benchmarks/losses/compare_language.py [--threads 1] [--repeats 5] [--device cpu] [CASE ...]

Time is that of forward and backward, the smallest of several passes: CPU time of the process, or time on the
device; memory is how far one pass raises what is allocated, in MiB: the largest resident size of a process of
its own, or what the device's allocator says. The weight's gradient is part of it: its size is given with each
case. The ratios are those of ours to each of the others.
"""
# ruff: noqa: T201 - it prints

import argparse
import importlib
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

import lossary_losses as ours

Function = Callable[[Tensor, Tensor, Tensor], Tensor]


class Case(NamedTuple):
    """Sizes, what is trained, and what is compared."""

    tokens: int
    features: int
    vocabulary: int
    losses: dict[str, Callable[[], Function]]
    frozen: bool = False
    dtype: torch.dtype = torch.float32

    def data(self, device: str, tokens: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Draw hidden states, a weight, and labels."""
        generator = torch.Generator().manual_seed(0)
        tokens = tokens or self.tokens
        hidden = torch.randn(tokens, self.features, generator=generator)
        weight = torch.randn(self.vocabulary, self.features, generator=generator) / self.features**0.5
        labels = torch.randint(0, self.vocabulary, (tokens,), generator=generator)
        hidden, weight = (each.to(device, self.dtype) for each in (hidden, weight))
        return hidden.requires_grad_(), weight.requires_grad_(not self.frozen), labels.to(device)


def held(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """Give cross entropy of logits that are held."""
    return functional.cross_entropy(functional.linear(hidden, weight).float(), labels)


def held_log_probs(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """Give log-probabilities from logits that are held, each with an upstream of its own."""
    every = functional.linear(hidden, weight).float().log_softmax(-1)
    return _weighed(every.gather(1, labels.unsqueeze(1)).squeeze(1))


def our_log_probs(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """Give ours."""
    return _weighed(ours.linear_log_probs(hidden, weight, labels)[0])


def _weighed(log_prob: Tensor) -> Tensor:
    return (log_prob * torch.linspace(-1, 1, len(log_prob), device=log_prob.device)).sum()


def our_cross_entropy() -> Function:
    """Give what computes ours."""
    loss = ours.LinearCrossEntropyLoss()
    return lambda hidden, weight, labels: loss(hidden, labels, linear_weight=weight)


def torch_chunked() -> Function:
    """Give torch's own, which is there from 2.13 on, in chunks."""
    make_options = getattr(torch.nn, "LinearCrossEntropyOptions", None)
    if make_options is None:
        raise ImportError("torch without linear_cross_entropy in chunks", name="torch>=2.13")
    options = make_options()
    return lambda hidden, weight, labels: functional.linear_cross_entropy(
        hidden, weight, labels, options=options
    )


def liger() -> Function:
    """Give Liger's, which needs Triton."""
    module = importlib.import_module("liger_kernel.transformers.fused_linear_cross_entropy")
    loss = module.LigerFusedLinearCrossEntropyLoss()
    return lambda hidden, weight, labels: loss(weight, hidden, labels)


CROSS_ENTROPIES: dict[str, Callable[[], Function]] = {
    "lossary": our_cross_entropy,
    "logits held": lambda: held,
    "logits held, compiled": lambda: torch.compile(held),
    "torch in chunks": torch_chunked,
    "liger": liger,
}
LOG_PROBS: dict[str, Callable[[], Function]] = {
    "lossary": lambda: our_log_probs,
    "logits held": lambda: held_log_probs,
    "logits held, compiled": lambda: torch.compile(held_log_probs),
}
SMALL, MEDIUM = (512, 256, 16384), (1024, 512, 32768)
CASES = {
    "cross entropy": Case(*MEDIUM, CROSS_ENTROPIES),
    "cross entropy, bfloat16": Case(*SMALL, CROSS_ENTROPIES, dtype=torch.bfloat16),
    "cross entropy of a large vocabulary": Case(8192, 2048, 131072, CROSS_ENTROPIES, dtype=torch.bfloat16),
    "log-probabilities": Case(*SMALL, LOG_PROBS),
    "log-probabilities, medium": Case(*MEDIUM, LOG_PROBS),
    "log-probabilities under a frozen head": Case(*SMALL, LOG_PROBS, frozen=True),
}
USUAL = [name for name in CASES if "large" not in name]
"""What does not take a CPU minutes."""


def one_pass(loss: Function, tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """Compute value and gradients."""
    for each in tensors:
        each.grad = None
    loss(*tensors).backward()


def milliseconds(loss: Function, tensors: tuple[Tensor, Tensor, Tensor], repeats: int) -> float:
    """Measure the smallest time of several passes after two to warm up."""
    is_on_device = tensors[0].is_cuda
    clock = time.perf_counter if is_on_device else time.process_time
    passes = []
    for _ in range(repeats + 2):
        start = clock()
        one_pass(loss, tensors)
        if is_on_device:
            torch.cuda.synchronize()
        passes.append(clock() - start)
    return 1000 * min(passes[2:])


def peak_memory(case: str, name: str, device: str) -> float:
    """Measure how far one pass raises what is allocated, in MiB, in a process of its own on a CPU."""
    if device != "cpu":
        loss, tensors = CASES[case].losses[name](), CASES[case].data(device)
        one_pass(loss, tensors)
        for each in tensors:
            each.grad = None
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        one_pass(loss, tensors)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_resident, (case, name))


def _resident(case: str, name: str) -> float:
    torch.set_num_threads(1)
    loss, tensors = CASES[case].losses[name](), CASES[case].data("cpu")
    # Lazily loaded code and buffers are no part of the answer: a small pass brings them in.
    one_pass(loss, CASES[case].data("cpu", 8))
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
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    missing = set()
    for case in arguments.cases or (USUAL if arguments.device == "cpu" else CASES):
        chosen = CASES[case]
        tensors = chosen.data(arguments.device)
        gradient = 0 if chosen.frozen else tensors[1].numel() * tensors[1].element_size() / 2**20
        print(f"\n{case}, {chosen.tokens} x {chosen.features} x {chosen.vocabulary}, ", end="")
        print(f"the weight's gradient {gradient:.0f} MiB")
        own: tuple[float, float] | None = None
        for name, make in chosen.losses.items():
            try:
                cost = (
                    milliseconds(make(), tensors, arguments.repeats),
                    peak_memory(case, name, arguments.device),
                )
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
