"""Examples: data of its kind for a loss, so that it can be tried without any."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds import find_kind

if TYPE_CHECKING:
    from lossary_losses._core.claims import Claims

__all__ = ["Example", "example_of"]

_CHANNELS = 4


class Example(NamedTuple):
    """What a loss may be called with."""

    tensors: tuple[Tensor, ...]
    """Input and target; the input alone where a loss has no target."""
    arguments: Mapping[str, Tensor]
    """What it needs besides."""


def example_of(loss: type[nn.Module], *, target: str | None = None, channels: int = _CHANNELS) -> Example:
    """Draw data for a loss that says by its claims what it takes; the same data every time.

    Args:
        loss: The class.
        target: The kind of target. Default: the first that it claims.
        channels: How many classes the data have, where they have any.

    Raises:
        ValueError: It claims nothing, or a kind that is not known.
    """
    claims: Claims | None = getattr(loss, "claims", None)
    if claims is None:
        raise ValueError(f"{loss.__name__} claims nothing, so that nobody knows what it takes")
    kind = find_kind(claims.input, target or next(iter(claims.targets)))
    data = Data(kind, claims.input, claims.arguments, channels)
    sample = data.draw(space=kind.shown_space, dtype=torch.float32)
    return Example(sample.given, sample.arguments)
