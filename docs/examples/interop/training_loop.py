"""A plain training loop: the loss comes from a file, and its weights follow their schedules.

python docs/examples/interop/training_loop.py [CONFIG]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

from lossary_factory import build
from lossary_losses import WeightedSum

CONFIG = Path(__file__).with_name("training.yaml")


def train(config: Path, steps: int = 60) -> list[float]:
    """Fit a line, and return the loss at each step."""
    torch.manual_seed(0)
    # Any other loss is refused before anything is built; and type checkers know what this one can do.
    loss = build(config, key="loss", expect=WeightedSum)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs = torch.linspace(-1, 1, 32).unsqueeze(1)
    targets = 2 * inputs + 1
    totals = []
    for step in range(steps):
        loss.set_progress(step=step)
        total, terms = loss.evaluate(model(inputs), targets)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
        if step % 20 == 0:
            shown = ", ".join(f"{name} {term.item():.4f}" for name, term in terms.items())
            print(f"step {step}: {total.item():.4f} ({shown})")
    return totals


if __name__ == "__main__":
    train(Path(sys.argv[1]) if len(sys.argv) > 1 else CONFIG)
