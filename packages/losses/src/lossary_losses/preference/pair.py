"""Losses of pairs: what it costs that one of two has so much more than the other."""

from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.dense import Dense, Kind, Ready, Selection, kind_of, prepare
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import bounded
from lossary_losses.errors import InputValueError
from lossary_losses.preference.gain import gain_over

__all__ = ["PairLoss", "ReferredPairLoss", "expected_cost", "prepare_pairs"]


@define_loss
class PairLoss(PointwiseLoss):
    """A cost of the margin by which the preferred one of two leads; subclasses say which.

    Where the target is a probability for each of the two, the cost is what is to be expected.
    """

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The scores of both, such as log-probabilities; half precision is computed in float32.
            target: Which of the two is preferred, 0 or 1, or how likely each of them is.
            mask: Bool, True where a pair counts; of shape ``(P,)``.
            weight: How much each pair counts; of shape ``(P,)``.

        Returns:
            A scalar, or each pair's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as an index given as floats.
        """
        return self.result(input, target, mask=mask, weight=weight)

    def cost(self, margin: Tensor) -> Tensor:
        """Compute what it costs that the preferred one leads by a margin."""
        raise NotImplementedError(f"{type(self).__name__} must say what a margin costs")

    def costs(self, scores: Tensor) -> Tensor:
        """Compute what it costs that the first is preferred, and that the second is."""
        return self.cost(scores - scores.flip(1))

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as an index or as probabilities, by its shape."""
        return prepare_pairs(input, target, mask=mask, weight=weight)

    def point(self, ready: Ready) -> Elements:
        """Give what each pair costs."""
        return expected_cost(self.costs(bounded(ready.input)), ready)


@define_loss
class ReferredPairLoss(PairLoss):
    """A cost of the margin by which the preferred one of two has gained more over a reference."""

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
            input: The log-probabilities of both; half precision is computed in float32.
            target: Which of the two is preferred, 0 or 1, or how likely each of them is.
            reference: The log-probabilities of the reference, which has no gradient; None: zero.
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


def prepare_pairs(input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes, and take the target as an index or as probabilities."""
    _require_pairs(input)
    kind: Kind = "labels" if kind_of(input, target) == "labels" else "distributions"
    return prepare(input, target, Selection(None, mask, weight), kind)


def expected_cost(costs: Tensor, ready: Ready) -> Elements:
    """Give the cost of the one that is preferred, or, where that is a matter of probability, the mean."""
    if ready.kind == "labels":
        return weigh(costs.gather(1, ready.target), ready.share)
    return weigh((ready.target * costs).sum(dim=1, keepdim=True), ready.share)


def _gains(input: Tensor, reference: Tensor | None) -> Tensor:
    """Give by how much each score is above that of the reference."""
    _require_pairs(input)
    return gain_over(input, reference)


def _require_pairs(input: Tensor) -> None:
    require_floating_point(input, "input")
    if input.ndim != 2 or input.shape[1] != 2:  # noqa: PLR2004 - pairs
        raise InputValueError(f"input must be of shape (P, 2), got {tuple(input.shape)}")
