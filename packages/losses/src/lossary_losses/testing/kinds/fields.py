"""Fields of values, whose samples are elements: solutions of equations, and maps of depth."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Depths", "Fields"]


@kind_registry.register(name="fields")
class Fields(Kind):
    """Fields of any shape, and those that they should be; each sample is an element, of many positions."""

    inputs = ("fields",)
    target = "fields"
    layout = "B *"
    element = "sample"
    learning_rate = 0.05

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch, channels and space."""
        return (size.batch, size.channels, *size.space)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a field of its own."""
        del input
        return self.draw_input("fields", size, generator)

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each sample."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Multiply both fields, or the input alone."""
        return {
            "common_gain": lambda sample: sample.every(lambda field: 3 * field),
            "gain": lambda sample: sample.at(3 * sample.input),
        }


@kind_registry.register(name="depths")
class Depths(Fields):
    """Maps of depth, which is above zero."""

    inputs = ("depths",)
    target = "depths"

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw depths of half to five."""
        del form
        return 0.5 + 4.5 * torch.rand(self.shape(size), generator=generator, dtype=torch.float64)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give near what is far."""
        return 1 / self.perfect(sample, form)
