"""What a student gives, and what its teacher gives."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses.testing.kinds.dense import DenseKind
from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["TeacherLogits", "TeacherScores", "TopLogProbabilities"]


@kind_registry.register(name="teacher_logits")
class TeacherLogits(DenseKind):
    """Logits ``(B, C, *S)`` of a student, and those of its teacher."""

    inputs = ("student_logits",)
    target = "teacher_logits"
    is_hard = False
    learning_rate = 0.05
    usual: ClassVar[tuple[str, ...]] = ("shift",)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw logits of their own."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give what the teacher gives."""
        del form
        return sample.truth.clone()

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give what the teacher finds least likely."""
        return -self.perfect(sample, form)

    def edges(self, sample: Sample) -> list[Sample]:
        """Give none: a teacher always says something."""
        del sample
        return []

    def changes(self) -> Mapping[str, Change]:
        """Add the same to all classes of a position, to the student's logits and to the teacher's."""
        return {"shift": lambda sample: sample.at(sample.input + 3).facing(sample.truth - 2)}


@kind_registry.register(name="top_log_probabilities")
class TopLogProbabilities(TeacherLogits):
    """Logits ``(B, C, *S)`` of a student, and logarithms of what its teacher gives to half of the classes."""

    target = "top_log_probabilities"

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw the logarithms of some of many probabilities."""
        every = super().draw_target(input, size, generator).log_softmax(dim=1)
        return every[:, : input.shape[1] // 2]

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give the classes what the teacher gives them, and the others the rest, one as much as another."""
        del form
        few, every = sample.truth.shape[1], sample.input.shape[1]
        rest = (-sample.truth.exp().sum(dim=1, keepdim=True)).log1p() - math.log(every - few)
        return rest.expand(sample.input.shape).scatter(1, sample.arguments["indices"], sample.truth)

    def changes(self) -> Mapping[str, Change]:
        """Add the same to all classes of a position."""
        return {"shift": lambda sample: sample.at(sample.input + 3)}


@kind_registry.register(name="teacher_scores")
class TeacherScores(Kind):
    """Logits ``(B, C)`` of a student, and those of its teacher."""

    inputs = ("student_scores",)
    target = "teacher_scores"
    layout = "B C"
    element = "sample"
    batch = 6
    least = 6
    usual: ClassVar[tuple[str, ...]] = ("shift",)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give a row of classes for each of the batch."""
        return (size.batch, size.channels)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw logits of their own."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each row."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Add the same to all classes, to the student's logits and to the teacher's."""
        return {"shift": lambda sample: sample.at(sample.input + 3).facing(sample.truth - 2)}
