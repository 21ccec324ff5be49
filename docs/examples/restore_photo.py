"""Train a small network to sharpen a blurred and grainy photograph, with two losses named in two files.

The photograph of a cat comes with scikit-image; blur and grain are ours. The network learns from the left
half and is scored on the right half, which it never sees. Each run starts from the same weights and sees the
same crops: only the configuration of the loss differs. Which one scores best changes with the seed and the
number of steps: this shows how to train with a loss, not which loss to take.

    python docs/examples/restore_photo.py --output restore_photo.png --steps 400 --seed 0
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from skimage.data import chelsea
from skimage.filters import gaussian
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

from lossary_factory import build
from lossary_losses import WeightedSum

CONFIGS = [Path(__file__).with_name(name) for name in ("l1.yaml", "ssim_l1_tv.yaml")]
CROP, CROPS_PER_STEP = 48, 6
BLUR, GRAIN = 1.5, 0.03
"""Standard deviations: of the blur in pixels, of the grain where black is zero and white one."""

CLOSE_UP = (slice(70, 166), slice(10, 138))
"""The part of the half held out that the picture shows, with an eye in it."""


@dataclass
class Photo:
    """One part of the photograph: as it was and as it became, each (1, 3, height, width)."""

    sharp: Tensor
    blurred: Tensor


@dataclass
class Result:
    """What one configuration led to: each term at the last step, and the half held out, restored."""

    name: str
    terms: dict[str, float]
    restored: np.ndarray
    seconds: float


def load_photo() -> tuple[Photo, Photo]:
    """Return the part to train on and the part that is held out."""
    sharp = chelsea() / 255.0
    grain = np.random.default_rng(0).normal(scale=GRAIN, size=sharp.shape)
    blurred = np.clip(gaussian(sharp, BLUR, channel_axis=-1) + grain, 0, 1)
    half = sharp.shape[1] // 2
    # Blur carries across the middle: as many pixels as it reaches are left out.
    parts = slice(None, half), slice(half + math.ceil(4 * BLUR), None)
    left, right = (Photo(as_batch(sharp[:, part]), as_batch(blurred[:, part])) for part in parts)
    return left, right


def as_batch(image: np.ndarray) -> Tensor:
    """Return an image, colours last, as a batch of one."""
    return torch.tensor(image, dtype=torch.float32).movedim(-1, 0)[None]


def as_image(batch: Tensor) -> np.ndarray:
    """Return a batch of one as an image, colours last."""
    return batch[0].movedim(0, -1).clamp(0, 1).double().numpy()


class SmallNetwork(nn.Module):
    """Adds a correction to each pixel, which sees a neighbourhood of 15 by 15: 7,000 weights."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm2d(3)]
        channels = 3
        for dilation in (1, 2, 2, 1):
            layers += [nn.Conv2d(channels, 16, 3, padding=dilation, dilation=dilation), nn.ReLU()]
            channels = 16
        self.correction = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored image."""
        return image + self.correction(image)


def random_crops(source: Photo, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut squares from random places, of the photograph as it became and as it was alike."""
    height, width = source.sharp.shape[-2:]
    tops = torch.randint(height - CROP + 1, (CROPS_PER_STEP,), generator=generator).tolist()
    lefts = torch.randint(width - CROP + 1, (CROPS_PER_STEP,), generator=generator).tolist()
    corners = zip(tops, lefts, strict=True)
    squares = [(..., slice(top, top + CROP), slice(left, left + CROP)) for top, left in corners]
    return torch.cat([source.blurred[s] for s in squares]), torch.cat([source.sharp[s] for s in squares])


def evaluate(loss: nn.Module, restored: Tensor, sharp: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and what each term adds to it; a loss that is no sum is its own only term."""
    if isinstance(loss, WeightedSum):
        return loss.evaluate(restored, sharp)
    total = loss(restored, sharp)
    return total, {type(loss).__name__: total}


def train(config: Path, halves: tuple[Photo, Photo], steps: int, seed: int, console: Console) -> Result:
    """Train a new network with the loss that the file names, and restore the half held out."""
    source, held_out = halves
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    loss = build(config)
    network = SmallNetwork()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    start = time.perf_counter()
    for step in track(range(steps), config.name, console=console):
        blurred, sharp = random_crops(source, generator)
        total, terms = evaluate(loss, network(blurred), sharp)
        if not math.isfinite(total.item()):
            raise FloatingPointError(f"{config.name}: the loss is {total.item()} at step {step}")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()
    seconds = time.perf_counter() - start
    network.eval()
    with torch.no_grad():
        restored = as_image(network(held_out.blurred))
    return Result(config.stem, {name: term.item() for name, term in terms.items()}, restored, seconds)


def score(image: np.ndarray, sharp: np.ndarray) -> tuple[float, float]:
    """Return PSNR in decibels, and SSIM as the paper has it: scikit-image's numbers, not ours."""
    paper = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return (
        float(peak_signal_noise_ratio(sharp, image, data_range=1)),
        float(structural_similarity(sharp, image, data_range=1, channel_axis=-1, **paper)),
    )


def table(results: list[Result], held_out: Photo) -> Table:
    """Return the table of results."""
    sharp = as_image(held_out.sharp)
    answer = Table(title="The right half of the photograph, which no network learned from")
    answer.add_column("config")
    answer.add_column("final loss by term")
    for column in ("PSNR in dB", "SSIM", "seconds"):
        answer.add_column(column, justify="right")
    psnr, ssim = score(as_image(held_out.blurred), sharp)
    answer.add_row("before", "", f"{psnr:.2f}", f"{ssim:.3f}", "")
    for result in results:
        psnr, ssim = score(result.restored, sharp)
        terms = ", ".join(f"{name} {value:.4f}" for name, value in result.terms.items())
        answer.add_row(result.name, terms, f"{psnr:.2f}", f"{ssim:.3f}", f"{result.seconds:.1f}")
    return answer


def draw(results: list[Result], held_out: Photo, output: Path) -> None:
    """Draw a close-up as it became, as each network restored it, and as it was."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    sharp = as_image(held_out.sharp)
    images = {"Blurred and grainy": as_image(held_out.blurred)}
    images |= {f"{result.name}.yaml": result.restored for result in results}
    figure, axes = plt.subplots(1, len(images) + 1, figsize=(11, 2.5), layout="constrained", dpi=100)
    for each, (title, image) in zip(axes, images.items(), strict=False):
        psnr, ssim = score(image, sharp)
        each.imshow(image[CLOSE_UP], interpolation="nearest")
        each.set(title=title, xlabel=f"PSNR {psnr:.1f} dB, SSIM {ssim:.2f}")
    axes[-1].imshow(sharp[CLOSE_UP], interpolation="nearest")
    axes[-1].set(title="The photograph", xlabel="scored on the whole held-out half")
    for each in axes:
        each.set(xticks=[], yticks=[])
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def main() -> None:
    """Train with each configuration, print the table, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine; a network this small gains little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, default=Path("restore_photo.png"), help="where the picture goes"
    )
    parser.add_argument("--steps", type=int, default=400, help="training steps for each loss")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and the crops")
    arguments = parser.parse_args()
    halves = load_photo()
    console = Console()
    results = [train(config, halves, arguments.steps, arguments.seed, console) for config in CONFIGS]
    console.print(table(results, halves[1]))
    draw(results, halves[1], arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
