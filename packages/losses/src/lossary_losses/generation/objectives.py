"""What a score costs in an adversarial game, by how far it is on the side where it should be."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.stable import softplus

__all__ = ["MARGINS", "Margin", "Objective"]

Objective = Literal["logistic", "hinge", "wasserstein", "least_squares"]
"""The names of the four objectives."""


class Margin(NamedTuple):
    """A cost that falls as a margin grows, and its derivative."""

    cost: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


MARGINS: Mapping[Objective, Margin] = {
    "logistic": Margin(
        cost=lambda margin: softplus(-margin),
        slope=lambda margin: torch.sigmoid(-margin).neg_(),
    ),
    "hinge": Margin(
        cost=lambda margin: torch.relu(1 - margin),
        slope=lambda margin: (margin < 1).to(margin.dtype).neg_(),
    ),
    "wasserstein": Margin(
        cost=lambda margin: -margin,
        slope=lambda margin: -torch.ones_like(margin),
    ),
    "least_squares": Margin(
        cost=lambda margin: (margin - 1).square(),
        slope=lambda margin: 2 * (margin - 1),
    ),
}
"""The four objectives."""
