"""Sums over the elements of two inputs that both have a gradient, computed part by part.

The forward pass leaves the slopes, each in place of a gradient, and the backward pass multiplies them by what
became of the sum. Elsewhere the plain formula is evaluated on the whole, as in
:mod:`lossary_losses._core.streaming`.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from lossary_losses._core.checks import value_checks, values_readable
from lossary_losses._core.dense import Dense, counted_positions
from lossary_losses._core.frozen import freeze
from lossary_losses._core.reduction import Elements, Fraction, to_fraction
from lossary_losses._core.stable import times
from lossary_losses._core.streaming import (
    cut_out,
    flattened,
    is_large,
    is_seen_as_a_whole_only,
    parts_of,
    three_dimensional,
)

__all__ = ["Likelihood", "ready_beside", "streamed_fraction"]


class Likelihood(Protocol):
    """A formula of an input and of what is predicted beside it, element by element."""

    def point(self, dense: Dense, beside: Tensor) -> Elements:
        """Compute what each element costs, with operations that torch can differentiate."""
        ...

    def point_and_slopes(self, dense: Dense, beside: Tensor) -> tuple[Elements, Tensor, Tensor]:
        """Compute the same, and its derivatives with respect to both, each of the input's shape."""
        ...


def streamed_fraction(formula: Likelihood, dense: Dense, beside: Tensor) -> Fraction:
    """Add up what each element costs and counts, part by part where that pays and nothing needs the graph.

    ``beside`` has the input's rank; it may have one channel for all.
    """
    if is_large(dense.input) and is_large(beside, more_than=0):
        frozen, held = freeze(formula)
        others = (dense.target, dense.mask, dense.weight, *held)
        if not any(other is not None and is_seen_as_a_whole_only(other) for other in others):
            slopes = _Slopes(dense.input, beside)
            numerator, denominator = _Streamed.apply(frozen, held, slopes, dense, dense.input, beside)  # type: ignore[no-untyped-call]
            return Fraction(numerator, denominator)
    return to_fraction(formula.point(dense, beside))


def ready_beside(beside: Tensor, dense: Dense, *, harmless: float = 0) -> Tensor:
    """Bring what is beside the input to the dtype that is computed with, harmless where nothing counts."""
    beside = beside.to(torch.promote_types(dense.input.dtype, torch.float32))
    valid = counted_positions(dense)
    # One number may serve several channels, of which some count.
    return beside if valid is None else torch.where(valid, beside, harmless)


class _Slopes:
    """What the forward pass leaves to the backward pass: the slopes that are wanted."""

    def __init__(self, *inputs: Tensor) -> None:
        self.wanted = [torch.is_grad_enabled() and each.requires_grad for each in inputs]
        self.kept: tuple[Tensor | None, ...] | None = None

    def take(self) -> tuple[Tensor | None, ...] | None:
        """Give the slopes away: what is finished in place cannot be finished again."""
        kept, self.kept = self.kept, None
        return kept


class _Streamed(torch.autograd.Function):
    """The sums of a formula, and the gradient of the first of them."""

    @staticmethod
    def forward(
        formula: Likelihood,
        held: tuple[Tensor, ...],  # noqa: ARG004 - by the formula; for the backward pass
        slopes: _Slopes,
        dense: Dense,
        *inputs: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Add up what each part gives, and keep the slopes, unless they are rounded to half precision."""
        precise = all(each.dtype in (torch.float32, torch.float64) for each in inputs)
        fraction, kept = _in_parts(formula, dense, inputs, [precise and each for each in slopes.wanted])
        slopes.kept = kept if precise else None
        return fraction

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[Any, ...],
        output: tuple[Tensor, Tensor],
    ) -> None:
        """Keep what the gradient is made of, so that torch refuses to go on where it was changed in place."""
        ctx.formula, held, ctx.slopes, dense, *tensors = inputs
        ctx.save_for_backward(*tensors, dense.target, dense.mask, dense.weight, *held)
        ctx.meaning = dense.kind, dense.ignore_index
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own signature
        """Finish the gradients; for a second derivative, or several at once, by the plain formula."""
        inputs = ctx.saved_tensors[:2]
        dense = Dense(inputs[0], *ctx.saved_tensors[2:5], *ctx.meaning)
        # What was looked at in the forward pass is the same.
        with value_checks(enabled=False):
            if torch.is_grad_enabled() or not values_readable(upstream):
                gradients = _of_the_whole(ctx.formula, dense, inputs, ctx.slopes.wanted, upstream)
            else:
                gradients = ctx.slopes.take()
                if gradients is None:
                    gradients = _in_parts(ctx.formula, dense, inputs, ctx.slopes.wanted, upstream)[1]
                else:
                    gradients = tuple(None if each is None else each.mul_(upstream) for each in gradients)
        return None, None, None, None, *gradients


def _in_parts(
    formula: Likelihood,
    dense: Dense,
    inputs: tuple[Tensor, ...],
    wanted: list[bool],
    upstream: Tensor | None = None,
) -> tuple[Fraction, tuple[Tensor | None, ...]]:
    """Give the sums, and the slopes that are wanted of the first, times the gradient from above."""
    slopes = tuple(
        torch.empty(each.shape, dtype=each.dtype, device=each.device) if asked else None
        for each, asked in zip(inputs, wanted, strict=True)
    )
    places = [None if each is None else three_dimensional(each) for each in slopes]
    whole, beside = flattened(dense), three_dimensional(inputs[1])
    sums = []
    for batch, positions in parts_of(whole.input):
        part = cut_out(whole, batch, positions), beside[batch, :, positions]
        elements, *found = formula.point_and_slopes(*part)
        for place, slope in zip(places, found, strict=True):
            if place is not None:
                target = place[batch, :, positions]
                # What serves several channels has the slopes of all of them.
                target.copy_(times(slope, upstream).sum_to_size(target.shape))
        sums.append(torch.stack(to_fraction(elements)))
    return Fraction(*torch.stack(sums).sum(dim=0)), slopes


def _of_the_whole(
    formula: Likelihood, dense: Dense, inputs: tuple[Tensor, ...], wanted: list[bool], upstream: Tensor
) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        numerator, _ = to_fraction(formula.point(dense, *inputs[1:]))
    asked_for = [each for each, asked in zip(inputs, wanted, strict=True) if asked]
    found = iter(torch.autograd.grad(numerator, asked_for, upstream, create_graph=True))
    return tuple(next(found) if asked else None for asked in wanted)
