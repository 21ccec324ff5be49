"""Write the pages of the losses from their cards: docs/losses/*.md, the gallery, and its curves.

    python docs/generate.py [--curves]

Curves are drawn only when asked for: they need matplotlib, and hardly ever change. A test compares the pages
with what this writes.
"""

import argparse
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lossary_losses import Card, Claims, Paper, ReducedLoss, cards, loss_registry
from lossary_losses.testing import Kind, find_kind
from lossary_losses.testing.kinds.dense import DenseKind

DOCS = Path(__file__).parent
TASKS = {
    "segmentation": "Segmentation",
    "classification": "Classification",
    "regression": "Regression",
    "detection": "Detection",
    "image": "Images",
    "audio": "Audio",
    "geometry": "Geometry",
    "generation": "Generation",
    "representation": "Representation",
    "ranking": "Ranking",
    "survival": "Survival",
    "forecasting": "Forecasting",
    "preference": "Preference",
    "policy": "Policies",
    "distillation": "Distillation",
    "language": "Language",
    "composite": "Composites",
}
TARGETS = {
    "labels": "class indices `(B, *S)`",
    "binary": "0 and 1, in the input's shape",
    "soft": "values from 0 to 1, in the input's shape",
    "one_hot": "one-hot, in the input's shape",
    "distributions": "probabilities over the classes, in the input's shape",
    "values": "any numbers, in the input's shape",
    "nothing": "none",
    "ordinal": "class indices `(B, *S)`, of one class more than the input has channels",
    "teacher_logits": "logits of the teacher, in the input's shape",
    "teacher_scores": "logits of the teacher, in the input's shape",
    "top_log_probabilities": "logarithms of what the teacher gives a few classes, `(B, K, *S)`",
}
AT_SOFT = {
    "zero": "zero where the prediction equals it",
    "lowest": "lowest, though not zero, where the prediction equals it",
    "elsewhere": "lowest somewhere else than where the prediction equals it",
}
LINKS = {
    "arXiv": "https://arxiv.org/abs/",
    "doi": "https://doi.org/",
    "openreview": "https://openreview.net/forum?id=",
}


def markdown(text: str) -> str:
    """Turn the roles of a docstring into Markdown."""
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    text = re.sub(r":(?:class|func|meth|mod):`~?([^`]*)`", r"`\1`", text)
    return text.replace("``", "`")


def page(card: Card) -> str:
    """Write the page of a loss."""
    parts = [
        f"# {card.name}",
        markdown(card.summary),
        f"`{card.path.partition(':')[2]}`, tagged {', '.join(f'`{tag}`' for tag in card.tags)}.",
        f"$$\n{card.formula}\n$$",
        markdown(card.notes),
        f"![Value and gradient](../images/curves/{card.name}.svg)" if has_curve(card) else "",
        section("Convention", markdown(card.convention)),
        section("Shapes", entries({f"`{key}`": text for key, text in card.shapes.items()})),
        section("Options", entries({f"`{key}`": text for key, text in card.options.items()})),
        section("Example", f"```pycon\n{card.example}\n```"),
        section("Claims", claims(card)),
        section("Raises", entries({f"`{key}`": text for key, text in card.raises.items()})),
        section("References", "\n".join(f"- {cited(paper)}" for paper in card.papers)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def section(title: str, text: str) -> str:
    """Write a section, if it says anything."""
    return f"## {title}\n\n{text}" if text else ""


def entries(texts: dict[str, str]) -> str:
    """Write a list of names and what is to be said of them."""
    return "\n".join(f"- {name}: {markdown(text)}" for name, text in texts.items())


def claims(card: Card) -> str:
    """Say what a loss claims; the conformance suite tests each line."""
    if card.claims is None:
        return ""
    claimed = card.claims
    lines = [f"Input: {claimed.input.replace('_', ' ')}, `{claimed.layout}`."]
    for target, options in claimed.targets.items():
        kind = find_kind(claimed.input, target)
        said = ", ".join(f"`{name}={value!r}`" for name, value in options.items())
        if isinstance(kind, DenseKind):
            lines.append(f"Target: {TARGETS[target]}" + (f", with {said}." if said else "."))
        else:
            lines.append(f"Data: {(kind.__doc__ or '').strip()}")
        lines += data_claims(claimed, kind) if target == next(iter(claimed.targets)) else []
    low = "unbounded" if claimed.low is None else f"{claimed.low:g}"
    high = "unbounded" if claimed.high is None else f"{claimed.high:g}"
    lines.append(f"An element is at least {low} and at most {high}.")
    if claimed.perfect is not None:
        lines.append(f"A perfect prediction gives {claimed.perfect:g}, and nothing gives less.")
    if {"soft", "distributions"} & set(claimed.targets):
        lines.append(f"With a soft target it is {AT_SOFT[claimed.at_soft]}.")
    lines += [f"`{rule}` does not apply: {reason}." for rule, reason in claimed.exempt.items()]
    return "\n".join(f"- {line}" for line in lines)


def data_claims(claimed: Claims, kind: Kind) -> list[str]:
    """Say what an element is, and what must not matter to it."""
    lines = [f"Element, which a mean divides by and a mask takes out: {claimed.element or kind.element}."]
    lines += [f"`{name}`: {argument.replace('_', ' ')}." for name, argument in claimed.arguments.items()]
    if claimed.couples:
        lines.append(f"Elements of a {claimed.couples} look at one another: it cannot be computed in parts.")
    if claimed.reach is not None:
        lines.append("An element sees its neighbours, as far as its window reaches.")
    changes = kind.usual if claimed.invariant is None else claimed.invariant
    if changes:
        lines.append(f"It stays as it is under: {', '.join(each.replace('_', ' ') for each in changes)}.")
    if claimed.adds_up == "no":
        lines.append("Fractions of parts of a batch do not add up.")
    if claimed.memory is not None:
        lines.append(f"Forward and backward allocate at most {claimed.memory:g} times the input.")
    return lines


def cited(paper: Paper) -> str:
    """Cite a paper, with a link."""
    scheme, _, identifier = paper.id.partition(":")
    return f"{paper.authors} {paper.year}, *{paper.title}*, [{paper.id}]({LINKS[scheme]}{identifier})"


def overview(all_cards: dict[str, Card]) -> str:
    """Write the table of contents, by task."""
    groups: dict[str, list[Card]] = defaultdict(list)
    for card in all_cards.values():
        groups[next(task for task in TASKS if task in card.tags)].append(card)
    lines = [
        "# The losses",
        "",
        "A page for each, written from its card; `lossary_losses.cards()` gives the same as data.",
        "The [gallery](../gallery.md) shows their curves, and the guide to",
        "[choosing a loss](../guides/choosing-a-loss.md) says which to take.",
    ]
    for task, title in TASKS.items():
        lines += ["", f"## {title}", "", "| name | what it is |", "|---|---|"]
        lines += [f"| [{card.name}]({card.name}.md) | {markdown(card.summary)} |" for card in groups[task]]
    return "\n".join(lines) + "\n"


def gallery(all_cards: dict[str, Card]) -> str:
    """Write the page of all curves."""
    lines = [
        "# Gallery",
        "",
        "The value (solid) and the gradient (dashed) of each loss that adds up over positions: against the",
        "difference of input and target, or against the logit of the truth. Drawn from the code.",
    ]
    for card in all_cards.values():
        if has_curve(card):
            image = f"![Value and gradient](images/curves/{card.name}.svg)"
            lines += ["", f"## [{card.name}](losses/{card.name}.md)", "", markdown(card.summary), "", image]
    return "\n".join(lines) + "\n"


def has_curve(card: Card) -> bool:
    """Tell whether a loss is a function of one number for each position."""
    loss = loss_registry.get(card.name)
    if card.claims is None or not issubclass(loss, ReducedLoss):
        return False
    if card.claims.input not in ("logits", "probabilities", "values"):
        return False
    if card.claims.input != "values" and not {"binary", "labels"} & card.claims.targets.keys():
        return False  # classes in an order, say, have no single logit of the truth
    x, value, _ = curve(loss, card)
    return value.shape == x.shape


def curve(loss: type[nn.Module], card: Card) -> tuple[Tensor, Tensor, Tensor]:
    """Compute a loss at positions over a range of differences, or of logits of the truth, and its slope."""
    assert card.claims is not None  # noqa: S101 - tells the type checker
    options: dict[str, Any] = {**card.claims.options, "reduction": "none"}
    x = torch.linspace(-6, 6, 481, dtype=torch.float64, requires_grad=True)
    input = x.reshape(1, 1, -1)
    if card.claims.input == "values":
        target = torch.zeros_like(input)
    elif "binary" in card.claims.targets:
        target = torch.ones_like(input)
    else:
        others = input.new_zeros(1, 3 if card.claims.options else 1, len(x))
        input = torch.cat([input, others], dim=1)
        target = torch.zeros(1, len(x), dtype=torch.int64)
    arguments = {name: torch.ones_like(input) for name in card.claims.arguments}
    value = loss(**options)(input, target, **arguments).squeeze()
    (slope,) = torch.autograd.grad(value.sum(), x)
    return x.detach(), value.detach(), slope


def draw(card: Card, path: Path) -> None:
    """Draw the curve of a loss, on a background that suits light and dark pages."""
    import matplotlib as mpl  # noqa: PLC0415 - pages are written without it
    from matplotlib.figure import Figure  # noqa: PLC0415

    x, value, slope = curve(loss_registry.get(card.name), card)
    mpl.rcParams["svg.hashsalt"] = card.name  # the same drawing is the same file
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(x, value, color="#1f6feb", label="value")
    axes.plot(x, slope, color="#d1580d", linestyle="--", label="gradient")
    axes.axhline(0, color="#888888", linewidth=0.6)
    regression = card.claims is not None and card.claims.input == "values"
    axes.set_xlabel("input - target" if regression else "logit of the truth")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def pages() -> dict[Path, str]:
    """Give every page that is written, by where it is."""
    all_cards = cards()
    written = {DOCS / "losses" / f"{name}.md": page(card) for name, card in all_cards.items()}
    written[DOCS / "losses" / "index.md"] = overview(all_cards)
    written[DOCS / "gallery.md"] = gallery(all_cards)
    return written


def main() -> None:
    """Write the pages, and draw the curves if asked."""
    parser = argparse.ArgumentParser(description="Write the pages of the losses from their cards.")
    parser.add_argument("--curves", action="store_true", help="draw the curves as well; needs matplotlib")
    arguments = parser.parse_args()
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if arguments.curves:
        folder = DOCS / "images" / "curves"
        folder.mkdir(parents=True, exist_ok=True)
        for card in cards().values():
            if has_curve(card):
                draw(card, folder / f"{card.name}.svg")


if __name__ == "__main__":
    main()
