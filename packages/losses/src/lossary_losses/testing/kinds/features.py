"""Features: what a layer gives of a sample, and what it should give; and gradients of their shape."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Features", "Gradients"]

_STEEP = 1e3


@kind_registry.register(name="features")
class Features(Kind):
    """Features of each sample, and those of a teacher; a loss of several layers is tried on one of them."""

    inputs = ("features",)
    target = "features"
    layout = "B *"
    element = "sample"
    learning_rate = 0.05

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch, channels and space."""
        return (size.batch, size.channels, *size.space)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor | None:
        """Draw features of their own."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each sample."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Exchange both."""
        return {"exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input)}


@kind_registry.register(name="gradients")
class Gradients(Features):
    """Gradients of scores with respect to what was judged, one of each sample, and nothing beside."""

    inputs = ("gradients",)
    target = "nothing"
    is_differentiable = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> None:
        """Draw nothing."""
        del input, size, generator

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Let no score change."""
        del form
        return torch.zeros_like(sample.input)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Let every score change fast."""
        return self.perfect(sample, form) + _STEEP

    def changes(self) -> Mapping[str, Change]:
        """Turn the gradients around."""
        return {"sign": lambda sample: sample.at(-sample.input)}
