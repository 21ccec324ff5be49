"""What is computed sample by sample: one at a time is kept, and computed again for its gradient.

For formulas in which positions know of their neighbours, so that a sample cannot be cut into parts, and which
make many tensors on the way. As with sums over parts, whatever else than a gradient is wanted is computed on
the whole, by the same formula.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import values_readable
from lossary_losses._core.frozen import freeze
from lossary_losses._core.streaming import gradients, is_large, is_seen_as_a_whole_only

__all__ = ["by_sample"]

Compute = Callable[..., tuple[Tensor, ...]]


def by_sample(
    formula: object,
    method: str,
    input: Tensor,
    others: Mapping[str, Any],
    *,
    one_number: bool = False,
) -> tuple[Tensor, ...]:
    """Compute what a method of a formula gives for each sample, one after the other where that pays.

    It takes the input, and by name the others, tensors whose first dimension is the batch, or None; it gives
    tensors whose first dimension is the batch too. Where ``one_number`` of each sample has a gradient, the
    forward pass leaves that, and nothing is computed twice.
    """
    given = [each for each in others.values() if each is not None]
    # What is no tensor of as many samples is for the formula to refuse.
    if is_large(input) and all(isinstance(each, Tensor) and len(each) == len(input) > 1 for each in given):
        frozen, held = freeze(formula)
        if not any(is_seen_as_a_whole_only(each) for each in (*given, *held)):
            draft = _draft(input) if one_number else None
            results: tuple[Tensor, ...] = _BySample.apply(
                _Named(getattr(frozen, method), tuple(others)), held, draft, input, *others.values()
            )  # type: ignore[no-untyped-call]
            return results
    whole: tuple[Tensor, ...] = getattr(formula, method)(input, **others)
    return whole


class _Named(NamedTuple):
    """A method that is given by place what it takes by name."""

    method: Callable[..., tuple[Tensor, ...]]
    names: tuple[str, ...]

    def __call__(self, input: Tensor, *others: Tensor | None) -> tuple[Tensor, ...]:
        return self.method(input, **dict(zip(self.names, others, strict=True)))


class _Draft:
    """The gradient of each sample's one number, until the backward pass takes it."""

    def __init__(self, input: Tensor) -> None:
        self.slopes: Tensor | None = torch.empty_like(input)

    def take(self) -> Tensor | None:
        """Give the gradient away: what is finished in place cannot be finished again."""
        slopes, self.slopes = self.slopes, None
        return slopes


def _draft(input: Tensor) -> _Draft | None:
    """Make room for a draft; of half precision, slopes that no mean has divided yet may be infinite."""
    wanted = torch.is_grad_enabled() and input.requires_grad
    return _Draft(input) if wanted and input.dtype in (torch.float32, torch.float64) else None


class _BySample(torch.autograd.Function):
    """A formula on one sample at a time, in the backward pass once more."""

    @staticmethod
    def forward(
        compute: Compute,
        held: tuple[Tensor, ...],  # noqa: ARG004 - by the formula; for the backward pass
        draft: _Draft | None,
        input: Tensor,
        *others: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Compute each sample, and keep no graph."""
        each = []
        for index in range(len(input)):
            part, *rest = _at(index, input.detach(), *others)
            if draft is None or draft.slopes is None:
                results = compute(part, *rest)
            else:
                results, draft.slopes[index : index + 1] = _with_slope(compute, part, rest)
            each.append(tuple(result.detach() for result in results))
        return tuple(torch.cat(results) for results in zip(*each, strict=True))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Keep the formula as it is now, and the tensors that it is given."""
        ctx.compute, held, ctx.draft, *tensors = inputs
        ctx.count = len(tensors)
        ctx.save_for_backward(*tensors, *held)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own signature
        """Differentiate each sample by itself; for a second derivative, all of them together."""
        input, *others = ctx.saved_tensors[: ctx.count]
        before, after = (None,) * 3, (None,) * len(others)
        if torch.is_grad_enabled() or not all(values_readable(each) for each in upstream):
            with torch.enable_grad():
                results = ctx.compute(input, *others)
            return *before, gradients(results, input, upstream, again=True)[0], *after
        if ctx.draft is not None:
            return *before, _finished(ctx, input, others, upstream[0]), *after
        gradient = torch.empty_like(input)
        for index in range(len(input)):
            part, *rest = _at(index, input.detach(), *others)
            part.requires_grad_()
            with torch.enable_grad(), full_precision(part):
                results = ctx.compute(part, *rest)
            above = tuple(each[index : index + 1] for each in upstream)
            (gradient[index : index + 1],) = gradients(results, part, above)
        return *before, gradient, *after


def _finished(ctx: Any, input: Tensor, others: list[Tensor | None], upstream: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
    """Give the draft, or make it anew for a second backward pass, times what comes from above."""
    slopes: Tensor | None = ctx.draft.take()
    if slopes is None:
        slopes = torch.empty_like(input)
        for index in range(len(input)):
            part, *rest = _at(index, input.detach(), *others)
            with full_precision(part):
                _, slopes[index : index + 1] = _with_slope(ctx.compute, part, rest)
    return slopes.mul_(upstream.view(-1, *[1] * (slopes.ndim - 1)))


def _with_slope(compute: Compute, part: Tensor, rest: list[Any]) -> tuple[tuple[Tensor, ...], Tensor]:
    """Compute one sample, and the gradient of its one number."""
    with torch.enable_grad():
        results = compute(part.requires_grad_(), *rest)
    (slope,) = gradients(results, part, tuple(map(torch.ones_like, results)))
    return results, slope


def _at(index: int, *tensors: Tensor | None) -> list[Any]:
    return [None if each is None else each[index : index + 1] for each in tensors]
