"""What losses share that depend on the difference of input and target alone."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare
from lossary_losses._core.options import number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times

__all__ = ["DifferenceLoss"]


@define_loss
class DifferenceLoss(PointwiseLoss):
    """A loss of ``input - target``; subclasses say what a difference costs, and how fast the cost rises."""

    claims: ClassVar = Claims(targets={"values": {}}, input="values", layout="*")

    ignore_index: float | None = number(default=None)

    def cost(self, difference: Tensor) -> Tensor:
        """Compute what each difference costs."""
        raise NotImplementedError(f"{type(self).__name__} must say what a difference costs")

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Compute the derivative of the cost."""
        raise NotImplementedError(f"{type(self).__name__} must say how fast its cost rises")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one value per element."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "values")

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each element."""
        return weigh(self.cost(ready.input - ready.target), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of each element."""
        return times(self.cost_slope(ready.input - ready.target), ready.share)
