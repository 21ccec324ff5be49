"""What is told of a loss on one batch: numbers, sentences, JSON, a figure."""

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import attrs
from torch import Tensor

from lossary_losses.insight.figure import draw
from lossary_losses.insight.parts import ClassPull, Conflict, Health, TermPull
from lossary_losses.insight.sentences import of_classes, of_health, of_samples, of_terms

__all__ = ["Report"]


@attrs.frozen(kw_only=True, repr=False)
class Report:
    """Which parts of a loss pull at its input, on one batch."""

    loss: str
    value: float
    norm: float
    """How long the gradient is."""
    terms: Mapping[str, TermPull]
    """By the path that leads to each, such as ``"heads/depth"``."""
    conflicts: Sequence[Conflict]
    classes: Mapping[str, ClassPull]
    matrix: Sequence[Sequence[float]] | None
    """For labels: a row for each true class, and in it the sum of the gradient at each logit."""
    samples: Sequence[float]
    """The share of each sample in the squared gradient."""
    positions: Tensor | None
    """The share of each position, ``(B, *S)``."""
    health: Health
    top: int = 5
    """How many classes and samples the text names."""

    def sentences(self) -> list[str]:
        """Say in words what stands out, the worst first."""
        return [
            *of_health(self.health, self.norm),
            *of_terms(self.terms, self.conflicts),
            *of_classes(self.classes, self.norm),
            *of_samples(self.samples),
        ]

    def scalars(self) -> dict[str, float]:
        """Give what can be logged, by flat names."""
        flat = {"value": self.value, "norm": self.norm, "largest": self.health.largest}
        for name, term in self.terms.items():
            flat |= {f"{name}/value": term.value, f"{name}/pull": term.pull}
        flat |= {f"{each.first}~{each.second}/cosine": each.cosine for each in self.conflicts}
        flat |= {f"class_{name}/pull": each.pull for name, each in self.classes.items()}
        flat["dead"] = self.health.dead / max(self.health.elements, 1)
        return flat

    def to_json(self) -> str:
        """Give everything but the map of positions as JSON; NaN and infinities become null."""
        content = attrs.asdict(self, filter=lambda field, _: field.name not in ("positions", "top"))
        return json.dumps({**_finite(content), "sentences": self.sentences()}, indent=1, ensure_ascii=False)

    def figure(self, path: str | PathLike[str]) -> None:
        """Draw value and pull of the terms, the matrix of classes and a map of the first sample.

        Raises:
            MissingPackageError: matplotlib is not installed.
        """
        title = "\n".join([f"{self.loss}: {self.value:.4g}", *self.sentences()[:2]])
        draw(
            path,
            title=title,
            terms=self.terms,
            classes=self.classes,
            samples=self.samples,
            matrix=self.matrix,
            positions=self.positions,
        )

    def __str__(self) -> str:
        """Give a table of the terms and of the classes that pull most, and the sentences."""
        lines = [f"{self.loss}: value {self.value:.4g}, gradient {self.norm:.4g}"]
        lines += [
            f"  {name}: {term.value:.4g}, {term.share:.0%} of the value, {term.pull:.0%} of the pull"
            for name, term in self.terms.items()
        ]
        strongest = sorted(self.classes.items(), key=lambda each: -each[1].pull)[: self.top]
        lines += [
            f"  class {name}: {each.pull:.0%} of the pull, {each.counted} counted" for name, each in strongest
        ]
        return "\n".join([*lines, *self.sentences()])


def _finite(content: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(content, Mapping):
        return {name: _finite(each) for name, each in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(each) for each in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
