"""Train a small network to find the ink on a photographed page, with three losses named in three files.

The photograph comes with scikit-image; its labels are Sauvola's local threshold. The network learns from the
upper half of the page and is scored on the lower half, which lies in shadow and ends in another typeface.
Each run starts from the same weights and sees the same crops: only the configuration of the loss differs.
Which one scores best changes with the seed: this shows how to train with a loss, not which loss to take.

    python docs/examples/segment_page.py --output segment_page.png --steps 250 --seed 0
"""

from __future__ import annotations

import argparse
import functools
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from skimage.data import page
from skimage.filters import threshold_sauvola
from torch import Tensor, nn

from lossary_factory import build
from lossary_losses import WeightedSum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

CONFIGS = [Path(__file__).with_name(name) for name in ("bce.yaml", "dice.yaml", "focal_dice.yaml")]
CROP, CROPS_PER_STEP = 64, 8

# Okabe and Ito's colours, which the colour-blind tell apart.
FOUND, MISSED, INVENTED = "#262626", "#56B4E9", "#D55E00"
CURVE_COLOURS = ["#0072B2", "#E69F00"]


@dataclass
class Page:
    """One part of the photograph: the picture and its labels, each (1, 1, height, width)."""

    picture: Tensor
    ink: Tensor


@dataclass
class Run:
    """What one configuration led to: each term at each step, and the mask of the part held out."""

    name: str
    curves: dict[str, list[float]]
    mask: np.ndarray
    iou: float
    f1: float
    seconds: float


def load_page() -> tuple[Page, Page]:
    """Return the part to train on and the part that is held out."""
    photograph = page()
    ink = photograph < threshold_sauvola(photograph, window_size=25)
    picture = torch.tensor(photograph / 255.0, dtype=torch.float32)[None, None]
    labels = torch.tensor(ink, dtype=torch.float32)[None, None]
    half = picture.shape[-2] // 2
    upper, lower = (..., slice(None, half), slice(None)), (..., slice(half, None), slice(None))
    return Page(picture[upper], labels[upper]), Page(picture[lower], labels[lower])


def small_network() -> nn.Module:
    """Return a network of 7,000 weights, of which each pixel sees a neighbourhood of 33 by 33."""
    layers: list[nn.Module] = []
    channels = 1
    for dilation in (1, 1, 2, 4, 8):
        layers += [
            nn.Conv2d(channels, 14, 3, padding=dilation, dilation=dilation, padding_mode="reflect"),
            nn.ReLU(),
        ]
        channels = 14
    return nn.Sequential(nn.BatchNorm2d(1), *layers, nn.Conv2d(channels, 1, 1))


def random_crops(source: Page, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut squares from random places of the page, the picture and its labels alike."""
    height, width = source.picture.shape[-2:]
    tops = torch.randint(height - CROP + 1, (CROPS_PER_STEP,), generator=generator).tolist()
    lefts = torch.randint(width - CROP + 1, (CROPS_PER_STEP,), generator=generator).tolist()
    corners = zip(tops, lefts, strict=True)
    squares = [(..., slice(top, top + CROP), slice(left, left + CROP)) for top, left in corners]
    return torch.cat([source.picture[s] for s in squares]), torch.cat([source.ink[s] for s in squares])


def evaluate(loss: nn.Module, logits: Tensor, ink: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and what each term adds to it; a loss that is no sum is its own only term."""
    if isinstance(loss, WeightedSum):
        total, terms = loss.evaluate(logits, ink)
        return total, {name: value.item() for name, value in terms.items()}
    total = loss(logits, ink)
    return total, {type(loss).__name__: total.item()}


def train(
    config: Path, halves: tuple[Page, Page], steps: int, seed: int, advance: Callable[[], object]
) -> Run:
    """Train a new network with the loss that the file names, and score it on the half held out."""
    source, held_out = halves
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    loss = build(config)
    network = small_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    curves: dict[str, list[float]] = {}
    start = time.perf_counter()
    for step in range(steps):
        picture, ink = random_crops(source, generator)
        total, terms = evaluate(loss, network(picture), ink)
        if not math.isfinite(total.item()):
            raise FloatingPointError(f"{config.name}: the loss is {total.item()} at step {step}")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        for name, value in terms.items():
            curves.setdefault(name, []).append(value)
        advance()
    seconds = time.perf_counter() - start
    network.eval()
    with torch.no_grad():
        mask = (network(held_out.picture) > 0)[0, 0].numpy()
    return Run(config.stem, curves, mask, *score(mask, held_out.ink[0, 0].numpy() > 0), seconds)


def score(mask: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the intersection over the union, and the F1 score."""
    both, either = np.sum(mask & truth), np.sum(mask | truth)
    return float(both / either), float(2 * both / (both + either))


def table(runs: Sequence[Run]) -> Table:
    """Return the table of results."""
    result = Table(title="Ink on the lower half of the page, which no network learned from")
    result.add_column("config")
    result.add_column("final loss by term")
    for column in ("IoU", "F1", "seconds"):
        result.add_column(column, justify="right")
    for run in runs:
        terms = ", ".join(f"{name} {values[-1]:.4f}" for name, values in run.curves.items())
        result.add_row(run.name, terms, f"{run.iou:.3f}", f"{run.f1:.3f}", f"{run.seconds:.1f}")
    return result


def draw(runs: Sequence[Run], held_out: Page, output: Path) -> None:
    """Draw the photograph and its labels above the mask and the loss curves of each run."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    figure, axes = plt.subplots(
        1 + len(runs), 2, figsize=(9, 6), width_ratios=[4, 3], layout="constrained", dpi=200
    )
    truth = held_out.ink[0, 0].numpy() > 0
    show_image(axes[0, 0], held_out.picture[0, 0].numpy(), "The held-out half of the photograph")
    show_image(axes[0, 1], coloured(truth, truth), "Its labels: Sauvola's local threshold")
    for (left, right), run in zip(axes[1:], runs, strict=True):
        show_image(left, coloured(run.mask, truth), f"{run.name}.yaml: IoU {run.iou:.2f}, F1 {run.f1:.2f}")
        show_curves(right, run)
    for upper in axes[1:-1, 1]:
        upper.tick_params(labelbottom=False)
    axes[1, 1].set_title("Loss by term")
    axes[-1, 1].set_xlabel("step")
    colours = {"ink found": FOUND, "ink missed": MISSED, "ink invented": INVENTED}
    patches = [Patch(color=colour, label=label) for label, colour in colours.items()]
    figure.legend(handles=patches, loc="outside lower left", ncols=3, frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def coloured(mask: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return an image that tells found, missed and invented ink apart."""
    image = np.ones((*mask.shape, 3))
    for where, colour in ((mask & truth, FOUND), (~mask & truth, MISSED), (mask & ~truth, INVENTED)):
        image[where] = to_rgb(colour)
    return image


def show_image(axes: Axes, image: np.ndarray, title: str) -> None:
    """Show an image without ticks."""
    axes.imshow(image, cmap="gray", interpolation="nearest")
    axes.set(title=title, xticks=[], yticks=[])


def show_curves(axes: Axes, run: Run) -> None:
    """Show what each term added to the loss at each step."""
    for colour, (name, values) in zip(CURVE_COLOURS, run.curves.items(), strict=False):
        axes.plot(values, color=colour, label=name, linewidth=1.2)
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def main() -> None:
    """Train with each configuration, print the table, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine; a network this small gains little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, default=Path("segment_page.png"), help="where the picture goes"
    )
    parser.add_argument("--steps", type=int, default=250, help="training steps for each loss")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and the crops")
    arguments = parser.parse_args()
    halves = load_page()
    console = Console()
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    runs = []
    with Progress(*columns, console=console) as progress:
        for config in CONFIGS:
            task = progress.add_task(config.name, total=arguments.steps)
            advance = functools.partial(progress.advance, task)
            runs.append(train(config, halves, arguments.steps, arguments.seed, advance))
    console.print(table(runs))
    draw(runs, halves[1], arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
