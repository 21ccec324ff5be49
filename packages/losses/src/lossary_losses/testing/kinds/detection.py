"""What detectors put out beside boxes: edges over bins, key points, boxes that are turned."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Keypoints", "Places", "RotatedBoxes"]

_FAR = 1e3
_OUT = 1e3
"""How much likelier each bin is than the one beside it."""


@kind_registry.register(name="places")
class Places(Kind):
    """Logits over bins, ``(*, K)``, and a place between the first and the last of them."""

    inputs = ("place_logits",)
    target = "places"
    is_hard = False
    layout = "* K"
    element = "place"
    repeats = 1

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many distributions as there are positions."""
        return (size.batch, size.positions, size.channels)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw places anywhere between the bins."""
        del size
        share = torch.rand(input.shape[:-1], generator=generator, dtype=torch.float64)
        return share * (input.shape[-1] - 1)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Make bins the likelier the nearer they are."""
        del form
        bins = torch.arange(sample.input.shape[-1], dtype=sample.truth.dtype)
        return -_OUT * (bins - sample.truth.unsqueeze(-1)).abs()

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each place."""
        return tuple(sample.truth.shape)


@kind_registry.register(name="keypoints")
class Keypoints(Kind):
    """Points of objects, ``(*, K, 2)``, and where they should be."""

    inputs = ("keypoints",)
    target = "keypoints"
    layout = "* K 2"
    element = "keypoint"
    usual = ("shift", "exchange")

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give one object for each of the batch."""
        return (size.batch, size.positions, 2)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw points that are not far away."""
        del size
        return input + 0.3 * torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give points that are far away."""
        return self.perfect(sample, form) + _FAR

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each point."""
        return tuple(sample.input.shape[:-1])

    def changes(self) -> Mapping[str, Change]:
        """Shift both, or exchange input and target."""
        return {
            "shift": lambda sample: sample._replace(input=sample.input + 2, target=sample.truth + 2),
            "exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input),
        }


@kind_registry.register(name="rotated_boxes")
class RotatedBoxes(Kind):
    """Boxes by centre, sides and angle, ``x y w h a``, and the boxes that they should be."""

    inputs = ("rotated_boxes",)
    target = "rotated_boxes"
    layout = "* 5"
    element = "box"
    repeats = 1
    usual = ("scale", "shift", "half_turn", "quarter_turn")

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many boxes as there are positions."""
        return (size.batch, size.positions, 5)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw boxes of one to two, at any angle."""
        del form
        shape = self.shape(size)[:-1]
        centre = torch.randn(*shape, 2, generator=generator, dtype=torch.float64)
        sides = torch.rand(*shape, 2, generator=generator, dtype=torch.float64) + 1
        angle = math.pi * torch.rand(*shape, 1, generator=generator, dtype=torch.float64)
        return torch.cat([centre, sides, angle], dim=-1)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw boxes of their own, some of which overlap with those of the input."""
        del input
        return self.draw_input("rotated_boxes", size, generator)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give boxes that are far away."""
        return self.perfect(sample, form) + _FAR * torch.tensor([1, 1, 0, 0, 0])

    def far(self, input: Tensor, size: float) -> Tensor:
        """Give boxes that are as large, at the same angle."""
        return input * torch.tensor([size] * 4 + [1], dtype=input.dtype)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each box."""
        return tuple(sample.input.shape[:-1])

    def changes(self) -> Mapping[str, Change]:
        """Scale or shift both, exchange them, or name the input's sides in another order."""

        def quarter_turn(sample: Sample) -> Sample:
            x, y, width, height, angle = sample.input.unbind(-1)
            return sample.at(torch.stack([x, y, height, width, angle + math.pi / 2], dim=-1))

        return {
            "scale": lambda sample: sample.every(lambda boxes: boxes * boxes.new_tensor([3, 3, 3, 3, 1])),
            "shift": lambda sample: sample.every(lambda boxes: boxes + boxes.new_tensor([2, 2, 0, 0, 0])),
            "exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input),
            "half_turn": lambda sample: sample.at(
                sample.input + sample.input.new_tensor([0, 0, 0, 0, math.pi])
            ),
            "quarter_turn": quarter_turn,
        }
