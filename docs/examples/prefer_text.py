"""Teach a small transformer to prefer sentences to their shuffled words, with the loss that one file names.

The text is what Python says of itself: the docstrings of its standard library. A language model of characters
is first trained on them as they are; a copy of it is the reference. Then it learns from pairs, a sentence and
the same words in another order, to prefer the sentence: direct preference optimisation. It is scored on pairs
from modules that it never saw, by the implicit reward: how much likelier a text has become than under the
reference. With a model this small and minutes of a CPU, this shows how to train on preferences, not how well
that can be done.

    python docs/examples/prefer_text.py --output prefer_text.png --steps 150 --seed 0
"""

from __future__ import annotations

import argparse
import copy
import importlib
import inspect
import math
import random
import re
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from lossary_factory import build

CONFIG = Path(__file__).with_name("dpo.yaml")
SHOWN = [
    *("argparse", "ast", "asyncio", "calendar", "collections", "concurrent.futures", "configparser", "csv"),
    *("ctypes", "dataclasses", "datetime", "decimal", "difflib", "doctest", "email.message", "enum"),
    *("fractions", "functools", "http.client", "inspect", "ipaddress", "itertools", "logging", "os"),
    *("pathlib", "pickle", "random", "shutil", "socket", "ssl", "string", "subprocess", "tarfile"),
    *("tempfile", "threading", "typing", "unittest", "urllib.request", "weakref", "zipfile"),
]
HELD_OUT = ["gettext", "heapq", "imaplib", "mailbox", "sched", "smtplib", "statistics", "textwrap", "turtle"]
"""Modules whose sentences the model never sees."""

SHORTEST, LONGEST = 24, 64
"""How many characters a sentence has."""
BATCH, PAIRS = 24, 16
FIRST_STEPS = 400
"""How long the model reads sentences before it learns to prefer them."""
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789 .,;:'()-_"
END = len(CHARACTERS)
"""What stands before and after a text."""

# Okabe and Ito's colours, which the colour-blind tell apart.
CHOSEN, REJECTED, LOSS = "#0072B2", "#E69F00", "#009E73"


@dataclass
class Texts:
    """Texts as numbers of their characters, (B, T), each after a sign of its beginning; the ends pad."""

    characters: Tensor
    mask: Tensor
    """True where a character is to be predicted: (B, T - 1)."""


@dataclass
class Step:
    """What a step of preference optimisation came to: the loss, and the implicit rewards of both texts."""

    loss: float
    chosen: float
    rejected: float


def sentences(modules: list[str]) -> list[str]:
    """Return the sentences of the docstrings of modules, of which each is there once."""
    found: dict[str, None] = {}
    for name in modules:
        module = importlib.import_module(name)
        owners = [module, *(each for _, each in inspect.getmembers(module, inspect.isclass))]
        members = [each for owner in owners for _, each in inspect.getmembers(owner, callable)]
        for each in [*owners, *members]:
            text = " ".join((inspect.getdoc(each) or "").lower().split())
            for sentence in re.split(r"(?<=[.]) ", text):
                if SHORTEST <= len(sentence) <= LONGEST and set(sentence) <= set(CHARACTERS):
                    found[sentence] = None
    return list(found)


def shuffled(sentence: str, generator: random.Random) -> str:
    """Return the words of a sentence in another order."""
    words = sentence.split()
    generator.shuffle(words)
    return " ".join(words)


def as_numbers(texts: list[str]) -> Texts:
    """Return texts as tensors."""
    longest = max(map(len, texts))
    rows = [[END, *map(CHARACTERS.index, text), *[END] * (longest + 1 - len(text))] for text in texts]
    lengths = torch.tensor([len(text) + 1 for text in texts])
    return Texts(torch.tensor(rows), torch.arange(longest + 1) < lengths.unsqueeze(1))


class SmallTransformer(nn.Module):
    """A language model of characters: two layers that look back."""

    def __init__(self, width: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.characters = nn.Embedding(len(CHARACTERS) + 1, width)
        self.places = nn.Embedding(LONGEST + 2, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, len(CHARACTERS) + 1)

    def forward(self, characters: Tensor) -> Tensor:
        """Return logits (B, T, V) of what comes next."""
        length = characters.shape[1]
        hidden = self.characters(characters) + self.places(torch.arange(length))
        later = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.layers(hidden, mask=later, is_causal=True))


def log_probabilities(model: nn.Module, texts: Texts) -> Tensor:
    """Return the log-probability of each text, (B,)."""
    logits = model(texts.characters[:, :-1])
    each = -functional.cross_entropy(logits.transpose(1, 2), texts.characters[:, 1:], reduction="none")
    return torch.where(texts.mask, each, 0).sum(1)


def of_pairs(model: nn.Module, pairs: list[tuple[str, str]]) -> Tensor:
    """Return the log-probabilities of both texts of each pair, (P, 2)."""
    texts = [text for pair in zip(*pairs, strict=True) for text in pair]
    return log_probabilities(model, as_numbers(texts)).view(2, -1).T


def read(model: nn.Module, texts: list[str], generator: random.Random, console: Console) -> None:
    """Train a language model on texts as they are."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, FIRST_STEPS)
    for _ in track(range(FIRST_STEPS), "reading", console=console):
        batch = as_numbers(generator.sample(texts, BATCH))
        loss = -log_probabilities(model, batch).sum() / batch.mask.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def prefer(
    model: nn.Module,
    texts: list[str],
    steps: int,
    generator: random.Random,
    console: Console,
) -> list[Step]:
    """Train a model to prefer sentences, with the loss that the file names; return what each step came to.

    The reference is the model as it comes.
    """
    reference = copy.deepcopy(model).requires_grad_(requires_grad=False)
    loss = build(CONFIG)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0003)
    first = torch.zeros(PAIRS, dtype=torch.long)  # the first of each pair is preferred
    curve = []
    for step in track(range(steps), CONFIG.name, console=console):
        pairs = [(text, shuffled(text, generator)) for text in generator.sample(texts, PAIRS)]
        with torch.no_grad():
            before = of_pairs(reference, pairs)
        now = of_pairs(model, pairs)
        value = loss(now, first, reference=before)
        if not math.isfinite(value.item()):
            raise FloatingPointError(f"{CONFIG.name}: the loss is {value.item()} at step {step}")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        chosen, rejected = (loss.beta * (now.detach() - before)).mean(0).tolist()
        curve.append(Step(value.item(), chosen, rejected))
    return curve


def table(before: Tensor, after: Tensor) -> Table:
    """Return the table of results: how many pairs are the right way round, and by how much."""
    result = Table(title=f"{len(before)} pairs from modules that the model never saw")
    for column in ("", "the sentence is ahead", "mean lead, in nats"):
        result.add_column(column, justify="right")
    for name, scores in (("log-probability, before", before), ("implicit reward, after", after)):
        lead = scores[:, 0] - scores[:, 1]
        result.add_row(name, f"{(lead > 0).double().mean():.1%}", f"{lead.mean():.1f}")
    return result


def draw(curve: list[Step], lead: Tensor, output: Path) -> None:
    """Draw the loss, the implicit rewards, and the leads on pairs that were held out."""
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", dpi=100)
    left.plot([each.loss for each in curve], color=LOSS, linewidth=1.2)
    left.set(title="DPO loss", xlabel="step", xlim=(0, None), ylim=(0, None))
    middle.plot([each.chosen for each in curve], color=CHOSEN, label="sentence", linewidth=1.2)
    middle.plot([each.rejected for each in curve], color=REJECTED, label="shuffled", linewidth=1.2)
    middle.set(title="Implicit reward", xlabel="step", xlim=(0, None))
    middle.legend(frameon=False)
    right.hist(lead.tolist(), bins=30, color=CHOSEN)
    right.axvline(0, color="gray", linewidth=0.8)
    right.set(title="Lead of held-out sentences", xlabel="nats", ylabel="pairs")
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)
    plt.close(figure)


def main() -> None:
    """Train a language model, let it learn preferences, score it on others, draw the picture."""
    mpl.use("Agg")  # draws into a file, screen or no screen
    torch.set_num_threads(1)  # the same numbers on any machine; a model this small gains little from more
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("prefer_text.png"), help="where the picture goes")
    parser.add_argument("--steps", type=int, default=150, help="steps of preference optimisation")
    parser.add_argument("--seed", type=int, default=0, help="decides the first weights and all that is drawn")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    generator, console = random.Random(arguments.seed), Console()  # noqa: S311 - no secret
    texts, others = sentences(SHOWN), sentences(HELD_OUT)
    unseen = [text for text in others if text not in set(texts)]
    held_out = [(text, shuffled(text, generator)) for text in unseen]
    held_out = [(text, other) for text, other in held_out if text != other]
    console.print(f"{len(texts)} sentences to learn from, {len(held_out)} held out")
    start = time.perf_counter()
    model = SmallTransformer()
    read(model, texts, generator, console)
    with torch.no_grad():
        before = of_pairs(model, held_out)
    curve = prefer(model, texts, arguments.steps, generator, console)
    with torch.no_grad():
        after = of_pairs(model, held_out) - before  # the implicit rewards, but for beta
    console.print(table(before, after))
    console.print(f"{FIRST_STEPS} and {arguments.steps} steps took {time.perf_counter() - start:.1f} seconds")
    draw(curve, after[:, 0] - after[:, 1], arguments.output)
    console.print(f"The picture is in {arguments.output.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    main()
