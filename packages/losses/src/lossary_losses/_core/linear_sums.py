"""Sums over positions of what logits cost, where the logits are a projection of hidden states.

The forward pass computes the gradients as well, while it has the logits of a part, and the backward pass
multiplies them by what became of the sum: three products of matrices, as if the logits were held. Where a
graph is compiled, transformed or differentiated twice, the formula is evaluated on the whole instead: the
numbers are the same.
"""

from typing import Any

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import values_readable
from lossary_losses._core.dense import Ready
from lossary_losses._core.frozen import freeze
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.projection import Gradients, Head, are_many_logits, gradients_of
from lossary_losses._core.reduction import Fraction, to_fraction
from lossary_losses._core.streaming import is_seen_as_a_whole_only

__all__ = ["linear_sums", "with_logits"]


def linear_sums(formula: PointwiseLoss, head: Head, ready: Ready) -> Fraction:
    """Add up what a formula of logits costs and counts, over rows of hidden states.

    Args:
        formula: Any loss of positions ``(N, V)``.
        head: What makes the logits.
        ready: Hidden states ``(N, H)`` as the input, beside target and share ``(N, 1)``.
    """
    if are_many_logits(ready.input, head):
        frozen, held = freeze(formula)
        others = (ready.target, ready.share, *held)
        if not any(other is not None and is_seen_as_a_whole_only(other) for other in others):
            notes = _Notes(ready.input, head)
            numerator, denominator = _LinearSums.apply(frozen, held, notes, ready, ready.input, *head.tensors)  # type: ignore[no-untyped-call]
            return Fraction(numerator, denominator)
    return _plain(formula, head, ready)


def _plain(formula: PointwiseLoss, head: Head, ready: Ready) -> Fraction:
    return to_fraction(formula.point(with_logits(head, ready)))


def with_logits(head: Head, ready: Ready) -> Ready:
    """Put all logits in the place of the hidden states that they are made of."""
    hidden, target, share, kind, hard = ready
    return Ready(head.logits(hidden), target, share, kind, hard)


class _Notes:
    """What the forward pass leaves to the backward pass: the gradients that are wanted."""

    def __init__(self, hidden: Tensor, head: Head) -> None:
        self.softcap = head.softcap
        self.wanted = head.wanted(hidden)
        self.gradients: Gradients | None = None

    def take(self) -> Gradients | None:
        """Give the gradients away: what is finished in place cannot be finished again."""
        gradients, self.gradients = self.gradients, None
        return gradients


class _LinearSums(torch.autograd.Function):
    """The sums of a formula, and the gradient of the first of them."""

    @staticmethod
    def forward(
        formula: PointwiseLoss,
        held: tuple[Tensor, ...],  # noqa: ARG004 - by the formula; for the backward pass
        notes: _Notes,
        ready: Ready,
        *tensors: Any,  # noqa: ANN401 - hidden states, weight, and bias or None
    ) -> tuple[Tensor, Tensor]:
        """Add up what each part gives, and the gradients on the way."""
        hidden, weight, bias = tensors
        ready, head = ready._replace(input=hidden), Head(weight, bias, notes.softcap)
        fraction, notes.gradients = _in_parts(formula, head, ready, notes.wanted)
        return fraction

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[Any, ...],
        output: tuple[Tensor, Tensor],
    ) -> None:
        """Keep what the gradient is made of, so that torch refuses to go on where it was changed in place."""
        ctx.formula, held, ctx.notes, ready, *tensors = inputs
        ctx.save_for_backward(*tensors, ready.target, ready.share, *held)
        ctx.meaning = ready.kind, ready.hard
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own signature
        """Finish the gradients; for a second derivative, or several at once, by the plain formula."""
        hidden, weight, bias, target, share, *_held = ctx.saved_tensors
        head, wanted = Head(weight, bias, ctx.notes.softcap), ctx.notes.wanted
        ready = Ready(hidden, target, share, *ctx.meaning)
        with full_precision(hidden):
            if torch.is_grad_enabled() or not values_readable(upstream):
                with torch.enable_grad():
                    numerator, _ = _plain(ctx.formula, head, ready)
                slopes = gradients_of(numerator, (hidden, weight, bias), wanted, upstream)
            else:
                gradients = ctx.notes.take() or _in_parts(ctx.formula, head, ready, wanted)[1]
                slopes = gradients.given(upstream)
        return None, None, None, None, *slopes


def _in_parts(
    formula: PointwiseLoss, head: Head, ready: Ready, wanted: tuple[bool, ...]
) -> tuple[Fraction, Gradients]:
    gradients, sums = Gradients(ready.input, head, wanted), []
    for rows, logits in head.parts(ready.input):
        share = None if ready.share is None else ready.share[rows]
        part = ready._replace(input=logits, target=ready.target[rows], share=share)
        if any(wanted):
            elements, slope = formula.point_and_slope(part)
            gradients.add(rows, logits, slope)
            del slope  # or two of its size are held while the next one is computed
        else:
            elements = formula.point(part)
        sums.append(torch.stack(to_fraction(elements)))
    return Fraction(*torch.stack(sums).sum(dim=0)), gradients
