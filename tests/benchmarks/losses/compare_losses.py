"""Time and memory of forward and backward, beside peers and torch's own, in one run.

    python tests/benchmarks/losses/compare_losses.py [--threads 1] [--repeats 7] [--compiled] [CASE ...]

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
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

import lossary_losses as ours

Function = Callable[[Tensor, Tensor], Tensor]


def multiclass() -> tuple[Tensor, Tensor]:
    """Give logits of 19 classes, and labels."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(8, 19, 256, 256, generator=generator, requires_grad=True)
    return input, torch.randint(0, 19, (8, 256, 256), generator=generator)


def two_images() -> tuple[Tensor, Tensor]:
    """Give logits of 19 classes for two images only, and labels: sorting takes its time."""
    input, target = multiclass()
    return input[:2].detach().requires_grad_(), target[:2]


def binary() -> tuple[Tensor, Tensor]:
    """Give logits of one channel, and a mask."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(8, 1, 512, 512, generator=generator, requires_grad=True)
    return input, (torch.rand(8, 1, 512, 512, generator=generator) < 0.3).float()


sys.path.append(str(Path(__file__).parents[2] / "peers"))


def peer(module: str, make: Callable[..., Function]) -> Callable[[], Function]:
    """Give what makes a peer's loss, once its module is imported."""
    return lambda: make(importlib.import_module(module))


def bare_peer(module: str, make: Callable[..., Function]) -> Callable[[], Function]:
    """Do the same without the package's ``__init__``, which may want more than its losses do."""
    return lambda: make(importlib.import_module("libraries").losses_of(module))


def plus(first: Function, second: Function) -> Function:
    """Add two losses."""
    return lambda logits, target: first(logits, target) + second(logits, target)


monai = partial(peer, "monai.losses")
kornia = partial(peer, "kornia.losses")
smp = partial(bare_peer, "segmentation_models_pytorch.losses")


def column(target: Tensor) -> Tensor:
    """Give labels the channel that MONAI wants."""
    return target.unsqueeze(1)


CASES: dict[str, tuple[Callable[[], tuple[Tensor, Tensor]], nn.Module, dict[str, Callable[[], Function]]]] = {
    "multiclass dice": (
        multiclass,
        ours.DiceLoss(),
        {
            "monai": monai(lambda m: lambda x, t: m.DiceLoss(softmax=True, to_onehot_y=True)(x, column(t))),
            "kornia": kornia(lambda k: lambda x, t: k.dice_loss(x, t, average="micro")),
            "smp": smp(lambda s: s.DiceLoss("multiclass")),
        },
    ),
    "multiclass tversky": (
        multiclass,
        ours.TverskyLoss(alpha=0.3, beta=0.7),
        {
            "monai": monai(
                lambda m: lambda x, t: m.TverskyLoss(softmax=True, to_onehot_y=True)(x, column(t))
            ),
            "kornia": kornia(lambda k: lambda x, t: k.tversky_loss(x, t, 0.3, 0.7)),
            "smp": smp(lambda s: s.TverskyLoss("multiclass", alpha=0.3, beta=0.7)),
        },
    ),
    "multiclass focal": (
        multiclass,
        ours.FocalLoss(),
        {
            "torch's cross entropy": lambda: functional.cross_entropy,
            "kornia": kornia(lambda k: lambda x, t: k.focal_loss(x, t, None, 2.0, "mean")),
            "smp": smp(lambda s: s.FocalLoss("multiclass")),
        },
    ),
    "cross entropy": (
        multiclass,
        ours.CrossEntropyLoss(label_smoothing=0.1),
        {
            "torch": lambda: partial(functional.cross_entropy, label_smoothing=0.1),
            "smp": smp(lambda s: s.SoftCrossEntropyLoss(smooth_factor=0.1)),
        },
    ),
    "dice and cross entropy": (
        multiclass,
        ours.DiceCELoss(),
        {
            "monai": monai(lambda m: lambda x, t: m.DiceCELoss(softmax=True, to_onehot_y=True)(x, column(t))),
            "kornia + torch": kornia(lambda k: plus(k.dice_loss, functional.cross_entropy)),
        },
    ),
    "multiclass lovasz": (
        two_images,
        ours.LovaszSoftmaxLoss(),
        {
            "kornia": kornia(lambda k: k.lovasz_softmax_loss),
            "smp": smp(lambda s: s.LovaszLoss("multiclass", per_image=True)),
        },
    ),
    "binary dice": (
        binary,
        ours.DiceLoss(),
        {
            "monai": monai(lambda m: m.DiceLoss(sigmoid=True)),
            "smp": smp(lambda s: s.DiceLoss("binary")),
        },
    ),
    "binary focal": (
        binary,
        ours.FocalLoss(alpha=0.25),
        {
            "monai": monai(lambda m: m.FocalLoss(alpha=0.25)),
            "kornia": kornia(lambda k: lambda x, t: k.binary_focal_loss_with_logits(x, t, 0.25, 2.0, "mean")),
            "smp": smp(lambda s: s.FocalLoss("binary", alpha=0.25)),
        },
    ),
    "binary dice and cross entropy": (
        binary,
        ours.BCEDiceLoss(),
        {
            "monai": monai(lambda m: m.DiceCELoss(sigmoid=True)),
            "smp": smp(lambda s: plus(s.DiceLoss("binary"), s.SoftBCEWithLogitsLoss())),
        },
    ),
    "binary cross entropy": (
        binary,
        ours.BCELoss(),
        {"torch": lambda: functional.binary_cross_entropy_with_logits},
    ),
}


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


def peak_memory(case: str, name: str) -> float:
    """Measure in a process of its own how far one pass raises the largest resident size, in input sizes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_memory, (case, name))


def _peak_memory(case: str, name: str) -> float:
    torch.set_num_threads(1)
    data, own, peers = CASES[case]
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


def main() -> None:
    """Run the cases that are asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(CASES)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compiled", action="store_true", help="compile every loss with inductor first")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    missing = set()
    for case in arguments.cases or CASES:
        data, own, peers = CASES[case]
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
            memory = "" if arguments.compiled else f"{peak_memory(case, name):8.2f} x input"
            print(f"  {name:24s}{times[name]:9.1f} ms{memory}")
        own_time = times.pop("lossary")
        if times:
            best = min(times, key=times.__getitem__)
            print(f"  ratio to the best of the others, {best}: {own_time / times[best]:.2f}")
    if missing:
        print(f"\nnot installed: {', '.join(sorted(map(str, missing)))}")
    print(f"\ntorch {torch.__version__}, {arguments.threads} thread(s), load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
