"""A loss of one element as a curve, with its gradient. This needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lossary_factory._command.trial.targets import TargetKind, classes_of, kinds_of

from .drawing import Curve, NoCurveError, spaced
from .of_schedules import COUNT

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lossary_factory._spec import LossSpec

_MOST_CLASSES = 1000
_SPANS: dict[TargetKind, tuple[float, float]] = {"binary": (-6, 6), "labels": (-6, 6), "values": (-3, 3)}


def loss_curves(
    spec: LossSpec[Any],
    loss: nn.Module,
    *,
    kind: TargetKind | None = None,
    target: float | None = None,
    first: float | None = None,
    last: float | None = None,
) -> list[Curve]:
    """Return the value of a loss, and its gradient, over what the network gives for one position.

    Args:
        spec: What the loss was built from.
        loss: The loss.
        kind: What the target holds; by the tags of the loss if None.
        target: The target: 1 for ``binary``, class 1 for ``labels`` and 0 for ``values`` if None.
        first: The smallest input.
        last: The largest input.

    Raises:
        NoCurveError: The loss does not take one position of such data.
    """
    failures = []
    kinds: list[TargetKind] = kinds_of(spec) if kind is None else [kind]
    for each in kinds:
        low, high = _SPANS[each]
        x = spaced(low if first is None else first, high if last is None else last, COUNT)
        truth = (0.0 if each == "values" else 1.0) if target is None else target
        if each == "labels" and truth not in range(_MOST_CLASSES):
            raise NoCurveError(f"a class is a whole number from 0 to {_MOST_CLASSES - 1}, not {truth:g}")
        try:
            points = [_point(loss, each, at, truth, classes_of(spec)) for at in x]
        except Exception as error:  # noqa: BLE001  # whatever a loss says of data that it does not take
            failures.append(f"{type(error).__name__}: {error}")
            continue
        label = _x_label(each, truth)
        value, gradient = zip(*points, strict=True)
        name = f"{spec.name} where the target is {truth:g}"
        return [Curve(name, label, x, value), Curve(f"gradient of {name}", label, x, gradient)]
    raise NoCurveError(
        f"{spec.name} is no function of one number: {failures[0]}\n"
        "a curve is that of a loss that takes one position of logits or values by itself"
    )


def _point(
    loss: nn.Module, kind: TargetKind, at: float, truth: float, classes: int | None
) -> tuple[float, float]:
    """Return the value and the gradient of a loss of one position."""
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    value: Tensor = loss(*_position(kind, x, truth, classes)).sum()
    if not value.requires_grad:
        return float(value), 0.0
    gradient: Any
    (gradient,) = torch.autograd.grad(value, [x], allow_unused=True)
    return float(value.detach()), 0.0 if gradient is None else float(gradient)


def _position(kind: TargetKind, x: Tensor, truth: float, classes: int | None) -> tuple[Tensor, Tensor]:
    """Return an input and a target of one position."""
    if kind == "labels":
        label = int(truth)
        count = max(classes or 2, label + 1)
        logits = torch.zeros(count, dtype=x.dtype).index_add(0, torch.tensor([label]), x.reshape(1))
        return logits.reshape(1, count, 1), torch.tensor([[label]])
    shape = (1, classes or 1, 1)
    return x.expand(shape), torch.full(shape, truth, dtype=x.dtype)


def _x_label(kind: TargetKind, truth: float) -> str:
    if kind == "values":
        return "residual" if truth == 0 else "input"
    return "logit" if kind == "binary" else f"logit of class {truth:g}, the others being 0"
