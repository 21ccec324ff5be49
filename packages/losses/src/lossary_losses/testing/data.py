"""The data that rules are tried on: random, but always the same."""

import math
from collections.abc import Mapping

import attrs
import torch
from torch import Tensor

from lossary_losses.testing.arguments import POSITIONAL, SHARED, draw_argument
from lossary_losses.testing.kinds import Kind, Size
from lossary_losses.testing.kinds.dense import DenseKind
from lossary_losses.testing.sample import Sample

__all__ = ["Data"]

_MOST = 0.6


@attrs.frozen
class Data:
    """Draws samples of one kind, as one loss takes them."""

    kind: Kind
    input: str
    """Which of the inputs of the kind."""
    arguments: Mapping[str, str]
    channels: int

    @property
    def target(self) -> str:
        """What the target is, in the words of a claim."""
        return self.kind.target

    @property
    def has_target(self) -> bool:
        """Whether there is a target at all."""
        return self.target != "nothing"

    @property
    def is_dense(self) -> bool:
        """Whether there are classes or values at each position."""
        return isinstance(self.kind, DenseKind)

    @property
    def has_channels(self) -> bool:
        """Whether an input has a class dimension, and space after it."""
        return self.kind.layout == "B C *S"

    @property
    def has_labels(self) -> bool:
        """Whether the target holds class indices, one dimension less than the input."""
        return self.is_dense and self.target in ("labels", "ordinal")

    @property
    def bounded(self) -> bool:
        """Whether a perfect prediction is a number to be met, not a logit as far out as can be."""
        return self.kind.is_met or self.input == "probabilities"

    @property
    def has_size(self) -> bool:
        """Whether the numbers of an input may be as large as they like."""
        return self.kind.has_size and self.input != "probabilities"

    @property
    def least(self) -> int:
        """How few samples a batch may have."""
        return self.kind.least

    def draw(
        self,
        batch: int | None = None,
        space: tuple[int, ...] | None = None,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
    ) -> Sample:
        """Draw a sample; its numbers depend on the seed alone."""
        kind = self.kind
        size = Size(
            kind.batch if batch is None else batch, kind.space if space is None else space, self.channels
        )
        generator = torch.Generator().manual_seed(seed)
        input = kind.draw_input(self.input, size, generator)
        target = kind.draw_target(input, size, generator)
        arguments = {
            name: _cast(draw_argument(argument, kind, input, size, generator), dtype)
            for name, argument in self.arguments.items()
        }
        shared = frozenset(name for name, argument in self.arguments.items() if argument in SHARED)
        positional = frozenset(name for name, argument in self.arguments.items() if argument in POSITIONAL)
        target = None if target is None else _cast(target, dtype)
        return Sample(input.to(dtype), target, arguments, shared, positional)

    def perfect(self, sample: Sample) -> Tensor:
        """Give an input that predicts a sample's hard target, or values, perfectly."""
        return self.kind.perfect(sample, self.input)

    def opposite(self, sample: Sample) -> Tensor:
        """Give an input that is as wrong as can be about a sample's target."""
        return self.kind.opposite(sample, self.input)

    def membership(self, sample: Sample) -> Tensor:
        """Give where a dense sample's hard target has each class, in the input's shape."""
        if not isinstance(self.kind, DenseKind):
            raise TypeError(f"there are no classes in {self.input} with {self.target}")
        return self.kind.membership(sample)

    def of_position(self, positions: Tensor, sample: Sample) -> Tensor:
        """Bring positions to the target's shape."""
        return self.kind.over(positions, sample.truth)

    def everything(self, sample: Sample) -> Tensor:
        """Give a mask under which everything counts."""
        return torch.ones(self.kind.positions(sample), dtype=torch.bool)

    def most(self, sample: Sample) -> Tensor:
        """Give a mask under which most counts: of each row equally much, or most of the samples."""
        shape = self.kind.positions(sample)
        order = torch.rand(shape, generator=torch.Generator().manual_seed(1))
        rows = math.prod(shape[: self.kind.rows]) if len(shape) > 1 else 1
        order = order.reshape(rows, -1)
        return (order.argsort(dim=1) < round(_MOST * order.shape[1])).reshape(shape)

    def uneven(self, sample: Sample) -> Tensor:
        """Give a mask under which samples count differently, the first less than the second."""
        shape = self.kind.positions(sample)
        mask = torch.rand(shape, generator=torch.Generator().manual_seed(4)) < 0.7  # noqa: PLR2004 - most of them
        if len(shape) > 1:
            mask[0].view(-1)[: mask[0].numel() // len(mask[0])] = False
        else:
            mask[0], mask[1:3] = False, True
        return mask

    def weight(self, sample: Sample) -> Tensor:
        """Give a weight above zero to each that may have one."""
        shape = self.kind.weights(sample)
        drawn = torch.rand(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        return (2 * drawn + 0.1).to(sample.input.dtype)


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
