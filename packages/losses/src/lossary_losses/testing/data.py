"""The data that rules are tried on: random, but always the same."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import attrs
import torch
from torch import Tensor

from lossary_losses._core.claims import ArgumentKind, InputKind, TargetKind

__all__ = ["HARD_KINDS", "LABEL_KINDS", "SPACE", "UNIT_KINDS", "Data", "Sample"]

SPACE = (3, 5)
"""The spatial dimensions of data, unless a rule says otherwise."""

LABEL_KINDS = frozenset({"labels"})
HARD_KINDS = frozenset({"labels", "binary", "one_hot"})
UNIT_KINDS = frozenset({"binary", "soft", "one_hot", "distributions"})


class Sample(NamedTuple):
    """What a loss is called with."""

    input: Tensor
    target: Tensor
    arguments: Mapping[str, Tensor]
    """What else ``forward`` needs, of the input's shape."""

    def mapped(self, of_input: Callable[[Tensor], Tensor], of_target: Callable[[Tensor], Tensor]) -> "Sample":
        """Give a sample changed by functions of tensors of the input's and the target's shape."""
        arguments = {name: of_input(value) for name, value in self.arguments.items()}
        return Sample(of_input(self.input), of_target(self.target), arguments)

    def every(self, function: Callable[[Tensor], Tensor]) -> "Sample":
        """Give a sample with every tensor changed alike."""
        return self.mapped(function, function)

    def at(self, input: Tensor) -> "Sample":
        """Give the sample with another input."""
        return self._replace(input=input)


@attrs.frozen
class Data:
    """Draws samples of one kind."""

    kind: TargetKind
    input: InputKind
    arguments: Mapping[str, ArgumentKind]
    channels: int

    @property
    def has_labels(self) -> bool:
        """Whether the target holds class indices, one dimension less than the input."""
        return self.kind == "labels"

    @property
    def bounded(self) -> bool:
        """Whether a perfect prediction is a number to be met, not a logit as far out as can be."""
        return self.kind == "values" or self.input == "probabilities"

    def draw(
        self,
        batch: int = 2,
        space: tuple[int, ...] = SPACE,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
    ) -> Sample:
        """Draw a sample; its numbers depend on the seed alone."""
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, self.channels, *space)
        input = torch.randn(shape, generator=generator, dtype=torch.float64)
        if self.input == "probabilities":
            input = input.sigmoid()
        target = self._target(shape, generator)
        arguments = {
            name: torch.rand(shape, generator=generator, dtype=torch.float64).add(0.5).to(dtype)
            for name in self.arguments
        }
        return Sample(input.to(dtype), target if self.has_labels else target.to(dtype), arguments)

    def perfect(self, sample: Sample) -> Tensor:
        """Give an input that predicts a sample's hard target, or values, perfectly."""
        if self.kind == "values":
            return sample.target.clone()
        truth = self.membership(sample).to(sample.input.dtype)
        return truth if self.input == "probabilities" else (truth * 2 - 1) * 1e4

    def opposite(self, sample: Sample) -> Tensor:
        """Give an input that is as wrong as can be about a sample's hard target."""
        perfect = self.perfect(sample)
        return 1 - perfect if self.input == "probabilities" else -perfect

    def membership(self, sample: Sample) -> Tensor:
        """Give where a sample's hard target has each class, in the input's shape."""
        if not self.has_labels:
            return sample.target > 0
        classes = torch.arange(self.channels).reshape(1, -1, *(1 for _ in sample.target.shape[1:]))
        return sample.target.unsqueeze(1) == classes

    def of_position(self, positions: Tensor, sample: Sample) -> Tensor:
        """Bring positions ``(B, *S)`` to the target's shape."""
        return positions if self.has_labels else positions.unsqueeze(1).expand_as(sample.target)

    def _target(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        positions = (shape[0], *shape[2:])
        if self.kind == "labels":
            return torch.randint(0, self.channels, positions, generator=generator)
        if self.kind == "binary":
            return torch.randint(0, 2, shape, generator=generator).double()
        if self.kind == "one_hot":
            labels = torch.randint(0, self.channels, positions, generator=generator)
            return torch.zeros(shape, dtype=torch.float64).scatter_(1, labels.unsqueeze(1), 1)
        if self.kind == "soft":
            return torch.rand(shape, generator=generator, dtype=torch.float64)
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        return values.softmax(1) if self.kind == "distributions" else values
