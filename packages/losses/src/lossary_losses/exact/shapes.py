"""The shape of an input that is not there yet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses.errors import InputValueError

if TYPE_CHECKING:
    from lossary_losses._core.claims import Claims

__all__ = ["shape_for"]

_LABELS = frozenset({"labels", "one_hot", "distributions"})
"""Targets of which whole numbers are labels, unless they are one-hot."""


def shape_for(loss: nn.Module, target: object, like: object) -> Any:  # noqa: ANN401 - as an input
    """Give the shape of the input that goes with a target, as it was given or as the target tells it.

    Raises:
        InputValueError: Nobody tells it.
    """
    if like is not None:
        return _with_batch_of(target, like)
    claims: Claims | None = getattr(loss, "claims", None)
    if isinstance(loss, PointwiseLoss) and claims is not None and isinstance(target, Tensor):
        kinds = set(claims.targets)
        if "labels" not in kinds:
            return tuple(target.shape)
        if not target.is_floating_point() and kinds <= _LABELS and not _may_be_one_hot(target):
            return (target.shape[0], _classes(loss, target), *target.shape[1:])
        if target.is_floating_point():
            return tuple(target.shape)
    raise InputValueError(
        f"the target does not tell {type(loss).__name__} the shape of its input: say like=(1, C, ...), "
        "or give each part as a mapping with an input"
    )


def _with_batch_of(target: object, like: object) -> object:
    """Let a shape have as many samples as the target has."""
    is_shape = isinstance(like, Sequence) and all(isinstance(each, int) for each in like)
    if is_shape and isinstance(target, Tensor) and target.ndim:
        return (len(target), *like[1:])  # type: ignore[index]
    return like


def _may_be_one_hot(target: Tensor) -> bool:
    """Tell whether whole numbers may be those of classes side by side, and not labels."""
    if target.ndim < 2 or target.numel() == 0:  # noqa: PLR2004 - batch and classes
        return False
    return bool(((target == 0) | (target == 1)).all() and (target.sum(1) == 1).all())


def _classes(loss: nn.Module, labels: Tensor) -> int:
    """Give a number of classes that the labels may be of; what counts at a position does not depend on it."""
    weight = getattr(loss, "weight", None)
    if isinstance(weight, Tensor) and weight.ndim:
        return len(weight)
    return max(2, int(labels.max()) + 1) if labels.numel() else 2
