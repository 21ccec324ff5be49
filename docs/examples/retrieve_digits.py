"""Train networks to find digits of the same kind, among kinds that they have never seen.

The 1,797 handwritten digits come with scikit-learn. Networks learn from 0 to 6, turned, moved and scaled at
random, and are asked for the nearest neighbour of each 7, 8 and 9 among all others of these, all of them
disturbed as well. One learns an embedding, with the loss that one file names; one learns to classify with
cross entropy, and the layer before its logits is the embedding. Beside them stands what the pixels give.

    python docs/examples/retrieve_digits.py --output retrieve_digits.png --steps 300 --seed 0
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from lossary_factory import build

LOSSES = {"cross entropy": "cross_entropy_loss", "SupCon": Path(__file__).with_name("supcon.yaml")}
HELD_OUT = (7, 8, 9)
SIZE, BATCH = 64, 256
TURN, SCALE, MOVE = math.pi / 4, 0.2, 0.25
"""How far a digit is turned, scaled and moved at the most; the last in half widths."""


def disturbed(digits: Tensor, generator: torch.Generator) -> Tensor:
    """Turn, scale and move each digit (N, 1, 8, 8) at random."""
    turn, scale, *move = (2 * torch.rand(4, len(digits), generator=generator) - 1).unbind()
    turn, scale = turn * TURN, 1 + scale * SCALE
    right, down = (each * MOVE for each in move)
    rows = [scale * turn.cos(), -scale * turn.sin(), right, scale * turn.sin(), scale * turn.cos(), down]
    grid = functional.affine_grid(
        torch.stack(rows, 1).view(-1, 2, 3), list(digits.shape), align_corners=False
    )
    return functional.grid_sample(digits, grid, align_corners=False)


class SmallNetwork(nn.Module):
    """Turns a digit into an embedding, and that into logits where there are classes."""

    def __init__(self, classes: int | None) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256, SIZE),
        )
        self.classify = (
            nn.Identity() if classes is None else nn.Sequential(nn.ReLU(), nn.Linear(SIZE, classes))
        )

    def forward(self, digits: Tensor) -> Tensor:
        """Give what the loss takes."""
        logits: Tensor = self.classify(self.embed(digits))
        return logits


def train(
    name: str, digits: Tensor, labels: Tensor, arguments: argparse.Namespace, console: Console
) -> nn.Module:
    """Train a network with one of the losses; return what embeds a digit."""
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    network = SmallNetwork(int(labels.max()) + 1 if name == "cross entropy" else None)
    loss = build(LOSSES[name])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, arguments.steps)
    for step in track(range(arguments.steps), name, console=console):
        chosen = torch.randint(len(digits), (BATCH,), generator=generator)
        value = loss(network(disturbed(digits[chosen], generator)), labels[chosen])
        if not math.isfinite(value.item()):
            raise FloatingPointError(f"{name}: the loss is {value.item()} at step {step}")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return network.embed.eval()


@torch.no_grad()
def neighbours(embeddings: Tensor) -> Tensor:
    """Return the most similar others of each row, the nearest first."""
    unit = functional.normalize(embeddings.flatten(1))
    return (unit @ unit.T).fill_diagonal_(-2).argsort(dim=1, descending=True)


def draw(found: dict[str, Tensor], digits: Tensor, labels: Tensor, output: Path) -> None:
    """Draw some digits, and their nearest neighbours by each embedding; wrong ones are crossed out."""
    plt.rcParams.update({"font.size": 9})
    asked, shown = [int((labels == digit).nonzero()[index]) for digit in HELD_OUT for index in (0, 1)], 4
    figure, axes = plt.subplots(
        len(asked), 1 + shown * len(found), figsize=(9, 4.2), layout="constrained", dpi=100
    )
    for row, query in zip(axes, asked, strict=True):
        others = [(name, int(each)) for name, order in found.items() for each in order[query, :shown]]
        for place, (each, (name, index)) in enumerate(zip(row, [("", query), *others], strict=True)):
            each.imshow(digits[index, 0], cmap="gray_r", vmin=0, vmax=1)
            each.set(xticks=[], yticks=[])
            each.spines[:].set_visible(place == 0)
            if labels[index] != labels[query]:
                each.plot([0, 7], [0, 7], color="#D55E00")
            if query == asked[0] and (place - 1) % shown == 0 and place:
                each.set_title(name, loc="left", fontsize=9)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def main() -> None:
    """Train both networks, ask all three for neighbours, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine; a network this small gains little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, default=Path("retrieve_digits.png"), help="where the picture goes"
    )
    parser.add_argument("--steps", type=int, default=300, help="training steps for each loss")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and the disturbances")
    arguments = parser.parse_args()
    data = load_digits()
    digits, labels = torch.tensor(data.images).float().unsqueeze(1) / 16, torch.tensor(data.target)
    is_held_out = torch.isin(labels, torch.tensor(HELD_OUT))
    asked = disturbed(digits[is_held_out], torch.Generator().manual_seed(arguments.seed))
    truth, console, start = labels[is_held_out], Console(), time.perf_counter()
    found = {"pixels": neighbours(asked)}
    for name in LOSSES:
        embed = train(name, digits[~is_held_out], labels[~is_held_out], arguments, console)
        with torch.no_grad():
            found[name] = neighbours(embed(asked))
    table = Table(title=f"Is the nearest of {len(truth)} digits of unseen kinds one of its kind?")
    table.add_column("embedding")
    table.add_column("recall at 1", justify="right")
    for name, order in found.items():
        table.add_row(name, f"{(truth[order[:, 0]] == truth).float().mean():.3f}")
    console.print(table)
    console.print(f"training took {time.perf_counter() - start:.1f} seconds")
    draw(found, asked, truth, arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
