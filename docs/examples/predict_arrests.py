"""Train networks to tell who is arrested again, and how soon, with the loss that one file names.

The data come with lifelines: 432 people who were released from prison and watched for a year (Rossi et al.
1980), with the week of the first arrest of those who were arrested. The others are censored: nothing is known
but that it did not happen within the year. Two thirds train a network without hidden layers, which is Cox's
model, and one with a hidden layer; they are scored on the other third, beside lifelines' own fit. This shows
how to train on times that are censored; what the data say about people is another matter.

    python docs/examples/predict_arrests.py --output predict_arrests.png --seed 0
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_rossi
from lifelines.utils import concordance_index
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from lossary_factory import build

CONFIG = Path(__file__).with_name("cox.yaml")
HIDDEN, DECAY = 8, 0.05

# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = ["#0072B2", "#E69F00"]


@dataclass
class People:
    """What is known of people (N, 7), the week of their arrest or of the end (N,), and which it was (N,)."""

    known: Tensor
    weeks: Tensor
    arrested: Tensor

    def part(self, which: Tensor) -> People:
        """Return some of the people."""
        return People(self.known[which], self.weeks[which], self.arrested[which])


def load_people(seed: int) -> tuple[People, People]:
    """Return two thirds to train on and the third that is held out, scaled by what the first are like."""
    table = load_rossi()
    known = torch.tensor(table.drop(columns=["week", "arrest"]).to_numpy(), dtype=torch.float64)
    weeks, arrested = torch.tensor(table["week"].to_numpy()), torch.tensor(table["arrest"].to_numpy() == 1)
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))
    first = order[: 2 * len(order) // 3]
    known = (known - known[first].mean(0)) / known[first].std(0)
    everyone = People(known, weeks, arrested)
    return everyone.part(first), everyone.part(order[len(first) :])


def fit_line(people: People) -> nn.Linear:
    """Fit Cox's model: the logarithm of a hazard is a weighted sum of what is known."""
    loss = build(CONFIG)
    network = nn.Linear(people.known.shape[1], 1, bias=False, dtype=torch.float64)
    nn.init.zeros_(network.weight)
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=100, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def step() -> Tensor:
        optimizer.zero_grad()
        value: Tensor = loss(network(people.known).squeeze(1), people.weeks, event=people.arrested)
        value.backward()
        return value

    optimizer.step(step)
    return network


def fit_network(people: People, steps: int) -> tuple[nn.Sequential, list[float]]:
    """Fit a network with a hidden layer; return it, and the loss at each step."""
    loss = build(CONFIG)
    network = nn.Sequential(
        nn.Linear(people.known.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1, bias=False)
    ).double()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=DECAY)
    curve = []
    for _ in range(steps):
        value = loss(network(people.known).squeeze(1), people.weeks, event=people.arrested)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        curve.append(value.item())
    return network, curve


@torch.no_grad()
def hazards(network: nn.Module, people: People) -> np.ndarray:
    """Return the logarithms of the hazards of people."""
    found: np.ndarray = network(people.known).squeeze(1).numpy()
    return found


def fit_lifelines(people: People) -> CoxPHFitter:
    """Fit Cox's model with lifelines."""
    table = load_rossi().drop(columns=["week", "arrest"]).iloc[:0].reindex(range(len(people.weeks)))
    table[:] = people.known.numpy()
    table["week"], table["arrest"] = people.weeks.numpy(), people.arrested.numpy()
    return CoxPHFitter().fit(table, "week", "arrest")


def concordance(log_hazards: np.ndarray, people: People) -> float:
    """Return how often, of two people, the one with the larger hazard was arrested first, by lifelines."""
    index = concordance_index(people.weeks.numpy(), -log_hazards, people.arrested.numpy())
    return float(index)


def draw(log_hazards: np.ndarray, people: People, curve: list[float], output: Path) -> None:
    """Draw how many of the half with the larger hazards, and of the other, were free, and the loss."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", dpi=100)
    is_larger = log_hazards > np.median(log_hazards)
    for which, name, colour in zip((is_larger, ~is_larger), ("larger", "smaller"), COLOURS, strict=True):
        fitted = KaplanMeierFitter().fit(people.weeks.numpy()[which], people.arrested.numpy()[which])
        free = fitted.survival_function_["KM_estimate"]
        left.step(free.index, free, where="post", color=colour, label=f"{name} half of hazards")
    left.set(title=f"{len(people.weeks)} people held out", xlabel="week", ylabel="not arrested", ylim=(0, 1))
    right.plot(curve, color=COLOURS[0])
    right.set(title="Loss of the network with a hidden layer", xlabel="step", xlim=(0, None))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def main() -> None:
    """Fit, score on the people held out, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, default=Path("predict_arrests.png"), help="where the picture goes"
    )
    parser.add_argument("--steps", type=int, default=40, help="steps of the network with a hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="decides who is held out, and the first weights")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    start, console = time.perf_counter(), Console()
    people, held_out = load_people(arguments.seed)
    line, (network, curve) = fit_line(people), fit_network(people, arguments.steps)
    theirs = fit_lifelines(people)
    their_weights = theirs.params_.to_numpy()
    found = {
        "lifelines, Cox's model": held_out.known.numpy() @ their_weights,
        "cox_loss, no hidden layer": hazards(line, held_out),
        "cox_loss, a hidden layer": hazards(network, held_out),
    }
    table = Table(
        title=f"{len(held_out.weeks)} people held out, {int(held_out.arrested.sum())} of them arrested"
    )
    table.add_column("")
    table.add_column("concordance", justify="right")
    for name, each in found.items():
        table.add_row(name, f"{concordance(each, held_out):.4f}")
    console.print(table)
    gap = np.abs(line.weight.detach().numpy()[0] - their_weights).max()
    console.print(f"largest difference to a weight of lifelines: {gap:.1e}")
    console.print(f"fitted in {time.perf_counter() - start:.1f} seconds")
    draw(found["cox_loss, a hidden layer"], held_out, curve, arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
