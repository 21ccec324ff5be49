"""Run a loss forward and backward, and measure what each of its terms does."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor, nn

from .targets import nested

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossary_factory._spec import LossSpec

    from .data import Data


class TrialError(Exception):
    """A loss raised something: in the stage that ``stage`` names, with what caused this error."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


@attrs.frozen
class Measured:
    """What one loss inside another gave.

    Attributes:
        name: The keys that lead to it, such as ``pixel.focal``.
        value: What it returned, summed up; None where it was not called, because its weight is zero.
        weight: How much the total grows with it.
        gradient_norm: The Euclidean norm of what it adds to the gradient of the input.
    """

    name: str
    value: float | None = None
    weight: float | None = None
    gradient_norm: float | None = None


@attrs.frozen
class Trial:
    """What a loss gave.

    Attributes:
        value: The loss, summed up if it has several elements.
        shape: The shape of what it returned.
        gradient_norm: The Euclidean norm of the gradient of the input; None where there is no gradient.
        terms: The losses inside.
        forward_seconds: How long a second call took.
        backward_seconds: How long its backward pass took.
        is_finite: Whether value and gradient are free of NaN and infinities.
    """

    value: float
    shape: tuple[int, ...]
    gradient_norm: float | None
    terms: tuple[Measured, ...]
    forward_seconds: float
    backward_seconds: float
    is_finite: bool


def run(spec: LossSpec[Any], loss: nn.Module, data: Data) -> Trial:
    """Call a loss twice: once to see what its terms do, and once to see how long it takes.

    Raises:
        TrialError: The loss, or its backward pass, raised something.
    """
    leaves = data.leaves()
    calls: dict[str, list[Tensor]] = {}
    with ExitStack() as hooks:
        for name, term in _terms(spec, loss):
            calls[name] = []
            hooks.callback(term.register_forward_hook(_recorder(calls[name])).remove)
        total = _forward(loss, data)
    gradients = _backward(total, total.new_ones(total.shape), leaves)
    terms = tuple(_measured(total, calls, leaves))
    start = time.perf_counter()
    second = _forward(loss, data)
    middle = time.perf_counter()
    _backward(second, second.new_ones(second.shape), leaves)
    end = time.perf_counter()
    value = float(total.detach().sum())
    finite = bool(total.isfinite().all()) and all(bool(each.isfinite().all()) for each in gradients)
    norm = _norm(gradients) if total.requires_grad else None
    return Trial(value, tuple(total.shape), norm, terms, middle - start, end - middle, finite)


def _forward(loss: nn.Module, data: Data) -> Tensor:
    try:
        total = loss(data.input, *([] if data.target is None else [data.target]), **data.others)
    except Exception as error:
        raise TrialError("forward") from error
    if not isinstance(total, Tensor):
        raise TrialError("forward") from TypeError(f"the loss gave no tensor, but a {type(total).__name__}")
    return total


def _backward(value: Tensor, factor: Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of those leaves that the value depends on."""
    if not value.requires_grad or not leaves:
        return []
    try:
        found: Any = torch.autograd.grad(value, leaves, factor, retain_graph=True, allow_unused=True)
    except Exception as error:
        raise TrialError("backward") from error
    return [gradient for gradient in found if gradient is not None]


def _norm(gradients: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(each.double().square().sum()) for each in gradients))


def _recorder(calls: list[Tensor]) -> Any:  # noqa: ANN401  # a hook
    def record(_module: nn.Module, _arguments: object, result: object) -> None:
        if isinstance(result, Tensor):
            calls.append(result)

    return record


def _measured(total: Tensor, calls: dict[str, list[Tensor]], leaves: Sequence[Tensor]) -> Iterator[Measured]:
    for name, values in calls.items():
        if not values:
            yield Measured(name)
        for number, value in enumerate(values):
            label = name if len(values) == 1 else f"{name}[{number}]"
            yield _one(label, total, value, leaves)


def _one(name: str, total: Tensor, value: Tensor, leaves: Sequence[Tensor]) -> Measured:
    number = float(value.detach().sum())
    if not value.requires_grad or not total.requires_grad:
        return Measured(name, number)
    share: Any
    (share,) = torch.autograd.grad(total.sum(), [value], retain_graph=True, allow_unused=True)
    if share is None:
        return Measured(name, number)
    return Measured(name, number, float(share.mean()), _norm(_backward(value, share, leaves)))


def _terms(spec: LossSpec[Any], loss: object, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the losses inside a loss by the keys that lead to them in the config."""
    for (parameter, *keys), child in nested(spec):
        part: Any = getattr(loss, str(parameter), None)
        try:
            for key in keys:
                part = part[key]
        except (TypeError, LookupError):
            continue
        if isinstance(part, nn.Module):
            words = keys if parameter == "terms" else [parameter, *keys]
            label = ".".join(map(str, [*([name] if name else []), *words]))
            yield label, part
            yield from _terms(child, part, label)
