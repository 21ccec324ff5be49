"""Losses of pairs: what it costs that one of two has so much more than the other."""

from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.dense import Dense, Kind, Ready, Selection, kind_of, prepare
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh, widened
from lossary_losses._core.rows import require_shape
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import bounded
from lossary_losses.errors import InputValueError

__all__ = ["PairLoss"]


@define_loss
class PairLoss(PointwiseLoss):
    """A cost of the margin by which the preferred one of two leads; subclasses say which.

    Where the target is a probability for each of the two, the cost is what is to be expected.
    """

    def cost(self, margin: Tensor) -> Tensor:
        """Compute what it costs that the preferred one leads by a margin."""
        raise NotImplementedError(f"{type(self).__name__} must say what a margin costs")

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        reference: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The scores of both, such as log-probabilities; half precision is computed in float32.
            target: Which of the two is preferred, 0 or 1, or how likely each of them is.
            reference: The scores of the reference, which has no gradient; None: zero.
            mask: Bool, True where a pair counts; of shape ``(P,)``.
            weight: How much each pair counts; of shape ``(P,)``.

        Returns:
            A scalar, or each pair's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as an index given as floats.
        """
        return self.result(input, target, reference=reference, mask=mask, weight=weight)

    def elements(
        self, input: Tensor, target: Tensor, *, reference: Tensor | None = None, **given: Tensor | None
    ) -> Elements:
        """Give the loss of each pair."""
        return super().elements(_gains(input, reference), target, **given)

    @wherever_spread
    def fraction(
        self, input: Tensor, target: Tensor, *, reference: Tensor | None = None, **given: Tensor | None
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        return super().fraction(_gains(input, reference), target, **given)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as an index or as probabilities, by its shape."""
        kind: Kind = "labels" if kind_of(input, target) == "labels" else "distributions"
        return prepare(input, target, Selection(None, mask, weight), kind)

    def point(self, ready: Ready) -> Elements:
        """Give what each pair costs."""
        gains = bounded(ready.input)
        cost = self.cost(gains - gains.flip(1))
        if ready.kind == "labels":
            return weigh(cost.gather(1, ready.target), ready.share)
        return weigh((ready.target * cost).sum(dim=1, keepdim=True), ready.share)


def _gains(input: Tensor, reference: Tensor | None) -> Tensor:
    """Give by how much each score is above that of the reference."""
    require_floating_point(input, "input")
    if input.ndim != 2 or input.shape[1] != 2:  # noqa: PLR2004 - pairs
        raise InputValueError(f"input must be of shape (P, 2), got {tuple(input.shape)}")
    if reference is None:
        return input
    require_floating_point(reference, "reference")
    require_shape(reference, "reference", tuple(input.shape), input)
    input = bounded(widened(input))
    return input - bounded(reference.detach().to(input.dtype))
