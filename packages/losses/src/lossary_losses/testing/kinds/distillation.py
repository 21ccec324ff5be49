"""What a student gives, and what its teacher gives."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses.testing.kinds.dense import DenseKind
from lossary_losses.testing.kinds.kind import Change, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["TeacherLogits"]


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
