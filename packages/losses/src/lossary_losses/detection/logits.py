"""What losses of detection share that compare logits with values from 0 to 1."""

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Dense, Selection, prepare
from lossary_losses._core.options import integer
from lossary_losses._core.pointwise import PointwiseLoss

__all__ = ["LogitLoss"]


@define_loss
class LogitLoss(PointwiseLoss):
    """A loss of logits, each for itself, against values from 0 to 1, such as how well a box fits."""

    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one value per element."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "probabilities")
