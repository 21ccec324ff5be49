"""Train a small network to find coins: a set of boxes, in any order, with the loss that one file names.

The photograph comes with scikit-image; its boxes are the connected components above Otsu's threshold, once
the uneven light is taken away. The network sees crops of the upper half and is scored on crops of the lower
half, which holds other coins. For each crop it answers nine queries with a box and a class, "coin" or "no
object". With twelve coins to learn from, this shows how to train on sets, not how well that can be done.

    python docs/examples/find_coins.py --output find_coins.png --steps 500 --seed 0
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import linear_sum_assignment
from skimage.data import coins
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label, regionprops
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from lossary_factory import build

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CONFIG = Path(__file__).with_name("matched_boxes.yaml")
CROP, CROPS_PER_STEP, HELD_OUT_CROPS = 96, 12, 64
PLACES = 3
"""Queries along each side of a crop."""

COIN, NO_OBJECT = 0, 1
SMALLEST_COIN = 500
"""In pixels; the components above the threshold that are smaller are specks."""

# Okabe and Ito's colours, which the colour-blind tell apart.
TRUTH, FOUND = "#56B4E9", "#E69F00"
CURVE_COLOURS = ["#0072B2", "#E69F00", "#009E73"]


@dataclass
class Half:
    """One half of the photograph (height, width) and its boxes (coins, 4): left, top, right, bottom."""

    picture: Tensor
    boxes: Tensor


@dataclass
class Crops:
    """Crops (B, 1, CROP, CROP) and their boxes (B, M, 4): centre and size, in crops.

    ``mask`` (B, M) says which boxes are there; the others pad.
    """

    pictures: Tensor
    boxes: Tensor
    mask: Tensor

    @property
    def target(self) -> dict[str, Tensor]:
        """What a network should give: every box is a coin's."""
        return {"boxes": self.boxes, "labels": torch.full(self.mask.shape, COIN)}


@dataclass
class Answer:
    """What a network makes of crops: boxes (B, Q, 4) as in them, and which are coins (B, Q)."""

    boxes: Tensor
    is_coin: Tensor


@dataclass
class Score:
    """How well coins are found: the mean overlap of a coin with its box, and counts."""

    iou: float
    coins: int
    found: int
    invented: int


def load_coins() -> tuple[Half, Half]:
    """Return the half to train on and the half that is held out; no coin lies in both."""
    photograph = coins() / 255.0
    evenly_lit = photograph - gaussian(photograph, 50)
    components = regionprops(label(evenly_lit > threshold_otsu(evenly_lit)))
    corners = [component.bbox for component in components if component.area >= SMALLEST_COIN]
    boxes = torch.tensor([[left, top, right, bottom] for top, left, bottom, right in corners])
    middle = photograph.shape[0] // 2
    if ((boxes[:, 1] < middle) & (boxes[:, 3] > middle)).any():
        raise ValueError("a coin lies in both halves")
    picture, is_upper = torch.tensor(photograph, dtype=torch.float32), boxes[:, 3] <= middle
    lower_boxes = boxes[~is_upper] - torch.tensor([0, middle, 0, middle])
    return Half(picture[:middle], boxes[is_upper]), Half(picture[middle:], lower_boxes)


def random_crops(source: Half, count: int, generator: torch.Generator) -> Crops:
    """Cut squares from random places, every other one mirrored; coins belong to them by half or more."""
    height, width = source.picture.shape
    pictures, boxes = [], []
    for _ in range(count):
        top = int(torch.randint(height - CROP + 1, (), generator=generator))
        left = int(torch.randint(width - CROP + 1, (), generator=generator))
        picture = source.picture[top : top + CROP, left : left + CROP]
        whole = source.boxes - torch.tensor([left, top, left, top])
        cut = whole.clamp(0, CROP)
        cut = cut[areas(cut) >= areas(whole) / 2] / CROP
        if torch.rand((), generator=generator) < 1 / 2:
            picture = picture.flip(-1)
            cut = torch.stack([1 - cut[:, 2], cut[:, 1], 1 - cut[:, 0], cut[:, 3]], dim=1)
        pictures.append(picture[None])
        boxes.append(torch.cat([(cut[:, :2] + cut[:, 2:]) / 2, cut[:, 2:] - cut[:, :2]], dim=1))
    mask = pad_sequence([torch.ones(len(each), dtype=torch.bool) for each in boxes], batch_first=True)
    return Crops(torch.stack(pictures), pad_sequence(boxes, batch_first=True), mask)


def areas(corners: Tensor) -> Tensor:
    """Return the area of each box."""
    return (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])


class SmallNetwork(nn.Module):
    """Answers a query at each of three by three places with a box near that place, and with logits."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for wider in (16, 24, 32, 48, 64):  # each halves the picture: 96 pixels become 3 places
            layers += [
                nn.Conv2d(channels, wider, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(wider),
                nn.ReLU(),
            ]
            channels = wider
        self.features = nn.Sequential(*layers)
        # Each place sees its neighbours, so that it can tell whose coin it is.
        self.answers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 6, 1)
        )
        centres = (torch.arange(PLACES) + 0.5) / PLACES
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        size = torch.full_like(rows, 0.4)
        starts = torch.stack([columns, rows, size, size], dim=-1).flatten(0, 1)
        self.register_buffer("starts", starts.logit())

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return boxes (B, Q, 4), centre and size in crops, and logits (B, Q, 2)."""
        answers = self.answers(self.features(pictures)).flatten(2).movedim(1, -1)
        return {"boxes": (answers[..., :4] + self.starts).sigmoid(), "labels": answers[..., 4:]}


def train(
    network: nn.Module, source: Half, steps: int, generator: torch.Generator, console: Console
) -> dict[str, list[float]]:
    """Train the network with the loss that the file names; return each term at each step."""
    loss = build(CONFIG)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    curves: dict[str, list[float]] = {}
    network.train()
    for step in track(range(steps), CONFIG.name, console=console):
        crops = random_crops(source, CROPS_PER_STEP, generator)
        total, terms = loss.evaluate(network(crops.pictures), crops.target, mask=crops.mask)
        if not math.isfinite(total.item()):
            raise FloatingPointError(f"{CONFIG.name}: the loss is {total.item()} at step {step}")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()
        for name, value in terms.items():
            curves.setdefault(name, []).append(value.item())
    return curves


@torch.no_grad()
def answer(network: nn.Module, crops: Crops) -> Answer:
    """Ask the network for the coins of crops."""
    network.eval()
    given = network(crops.pictures)
    return Answer(given["boxes"], given["labels"].argmax(-1) == COIN)


def score(given: Answer, crops: Crops) -> Score:
    """Match coins with the boxes said to be coins, the overlap as large as can be, by scipy and by hand.

    A coin without a box has an overlap of zero; it is found if the overlap is more than a half.
    """
    best, boxes = [], 0
    for sample, mask in enumerate(crops.mask):
        truth = crops.boxes[sample][mask].numpy()
        said = given.boxes[sample][given.is_coin[sample]].numpy()
        overlaps = overlap(truth[:, None], said[None])
        of_coins = np.zeros(len(truth))
        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        of_coins[rows] = overlaps[rows, columns]
        best.extend(of_coins)
        boxes += len(said)
    found = sum(each > 1 / 2 for each in best)
    return Score(float(np.mean(best)), len(best), found, boxes - found)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over the union of boxes that are given by centre and size."""
    low = np.maximum(first[..., :2] - first[..., 2:] / 2, second[..., :2] - second[..., 2:] / 2)
    high = np.minimum(first[..., :2] + first[..., 2:] / 2, second[..., :2] + second[..., 2:] / 2)
    both = np.clip(high - low, 0, None).prod(-1)
    return both / (first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - both)


def table(scores: dict[str, Score]) -> Table:
    """Return the table of results."""
    result = Table(title=f"{HELD_OUT_CROPS} crops of the lower half, whose coins the network never saw")
    for column in ("", "mean IoU of a coin", "coins", "found", "boxes without a coin"):
        result.add_column(column, justify="right")
    for name, each in scores.items():
        result.add_row(name, f"{each.iou:.3f}", str(each.coins), str(each.found), str(each.invented))
    return result


def draw(
    answers: dict[str, Answer],
    scores: dict[str, Score],
    crops: Crops,
    curves: dict[str, list[float]],
    output: Path,
) -> None:
    """Draw some crops with the boxes of each answer, and what each term added to the loss."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    shown = 4
    figure = plt.figure(figsize=(9, 3.8), layout="constrained", dpi=100)
    pictures, plot = figure.subfigures(1, 2, width_ratios=[7, 4])
    axes = pictures.subplots(len(answers), shown)
    for row, (name, given) in zip(axes, answers.items(), strict=True):
        row[0].set_ylabel(f"{name}\nmean IoU {scores[name].iou:.2f}")
        for sample, each in enumerate(row):
            each.imshow(crops.pictures[sample, 0], cmap="gray", interpolation="nearest", vmin=0, vmax=1)
            each.set(xticks=[], yticks=[])
            show_boxes(each, crops.boxes[sample][crops.mask[sample]], TRUTH, "dashed")
            show_boxes(each, given.boxes[sample][given.is_coin[sample]], FOUND, "solid")
    lines = [Rectangle((0, 0), 1, 1, fill=False, color=TRUTH, linestyle="dashed", label="Otsu's threshold")]
    lines.append(Rectangle((0, 0), 1, 1, fill=False, color=FOUND, label="the network's coins"))
    pictures.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False)
    show_curves(plot.subplots(), curves)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def show_boxes(axes: Axes, boxes: Tensor, colour: str, style: str) -> None:
    """Draw boxes on a crop."""
    for x, y, width, height in (boxes * CROP).tolist():
        corner = (x - width / 2, y - height / 2)
        axes.add_patch(Rectangle(corner, width, height, fill=False, color=colour, linestyle=style))


def show_curves(axes: Axes, curves: dict[str, list[float]]) -> None:
    """Show what each term added to the loss at each step."""
    for colour, (name, values) in zip(CURVE_COLOURS, curves.items(), strict=True):
        axes.plot(values, color=colour, label=name, linewidth=1.2)
    axes.set(title="Loss by term", xlabel="step", xlim=(0, None), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def main() -> None:
    """Score an untrained network, train it, score it again, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine; a network this small gains little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("find_coins.png"), help="where the picture goes")
    parser.add_argument("--steps", type=int, default=500, help="training steps")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and the crops")
    arguments = parser.parse_args()
    upper, lower = load_coins()
    held_out = random_crops(lower, HELD_OUT_CROPS, torch.Generator().manual_seed(arguments.seed))
    torch.manual_seed(arguments.seed)
    network, console = SmallNetwork(), Console()
    answers = {"before": answer(network, held_out)}
    start = time.perf_counter()
    generator = torch.Generator().manual_seed(arguments.seed)
    curves = train(network, upper, arguments.steps, generator, console)
    seconds = time.perf_counter() - start
    answers["after"] = answer(network, held_out)
    scores = {name: score(given, held_out) for name, given in answers.items()}
    console.print(table(scores))
    console.print(f"{arguments.steps} steps took {seconds:.1f} seconds")
    draw(answers, scores, held_out, curves, arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
