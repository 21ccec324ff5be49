"""Boxes, points and rotations."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry, rotation
from lossary_losses.testing.sample import Sample

__all__ = ["Boxes", "Points", "Rotations"]

_FAR = 1e3
_DIMENSIONS = 3


@kind_registry.register(name="boxes")
class Boxes(Kind):
    """Boxes by their corners, ``x1 y1 x2 y2``, and the boxes that they should be."""

    inputs = ("boxes",)
    target = "boxes"
    layout = "* 4"
    element = "box"
    repeats = 1
    usual = ("scale", "shift", "swap_of_axes", "exchange")
    learning_rate = 0.1

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many boxes as there are positions."""
        return (size.batch, size.positions, 4)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw boxes of half to one and a half."""
        del form
        corner = torch.randn(size.batch, size.positions, 2, generator=generator, dtype=torch.float64)
        extent = torch.rand(corner.shape, generator=generator, dtype=torch.float64) + 0.5
        return torch.cat([corner, corner + extent], dim=-1)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw boxes of their own, some of which overlap with those of the input."""
        del input
        return self.draw_input("boxes", size, generator)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give boxes that are far away."""
        return self.perfect(sample, form) + _FAR

    def far(self, input: Tensor, size: float) -> Tensor:
        """Give boxes that are as large."""
        return input * size

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each box."""
        return tuple(sample.input.shape[:-1])

    def changes(self) -> Mapping[str, Change]:
        """Scale, shift, swap the axes, or exchange input and target."""
        return {
            "scale": lambda sample: sample.every(lambda boxes: 3 * boxes),
            "shift": lambda sample: sample.every(lambda boxes: boxes + 2),
            "swap_of_axes": lambda sample: sample.every(lambda boxes: boxes[..., [1, 0, 3, 2]]),
            "exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input),
        }


@kind_registry.register(name="points")
class Points(Kind):
    """Clouds of points ``(B, N, D)``, and the clouds that they should be, of one point less."""

    inputs = ("points",)
    target = "points"
    can_be_large = False
    layout = "B N D"
    element = "sample"
    usual = ("rigid_motion", "order_of_points")

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give one point more than there are positions, in three dimensions."""
        return (size.batch, size.positions + 1, _DIMENSIONS)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a cloud of its own."""
        del input
        shape = (size.batch, size.positions, _DIMENSIONS)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give the target, of which one point is there twice."""
        del form
        return torch.cat([sample.truth, sample.truth[:, :1]], dim=1)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give a cloud that is far away."""
        return self.perfect(sample, form) + _FAR

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each point of the target."""
        return tuple(sample.truth.shape[:-1])

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each cloud."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Move both clouds alike, or name the points in another order."""
        turn = rotation(_DIMENSIONS)
        return {
            "rigid_motion": lambda sample: sample.every(lambda points: points @ turn.to(points.dtype) + 2),
            "order_of_points": lambda sample: sample.mapped(
                lambda points: points.flip(1), lambda points: points.roll(1, 1)
            ),
        }


@kind_registry.register(name="rotations")
class Rotations(Kind):
    """Rotation matrices ``(*, 3, 3)``, and those that they should be."""

    inputs = ("rotations",)
    target = "rotations"
    has_size = False
    is_differentiable = False  # moved one by one, its numbers are those of no rotation
    layout = "* 3 3"
    element = "rotation"
    usual = ("turn", "exchange")

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many rotations as there are positions."""
        return (size.batch, size.positions, _DIMENSIONS, _DIMENSIONS)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw rotations."""
        numbers = super().draw_input(form, size, generator)
        if not numbers.numel():
            return numbers
        turned: Tensor = torch.linalg.qr(numbers)[0]
        signs = torch.linalg.det(turned).sign()
        return torch.cat([turned[..., :1] * signs[..., None, None], turned[..., 1:]], dim=-1)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw rotations of their own."""
        del input
        return self.draw_input("rotations", size, generator)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give what is half a turn away."""
        return self.perfect(sample, form) * torch.tensor([-1, -1, 1])

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each rotation."""
        return tuple(sample.input.shape[:-2])

    def changes(self) -> Mapping[str, Change]:
        """Turn both alike, or exchange input and target."""
        turn = rotation(_DIMENSIONS)
        return {
            "turn": lambda sample: sample.every(lambda rotations: turn.to(rotations.dtype) @ rotations),
            "exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input),
        }
