"""Teach a small network to read digits: from labels alone, or from a larger network as well.

The digits come with scikit-learn, eight by eight pixels each. A larger network learns from all that are to be
trained on; the small ones see a few of these, with their labels, and what the larger one says of them. Each
is scored on digits that none has seen, and the table has the mean over several seeds.

    python docs/examples/distil_digits.py --steps 300 --seeds 5
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from torch import Tensor, nn

from lossary_losses import CrossEntropyLoss, DKDLoss, KLDistillationLoss

CLASSES, PIXELS = 10, 64
TRAINED_ON, SHOWN = 1000, 100
"""How many digits the teacher learns from, and how many of them a student sees."""

SHARE_OF_LABELS = 0.2
"""How much the labels count for a student that has a teacher as well."""

Cost = Callable[[Tensor, Tensor, Tensor], Tensor]
"""What a student's logits cost, given the teacher's and the labels."""


@dataclass
class Digits:
    """Pictures (N, PIXELS), from 0 to 1, and which digits they are (N,)."""

    pictures: Tensor
    labels: Tensor

    def some(self, places: Tensor | slice) -> Digits:
        """Give some of them."""
        return Digits(self.pictures[places], self.labels[places])


def load() -> tuple[Digits, Digits]:
    """Return the digits to train on and those that are held out."""
    data = load_digits()
    every = Digits(
        torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(data.target, dtype=torch.long)
    )
    order = torch.randperm(len(every.labels), generator=torch.Generator().manual_seed(0))
    return every.some(order[:TRAINED_ON]), every.some(order[TRAINED_ON:])


def network(width: int) -> nn.Sequential:
    """Build a network with one hidden layer."""
    return nn.Sequential(nn.Linear(PIXELS, width), nn.ReLU(), nn.Linear(width, CLASSES))


def costs() -> dict[str, Cost]:
    """Say what students are to learn from, by names for the table."""
    of_labels = CrossEntropyLoss()
    soft, decoupled = KLDistillationLoss(temperature=4.0), DKDLoss(temperature=4.0)

    def beside_labels(student: Tensor, labels: Tensor, from_teacher: Tensor) -> Tensor:
        return torch.lerp(from_teacher, of_labels(student, labels), SHARE_OF_LABELS)

    return {
        "labels alone": lambda student, _, labels: of_labels(student, labels),
        "kl_distillation_loss": lambda student, teacher, labels: beside_labels(
            student, labels, soft(student, teacher)
        ),
        "dkd_loss": lambda student, teacher, labels: beside_labels(
            student, labels, decoupled(student, teacher, labels=labels)
        ),
    }


def train(learner: nn.Module, digits: Digits, teacher: Tensor, cost: Cost, steps: int) -> None:
    """Train a network on all of the digits in every step."""
    optimizer = torch.optim.Adam(learner.parameters(), lr=0.01)
    for step in range(steps):
        value = cost(learner(digits.pictures), teacher, digits.labels)
        if not math.isfinite(value.item()):
            raise FloatingPointError(f"the loss is {value.item()} at step {step}")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(learner: nn.Module, digits: Digits) -> float:
    """Give the share of digits that are read right."""
    return (learner(digits.pictures).argmax(dim=1) == digits.labels).float().mean().item()


def compare(steps: int, seeds: int, console: Console) -> dict[str, list[float]]:
    """Train a teacher and its students with each seed; return the accuracies of each."""
    digits, held_out = load()
    every = costs()
    scores: dict[str, list[float]] = {name: [] for name in ("the teacher", *every)}
    for seed in track(range(seeds), "seeds", console=console):
        torch.manual_seed(seed)
        teacher = network(256)
        train(teacher, digits, digits.pictures, every["labels alone"], steps)
        scores["the teacher"].append(accuracy(teacher, held_out))
        shown = digits.some(torch.randperm(TRAINED_ON)[:SHOWN])
        with torch.no_grad():
            said = teacher(shown.pictures)
        for name, cost in every.items():
            torch.manual_seed(seed)  # all students begin alike
            student = network(8)
            train(student, shown, said, cost, steps)
            scores[name].append(accuracy(student, held_out))
    return scores


def table(scores: dict[str, list[float]]) -> Table:
    """Return the table of results."""
    result = Table(title="Digits that were not seen, of students with eight hidden units")
    for column in ("learned from", "read right", "worst seed", "best seed"):
        result.add_column(column, justify="right")
    for name, each in scores.items():
        numbers = (sum(each) / len(each), min(each), max(each))
        result.add_row(name, *(f"{number:.1%}" for number in numbers))
    return result


def main() -> None:
    """Train teachers and students, and show how well they read."""
    torch.set_num_threads(1)  # the same numbers on any machine; networks this small gain little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=300, help="training steps of each network")
    parser.add_argument("--seeds", type=int, default=5, help="how often all is repeated")
    arguments = parser.parse_args()
    console = Console()
    start = time.perf_counter()
    console.print(table(compare(arguments.steps, arguments.seeds, console)))
    console.print(f"It took {time.perf_counter() - start:.1f} seconds")


if __name__ == "__main__":
    main()
