"""How a gradient is spread over classes, samples and positions."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossary_losses.insight.counted import Pass, counted, health_of, values_of
from lossary_losses.insight.parts import ClassPull

__all__ = ["coordinates"]

_FLAT = 2


def coordinates(done: Pass) -> dict[str, Any]:
    """Tell classes, samples and positions, where the input is one tensor; and the health in any case."""
    if len(done.leaves) != 1 or not done.leaves[0].ndim:
        squares = torch.cat([done.total.new_zeros(0), *(each.flatten() for each in done.gradient)]).square()
        health = health_of(done, squares, torch.ones_like(squares, dtype=torch.bool), None)
        return {"classes": {}, "matrix": None, "samples": [], "positions": None, "health": health}
    (input,), (slope,) = done.leaves, done.gradient
    counts, values = counted(done, input), values_of(done, input)
    squares, classes = slope.double().square(), _classes_of(input, done.target)
    return {
        "classes": _class_pulls(classes, squares, counts, values),
        "matrix": None if classes.labels is None else _pull_matrix(slope, classes.labels, counts),
        "samples": _samples_of(squares),
        "positions": _positions_of(squares),
        "health": health_of(done, squares, counts.expand_as(squares), values),
    }


class _Classes(NamedTuple):
    """Where each class is true: bool, of the shape of the input or with one channel."""

    where: dict[str, Tensor]
    labels: Tensor | None
    """The labels themselves, where the target holds any."""


def _classes_of(input: Tensor, target: object) -> _Classes:
    """Find the true classes that a target names, by position, or none that can be told."""
    if not isinstance(target, Tensor) or input.ndim < _FLAT:
        return _Classes({}, None)
    if not target.is_floating_point() and target.shape == (input.shape[0], *input.shape[2:]):
        labels = target.long().unsqueeze(1)
        return _Classes({str(index): labels == index for index in range(input.shape[1])}, labels)
    if target.shape != input.shape or bool(((target != 0) & (target != 1)).any()):
        return _Classes({}, None)
    if input.shape[1] == 1:
        return _Classes({"0": target == 0, "1": target == 1}, None)
    channels = torch.arange(input.shape[1], device=target.device).view(-1, *(1 for _ in input.shape[2:]))
    present = {str(index): (target == 1) & (channels == index) for index in range(input.shape[1])}
    return _Classes({**present, "absent": target == 0}, None)


def _class_pulls(
    classes: _Classes, squares: Tensor, counts: Tensor, values: Tensor | None
) -> dict[str, ClassPull]:
    """Give the share of each class in the squared gradient."""
    total = squares.sum()
    found = {}
    for name, where in classes.where.items():
        here = where & counts
        held = here.expand_as(squares)
        found[name] = ClassPull(
            value=_mean_of(values, here),
            pull=float(squares[held].sum() / total) if total > 0 else 0.0,
            counted=int(here.sum()),
        )
    return found


def _mean_of(values: Tensor | None, here: Tensor) -> float | None:
    if values is None or not bool(here.any()):
        return None
    held = here & torch.ones_like(values, dtype=torch.bool)
    return float(torch.where(held, values, 0).double().sum() / held.sum())


def _pull_matrix(gradient: Tensor, labels: Tensor, counts: Tensor) -> list[list[float]]:
    """Give the signed sum of the gradient at each logit, for each true class."""
    count = gradient.shape[1]
    rows = gradient.movedim(1, -1).reshape(-1, count).double()
    kept = (counts.expand_as(labels) & (labels >= 0) & (labels < count)).flatten()
    sums = torch.zeros(count, count, dtype=torch.float64, device=gradient.device)
    matrix: list[list[float]] = sums.index_add(0, labels.flatten()[kept], rows[kept]).tolist()
    return matrix


def _samples_of(squares: Tensor) -> list[float]:
    """Give the share of each sample."""
    each = squares.flatten(1).sum(1) if squares.ndim > 1 else squares
    return _shares(each).tolist()


def _positions_of(squares: Tensor) -> Tensor | None:
    """Give the share of each position, where there are any."""
    return _shares(squares.sum(1)) if squares.ndim > _FLAT else None


def _shares(squares: Tensor) -> Tensor:
    total = squares.sum()
    return squares / torch.where(total == 0, 1, total)
