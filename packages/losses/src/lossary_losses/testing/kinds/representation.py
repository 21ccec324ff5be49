"""Embeddings ``(B, D)``: with a second view, with identities, or alone."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry, rotation
from lossary_losses.testing.sample import Sample

__all__ = ["Embeddings", "EmbeddingsAlone", "Identities"]

_DIMENSIONS = 6


class _Rows(Kind):
    """Embeddings, one in each row."""

    inputs = ("embeddings",)
    layout = "B D"
    element = "anchor"
    batch = 6
    least = 6
    usual: ClassVar[tuple[str, ...]] = ("rotation",)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give one for each of the batch."""
        return (size.batch, _DIMENSIONS)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each row."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Turn all embeddings alike, or make them longer."""

        def turned(tensor: Tensor) -> Tensor:
            is_embedding = tensor.is_floating_point() and tensor.shape[-1:] == (_DIMENSIONS,)
            return tensor @ rotation(_DIMENSIONS, tensor.dtype) if is_embedding else tensor

        def turned_sample(sample: Sample) -> Sample:
            arguments = {name: turned(value) for name, value in sample.arguments.items()}
            return sample.mapped(turned, turned)._replace(arguments=arguments)

        return {
            "rotation": turned_sample,
            "scale": lambda sample: sample.at(3 * sample.input),
        }


@kind_registry.register(name="embeddings")
class Embeddings(_Rows):
    """Embeddings, and those of a second view of the same things."""

    target = "embeddings"

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a second view that has something of the first."""
        del size
        return input + torch.randn(input.shape, generator=generator, dtype=torch.float64)


@kind_registry.register(name="identities")
class Identities(_Rows):
    """Embeddings, and whose they are: any numbers that say who is the same."""

    target = "identities"
    is_differentiable = False
    usual = ("rotation", "renaming")
    target_dtypes = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw identities, each of which stands at least twice where there is room."""
        del input
        return torch.randperm(size.batch, generator=generator) // 2

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give each identity an axis of its own."""
        del form
        axes = torch.eye(_DIMENSIONS, dtype=sample.input.dtype, device=sample.input.device)
        return axes[sample.truth % _DIMENSIONS]

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give all the same, whoever they are."""
        del form
        return torch.ones_like(sample.input)

    def edges(self, sample: Sample) -> list[Sample]:
        """Leave nothing to learn, so that no pair is worth comparing."""
        return [sample.at(self.perfect(sample, "embeddings"))]

    def changes(self) -> Mapping[str, Change]:
        """Give the identities other numbers, too."""
        return {
            **super().changes(),
            "renaming": lambda sample: sample.facing(sample.truth.max() + 1 - sample.truth),
        }


@kind_registry.register(name="embeddings_alone")
class EmbeddingsAlone(_Rows):
    """Embeddings, and nothing beside."""

    target = "nothing"
    is_differentiable = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> None:
        """Draw nothing."""
        del input, size, generator

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Spread the embeddings over the axes."""
        del form
        axes = torch.eye(_DIMENSIONS, dtype=sample.input.dtype, device=sample.input.device)
        return axes[torch.arange(len(sample.input)) % _DIMENSIONS]

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give all the same."""
        del form
        return torch.ones_like(sample.input)
