"""What losses share that know how often each class occurs, and take class indices."""

from collections.abc import Sequence
from typing import ClassVar, cast

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Selection, per_channel, prepare
from lossary_losses._core.options import integer, per_class
from lossary_losses._core.pointwise import PointwiseLoss

__all__ = ["ClassCountsLoss", "counts_like"]


def counts_like(class_counts: Sequence[float] | Tensor, input: Tensor) -> Tensor:
    """Bring the counts to the rank, dtype and device of an input ``(B, C, *S)``, and check their number."""
    return cast("Tensor", per_channel(class_counts, input, "class_counts"))


@define_loss
class ClassCountsLoss(PointwiseLoss):
    """A loss of class indices that depends on how often each class occurs in the training data."""

    claims: ClassVar = Claims(
        targets={"labels": {}}, options={"class_counts": [1000, 100, 10, 1]}, learns_at=1000.0
    )

    class_counts: Sequence[float] | Tensor = per_class(above=0)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as class indices."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "labels")
