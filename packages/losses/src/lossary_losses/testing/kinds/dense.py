"""Dense data: classes or values at each position, ``(B, C, *S)``."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["HARD", "LABELS", "UNIT", "DenseKind"]

LABELS = frozenset({"labels"})
HARD = frozenset({"labels", "binary", "one_hot"})
"""Targets that say which classes are there, and nothing between."""
UNIT = frozenset({"binary", "soft", "one_hot", "distributions"})
"""Targets of numbers from 0 to 1, in the input's shape."""

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_OUT = 1e4
"""How far out a logit can be."""


class DenseKind(Kind):
    """What all dense kinds share: positions, each with a vector over the classes."""

    inputs: ClassVar[tuple[str, ...]] = ("logits", "probabilities", "values")
    layout = "B C *S"
    element = "position"
    repeats = -1

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch, channels and space."""
        return (size.batch, size.channels, *size.space)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw any numbers, or numbers from 0 to 1."""
        input = super().draw_input(form, size, generator)
        return input.sigmoid() if form == "probabilities" else input

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give certainty about each class."""
        truth = self.membership(sample).to(sample.input.dtype)
        return truth if form == "probabilities" else (truth * 2 - 1) * _OUT

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give certainty about what is wrong."""
        perfect = self.perfect(sample, form)
        return 1 - perfect if form == "probabilities" else -perfect

    def membership(self, sample: Sample) -> Tensor:
        """Tell where a sample's hard target has each class, in the input's shape."""
        return sample.truth > 0

    def edges(self, sample: Sample) -> list[Sample]:
        """Let a class, or all of them, be nowhere."""
        return [sample.facing(torch.zeros_like(sample.truth))]

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give batch and space."""
        return (sample.input.shape[0], *sample.input.shape[2:])

    def over(self, mask: Tensor, tensor: Tensor) -> Tensor:
        """Repeat a mask of positions over the channels, where a tensor has them."""
        return mask if tensor.ndim == mask.ndim else mask.unsqueeze(1).expand_as(tensor)

    def cut(self, sample: Sample, kept: Tensor) -> Sample:
        """Cut positions out; space becomes one row, which is two-dimensional still."""

        def left(tensor: Tensor) -> Tensor:
            each = [
                values[..., where].unsqueeze(-2)
                for values, where in zip(tensor.flatten(-2), kept.flatten(1), strict=True)
            ]
            return torch.stack(each)

        return sample.every(left)

    def wrong_targets(self, sample: Sample) -> list[tuple[int, ...]]:
        """Give shapes that are wrong for any target."""
        batch, channels, height, width = sample.input.shape
        shapes = {
            (batch + 1, channels, height, width),
            (batch, channels, height),
            (batch, height + 1, width),
            (batch, 1, height, width),
            (batch, channels, 1, width),
            (1, channels, height, width),
            (width,),
            (1,),
        }
        return sorted(shapes - {tuple(sample.input.shape)}, key=str)


@kind_registry.register(name="labels")
class Labels(DenseKind):
    """Class indices ``(B, *S)``."""

    target = "labels"
    is_differentiable = False
    is_met = False
    learning_rate = 0.5
    target_dtypes = _INTEGERS

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw class indices."""
        del input
        return torch.randint(0, size.channels, (size.batch, *size.space), generator=generator)

    def membership(self, sample: Sample) -> Tensor:
        """Tell where each class is the label."""
        classes = torch.arange(sample.input.shape[1], device=sample.input.device)
        return sample.truth.unsqueeze(1) == classes.reshape(1, -1, *(1 for _ in sample.truth.shape[1:]))


@kind_registry.register(name="binary")
class Binary(DenseKind):
    """Zero and one, in the input's shape."""

    target = "binary"
    is_differentiable = False
    is_met = False
    learning_rate = 0.5
    target_dtypes = (*_INTEGERS, torch.bool, torch.float16, torch.bfloat16)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw zeros and ones."""
        del size
        return torch.randint(0, 2, input.shape, generator=generator).double()


@kind_registry.register(name="one_hot")
class OneHot(DenseKind):
    """One for one class and zero for the others, in the input's shape."""

    target = "one_hot"
    is_differentiable = False
    is_met = False
    learning_rate = 0.5
    target_dtypes = (*_INTEGERS, torch.bool, torch.float16, torch.bfloat16)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw the class of each position."""
        labels = torch.randint(0, size.channels, (size.batch, *size.space), generator=generator)
        return torch.zeros(input.shape, dtype=torch.float64).scatter_(1, labels.unsqueeze(1), 1)

    def edges(self, sample: Sample) -> list[Sample]:
        """Let the last class be everywhere."""
        last = torch.zeros_like(sample.truth)
        last[:, -1] = 1
        return [sample.facing(last)]


@kind_registry.register(name="soft")
class Soft(DenseKind):
    """Numbers from 0 to 1, in the input's shape."""

    target = "soft"
    is_hard = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw numbers from 0 to 1."""
        del size
        return torch.rand(input.shape, generator=generator, dtype=torch.float64)


@kind_registry.register(name="distributions")
class Distributions(DenseKind):
    """Probabilities over the classes, in the input's shape."""

    target = "distributions"
    is_hard = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a distribution for each position."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64).softmax(1)

    def free(self, target: Tensor) -> Tensor:
        """Give the logarithms, any of which may be moved."""
        return target.log()

    def bound(self, numbers: Tensor) -> Tensor:
        """Give the distributions of logarithms."""
        return numbers.softmax(1)

    def edges(self, sample: Sample) -> list[Sample]:
        """Let the last class be everywhere."""
        last = torch.zeros_like(sample.truth)
        last[:, -1] = 1
        return [sample.facing(last)]


@kind_registry.register(name="ordinal")
class Ordinal(DenseKind):
    """Class indices ``(B, *S)`` of classes in an order, one more than there are thresholds between them."""

    target = "ordinal"
    is_differentiable = False
    is_met = False
    learning_rate = 0.5
    target_dtypes = _INTEGERS

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw class indices, the last one beyond the last threshold."""
        del input
        return torch.randint(0, size.channels + 1, (size.batch, *size.space), generator=generator)

    def membership(self, sample: Sample) -> Tensor:
        """Tell which thresholds each class is beyond."""
        thresholds = torch.arange(sample.input.shape[1], device=sample.input.device)
        return sample.truth.unsqueeze(1) > thresholds.reshape(1, -1, *(1 for _ in sample.truth.shape[1:]))


@kind_registry.register(name="values")
class Values(DenseKind):
    """Any numbers, in the input's shape."""

    target = "values"

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw any numbers."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give the values themselves."""
        del form
        return sample.truth.clone()

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give the values with the other sign."""
        return -self.perfect(sample, form)

    def edges(self, sample: Sample) -> list[Sample]:
        """Give none: no value is missing."""
        del sample
        return []


@kind_registry.register(name="logits_alone")
class LogitsAlone(DenseKind):
    """Logits, or whatever else there is of each class, and nothing beside."""

    target = "nothing"
    is_differentiable = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> None:
        """Draw nothing."""
        del input, size, generator

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give logarithms of probabilities, all alike."""
        del form
        return torch.zeros_like(sample.input).log_softmax(dim=1)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give logits that all are large."""
        del form
        return torch.full_like(sample.input, _OUT)

    def edges(self, sample: Sample) -> list[Sample]:
        """Give none: there is nothing that could be missing."""
        del sample
        return []
