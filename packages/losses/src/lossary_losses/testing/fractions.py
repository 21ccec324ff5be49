"""Fractions of a loss under test, by leaf: of a composite there are several, of any other loss one."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lossary_losses.testing.sample import Sample

__all__ = ["Leaves", "added", "counts_of", "leaves_of", "mean_of"]

Leaves = Mapping[str, tuple[Tensor, Tensor]]
"""Numerator and denominator of each leaf."""


def leaves_of(loss: nn.Module, sample: Sample, **given: Tensor) -> Leaves:
    """Give what ``fraction`` says of a sample."""
    found: Any = loss.fraction(*sample.given, **sample.arguments, **given)  # type: ignore[operator]
    return found if isinstance(found, Mapping) else {"": tuple(found)}


def counts_of(loss: nn.Module, sample: Sample, **given: Tensor) -> Mapping[str, Tensor]:
    """Give what ``counts`` says of a sample."""
    found: Any = loss.counts(  # type: ignore[operator]
        *sample.given[1:], like=sample.input.shape, **sample.arguments, **given
    )
    return found if isinstance(found, Mapping) else {"": found}


def added(parts: Iterable[Leaves]) -> Leaves:
    """Add up what parts of a batch give."""
    total: dict[str, tuple[Tensor, Tensor]] = {}
    for part in parts:
        for leaf, (numerator, denominator) in part.items():
            before = total.get(leaf, (0, 0))
            total[leaf] = numerator + before[0], denominator + before[1]
    return total


def mean_of(leaves: Leaves) -> Tensor:
    """Give the sum of the means of all leaves."""
    return torch.stack([numerator / denominator for numerator, denominator in leaves.values()]).sum()
