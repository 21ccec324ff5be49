"""Losses whose elements stand for themselves: a value and a slope for each, added up part by part."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.dense import TOGETHER, Dense, Ready, ready
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, Fraction
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.streaming import streamed_sums

__all__ = ["PointwiseLoss"]


@define_loss
class PointwiseLoss(ReducedLoss):
    """A loss that adds up over positions, none of which knows of another.

    Subclasses say what the target means (:meth:`prepare`) and what a position costs (:meth:`point`); a
    :meth:`slope` of their own spares the detour through autograd.
    """

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Check the shapes, and decide what the target means."""
        raise NotImplementedError(f"{type(self).__name__} must say what its target means")

    def point(self, ready: Ready) -> Elements:
        """Compute what each position costs, weights included, at the input's rank."""
        raise NotImplementedError(f"{type(self).__name__} must say what a position costs")

    def slope(self, ready: Ready) -> Tensor:
        """Compute the derivative of the sum of all costs with respect to the input."""
        with torch.enable_grad():
            input = ready.input.detach().requires_grad_()
            total = self.point(ready._replace(input=input)).value.sum()
        (slope,) = torch.autograd.grad(total, input)
        return slope

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Compute both; a subclass may share what they have in common."""
        return self.point(ready), self.slope(ready)

    def slope_given(self, ready: Ready, probability: Tensor) -> Tensor:
        """Compute the slope where the probabilities are known; of use where it is made of them."""
        del probability
        return self.slope(ready)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each position where classes exclude each other, else of each element."""
        dense = self.prepare(input, target, mask=mask, weight=weight)
        value, share = self.point(ready(dense))
        if (dense.kind == "labels" or dense.kind in TOGETHER) and value.shape[1] == 1:
            return Elements(value.squeeze(1), None if share is None else share.squeeze(1))
        return Elements(value, share)

    @wherever_spread
    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            dense = self.prepare(input, target, mask=mask, weight=weight)
            numerator, denominator = streamed_sums(self, dense)
        return Fraction(numerator.sum(), denominator.sum())

    def sums(self, ready: Ready) -> tuple[Tensor, Tensor]:
        """Add up, for each sample, what its positions cost and how much they count."""
        return _add_up(self.point(ready))

    def sums_with_draft(self, ready: Ready, draft: Tensor) -> tuple[Tensor, ...]:
        """Add up, and write down the slopes: the gradient, but for that of each sample's sum."""
        elements, slope = self.point_and_slope(ready)
        draft.copy_(slope)
        return _add_up(elements)

    def finish(self, draft: Tensor, part: Callable[[], Ready], upstream: tuple[Tensor, ...]) -> None:
        """Multiply by the gradient of each sample's sum."""
        del part
        draft.mul_(upstream[0].reshape(-1, *(1 for _ in draft.shape[1:])))


def _add_up(elements: Elements) -> tuple[Tensor, Tensor]:
    value, share = elements
    if share is None:
        return _per_sample(value), value.new_full(value.shape[:1], math.prod(value.shape[1:]))
    return _per_sample(value), _per_sample(share.expand_as(value))


def _per_sample(values: Tensor) -> Tensor:
    return values.sum(tuple(range(1, values.ndim))) if values.ndim > 1 else values
