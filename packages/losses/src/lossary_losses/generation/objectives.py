"""What a score costs in an adversarial game, by how far it is on the side where it should not be."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.stable import softplus

__all__ = ["PENALTIES", "Objective", "Penalty"]

Objective = Literal["logistic", "hinge", "wasserstein", "least_squares"]
"""The names of the four objectives."""


class Penalty(NamedTuple):
    """A cost that rises as a score, or the difference of two, goes the wrong way, and its derivative."""

    cost: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


PENALTIES: Mapping[Objective, Penalty] = {
    "logistic": Penalty(cost=softplus, slope=torch.sigmoid),
    "hinge": Penalty(
        cost=lambda wrong: torch.relu(1 + wrong),
        slope=lambda wrong: (wrong > -1).to(wrong.dtype),
    ),
    "wasserstein": Penalty(cost=lambda wrong: wrong, slope=torch.ones_like),
    "least_squares": Penalty(
        cost=lambda wrong: (1 + wrong).square(),
        slope=lambda wrong: 2 * (1 + wrong),
    ),
}
"""The four objectives."""
