"""What of an input counts, what each position costs, and what is wrong with the gradient."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lossary_losses._core.base import full_precision
from lossary_losses._core.checks import value_checks
from lossary_losses._core.reduced import ElementLoss
from lossary_losses.insight.gradients import Gradient
from lossary_losses.insight.parts import Health

__all__ = ["Pass", "counted", "health_of", "values_of"]

_DEAD = 1e-8
"""The share of the largest gradient below which an element does not move."""


class Pass(NamedTuple):
    """What a loss was called with, and what it gave."""

    loss: nn.Module
    tensors: tuple[Any, ...]
    arguments: dict[str, Any]
    leaves: list[Tensor]
    """The tensors of the input."""
    total: Tensor
    gradient: Gradient
    """With respect to the leaves, or to the parameters that were asked for."""

    @property
    def target(self) -> Any:  # noqa: ANN401 - what a dataset gives
        """What the input should have been; None where there is no target."""
        return self.tensors[1] if len(self.tensors) > 1 else None


def counted(done: Pass, input: Tensor) -> Tensor:
    """Tell which elements count: of the shape of the input, or with one channel where it has positions."""
    target, counts = done.target, torch.ones_like(input, dtype=torch.bool)
    mask = done.arguments.get("mask")
    if mask is not None:
        counts = counts & _at_rank(mask, input)
    for module in done.loss.modules():
        index = getattr(module, "ignore_index", None)
        if isinstance(index, (int, float)) and isinstance(target, Tensor):
            counts = counts & _at_rank(target != index, input)
    has_positions = input.ndim > 1 and isinstance(target, Tensor) and target.shape == _by_position(input)
    return counts[:, :1] if has_positions else counts


def _by_position(input: Tensor) -> tuple[int, ...]:
    return (input.shape[0], *input.shape[2:])


def _at_rank(given: Tensor, input: Tensor) -> Tensor:
    if input.ndim > 1 and given.shape == _by_position(input):
        given = given.unsqueeze(1)
    given = given.reshape(*given.shape, *(1 for _ in input.shape[given.ndim :]))
    return given.expand_as(input)


def values_of(done: Pass, input: Tensor) -> Tensor | None:
    """Give the loss of each position at the rank of the input, if the loss has one for each."""
    loss = done.loss
    if not isinstance(loss, ElementLoss):
        return None
    with torch.no_grad(), value_checks(enabled=False), full_precision(loss.leading(done.tensors[0])):
        value = loss.elements(*done.tensors, **done.arguments).value
    if input.ndim > 1 and value.shape == _by_position(input):
        return value.unsqueeze(1)
    return value if value.shape in (input.shape, (input.shape[0], 1, *input.shape[2:])) else None


def health_of(done: Pass, squares: Tensor, counts: Tensor, values: Tensor | None) -> Health:
    """Count what is excluded, what does not move, and what is no finite number."""
    largest = squares.max() if squares.numel() else squares.new_zeros(())
    total = squares.sum()
    dead = counts & (squares.sqrt() < _DEAD * largest.sqrt())
    wrong = None if values is None else (values.double() > values.double().mean()).expand_as(squares)
    return Health(
        elements=squares.numel(),
        excluded=int((~counts).sum()),
        dead=int(dead.sum()),
        saturated=None if wrong is None else int((dead & wrong).sum()),
        non_finite=_not_finite(done),
        largest=float(largest / total) if total > 0 else 0.0,
    )


def _not_finite(done: Pass) -> dict[str, int]:
    target = done.target
    places = {
        "input": done.leaves,
        "target": [target] if isinstance(target, Tensor) and target.is_floating_point() else [],
        "value": [done.total],
        "gradient": done.gradient,
    }
    return {name: sum(int((~each.isfinite()).sum()) for each in those) for name, those in places.items()}
