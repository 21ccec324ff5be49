"""Losses whose elements are vectors in the last dimension, such as the numbers of a box."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import (
    Dense,
    Selection,
    incompatible_shapes,
    prepare,
    require_mask,
    require_tensor,
)
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.streaming import streamed_sums
from lossary_losses.errors import InputValueError

__all__ = ["VectorLoss", "in_a_row"]


@define_loss
class VectorLoss(PointwiseLoss):
    """A loss of vectors, ``(*, V)``, each against one; they are computed with in one row, ``(N, V)``."""

    vector: ClassVar[tuple[str, int]]
    """What they are, and how many numbers each has."""

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Check the shapes, and bring the vectors into one row."""
        require_tensor(target, "target")
        things, length = self.vector
        if input.shape[-1:] != (length,):
            raise InputValueError(
                f"{things} have {length} numbers in the last dimension: "
                f"input {tuple(input.shape)}, target {tuple(target.shape)}"
            )
        if target.shape != input.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
        selection = self.selection_in_a_row(input, mask, weight)
        rows = input.reshape(-1, length)
        return prepare(rows, target.reshape(rows.shape), selection, "values")

    def selection_in_a_row(self, input: Tensor, mask: Tensor | None, weight: Tensor | None) -> Selection:
        """Flatten mask and weight, of which there is one number for each vector."""
        if mask is not None:
            require_mask(mask)
        return Selection(None, in_a_row(mask, input, "mask"), in_a_row(weight, input, "weight"))

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each vector."""
        dense = self.prepare(input, target, mask=mask, weight=weight)
        value, share = (each.reshape(input.shape[:-1]) for each in streamed_sums(self, dense))
        return Elements(value, share)


def in_a_row(of_vectors: Tensor | None, vectors: Tensor, name: str) -> Tensor | None:
    """Flatten what there is one of for each vector."""
    if of_vectors is None:
        return None
    require_tensor(of_vectors, name)
    if of_vectors.shape != vectors.shape[:-1]:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(vectors.shape)}, {name} {tuple(of_vectors.shape)}; "
            f"accepted for the {name}: {tuple(vectors.shape[:-1])}"
        )
    return of_vectors.reshape(-1)
