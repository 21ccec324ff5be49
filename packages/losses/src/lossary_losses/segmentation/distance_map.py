"""Distances to the boundary of a region, signed or not."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lossary_losses._core.checks import check_binary, check_labels
from lossary_losses._core.dense import can_hold, class_membership
from lossary_losses._core.distance import squared_distance
from lossary_losses.errors import InputTypeError, InputValueError

__all__ = ["sides_of", "signed_distance", "signed_distance_map", "squared_distance_to_other_side"]


def signed_distance_map(
    target: Tensor,
    classes: int | None = None,
    *,
    spacing: Sequence[float] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    r"""Compute the distance of each position to the boundary of each class, negative inside.

    .. math:: \varphi_i = \begin{cases} \min_{j \in G} |i - j| & i \notin G \\
        h - \min_{j \notin G} |i - j| & i \in G \end{cases}

    with :math:`G` the positions of the class and :math:`h` the smallest of the spacings: a position of the
    class next to one outside has a distance of zero. For :class:`BoundaryLoss`, whose ``distance_map`` it
    gives once and for all, in a data loader say.

    Args:
        target: Class indices ``(B, *S)`` of any integer dtype, or 0 and 1 of shape ``(B, C, *S)``.
        classes: How many classes the indices are of. Default: None, the target holds 0 and 1.
        spacing: The distance of neighbours along each axis of ``S``, > 0. Default: None, all one.
        ignore_index: Positions where the target equals it are neither inside nor outside of any class.
            Default: None.

    Returns:
        The map, float32 of shape ``(B, C, *S)``; zero for a class that has no boundary, since it is nowhere
        or everywhere.

    Raises:
        InputValueError: The target holds what it cannot, or the spacings are not one for each axis.
        InputTypeError: The target is no tensor, or holds class indices that are not integers.

    Example:
        >>> import torch
        >>> signed_distance_map(torch.tensor([[0, 0, 1, 1, 1, 0]]), 2)[0, 1]
        tensor([ 2.,  1.,  0., -1.,  0.,  1.])
    """
    if not isinstance(target, Tensor):
        raise InputTypeError(f"target must be a tensor, got {type(target).__name__}")
    known = None
    if ignore_index is not None and can_hold(target.dtype, ignore_index):
        known = target != ignore_index
    if classes is None:
        target = target if known is None else torch.where(known, target, 0)
        check_binary(target, "target")
        truth = target > 0
    else:
        known = None if known is None else known.unsqueeze(1)
        truth = _membership(target.unsqueeze(1), classes, known, ignore_index)
    axes = max(truth.ndim - 2, 0)
    return signed_distance(*sides_of(truth, known), _spacing(spacing, axes))


def signed_distance(inside: Tensor, outside: Tensor, spacing: Sequence[float]) -> Tensor:
    """Compute the distance to a boundary, negative inside; positions that are on no side have one as well."""
    to_inside = squared_distance(inside, spacing).sqrt()
    to_outside = squared_distance(outside, spacing).sqrt()
    distance = torch.where(inside, min(spacing, default=0.0) - to_outside, to_inside)
    return torch.where(distance.isfinite(), distance, 0)


def squared_distance_to_other_side(inside: Tensor, outside: Tensor, spacing: Sequence[float]) -> Tensor:
    """Compute the squared distance to the nearest position of the other side; zero where there is none."""
    distance = torch.where(inside, squared_distance(outside, spacing), squared_distance(inside, spacing))
    return torch.where(distance.isfinite(), distance, 0)


def sides_of(truth: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
    """Tell what is inside and what is outside; a position that is not known is neither."""
    return (truth, ~truth) if known is None else (truth & known, ~truth & known)


def _membership(labels: Tensor, classes: int, known: Tensor | None, ignore_index: int | None) -> Tensor:
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputTypeError(f"target must hold class indices as integers, got {labels.dtype}")
    labels = labels if known is None else torch.where(known, labels, 0)
    check_labels(labels, classes, ignore_index)
    return class_membership(labels, classes)


def _spacing(spacing: Sequence[float] | None, axes: int) -> list[float]:
    given = [1.0] * axes if spacing is None else [float(each) for each in spacing]
    if len(given) != axes or not all(math.isfinite(each) and each > 0 for each in given):
        raise InputValueError(
            f"spacing must hold a finite number > 0 for each of {axes} axes, got {spacing!r}"
        )
    return given
