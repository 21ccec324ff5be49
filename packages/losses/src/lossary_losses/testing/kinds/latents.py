"""What generative models give: numbers of any shape, such as noise, codes, or the means of a distribution."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Latents", "LatentsAlone"]

_FAR = 1e3


@kind_registry.register(name="latents")
class Latents(Kind):
    """Numbers of any shape, and those that they should be."""

    inputs = ("latents",)
    target = "latents"
    layout = "*"
    element = "element"
    repeats = -1
    learning_rate = 0.05

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch, channels and space."""
        return (size.batch, size.channels, *size.space)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor | None:
        """Draw numbers of their own."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give what is far away."""
        return self.perfect(sample, form) + _FAR

    def changes(self) -> Mapping[str, Change]:
        """Shift both."""
        return {"shift": lambda sample: sample._replace(input=sample.input + 2, target=sample.truth + 2)}


@kind_registry.register(name="latents_alone")
class LatentsAlone(Latents):
    """Numbers of any shape, and nothing beside."""

    target = "nothing"
    is_differentiable = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> None:
        """Draw nothing."""
        del input, size, generator

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give zeros."""
        del form
        return torch.zeros_like(sample.input)

    def changes(self) -> Mapping[str, Change]:
        """Turn the numbers around."""
        return {"sign": lambda sample: sample.at(-sample.input)}
