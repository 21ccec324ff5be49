"""Soft counts of prediction, truth and their intersection: what every overlap loss is made of."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.checks import check_unit_interval
from lossary_losses._core.dense import (
    Dense,
    Selection,
    class_membership,
    holds_labels,
    prepare_labels,
    prepare_probabilities,
    prepare_values,
)
from lossary_losses._core.stable import times
from lossary_losses.errors import InputValueError

__all__ = ["Activation", "Overlap", "soft_overlap"]

Activation = Literal["sigmoid", "softmax", "none"]


class Overlap(NamedTuple):
    """Soft counts, each of shape ``(B, C)``, or ``(1, C)`` where the batch is pooled."""

    intersection: Tensor
    """How much of the prediction is true, the sum of ``min(p, t)``: equal to ``p * t`` where the target is
    hard, and to both masses where a soft target is met exactly."""
    predicted: Tensor
    true: Tensor
    counted: Tensor
    """Bool: whether any position of the sample counts at all."""


def soft_overlap(
    input: Tensor, target: Tensor, selection: Selection, *, activation: Activation | None, pooled: bool
) -> Overlap:
    """Count per sample and class, or per class over the whole batch where ``pooled``."""
    labels_given = holds_labels(input, target)
    activation = activation or ("softmax" if labels_given else "sigmoid")
    dense = _prepare(input, target, selection, activation, labels_given=labels_given)
    predicted = _probabilities(dense.input, activation)
    if labels_given:
        # Compared with each class, not made one-hot: a bool costs a quarter of a float, and compiles away.
        true = class_membership(dense.target, input.shape[1])
        intersection = torch.where(true, predicted, 0)
    else:
        true = dense.target
        intersection = torch.minimum(predicted, true)
    return Overlap(
        intersection=_count(times(intersection, dense.share), pooled=pooled),
        predicted=_count(times(predicted, dense.share), pooled=pooled),
        true=_count(times(true, dense.share), pooled=pooled).to(predicted.dtype),
        counted=_anything_counts(dense, pooled=pooled),
    )


def _prepare(
    input: Tensor, target: Tensor, selection: Selection, activation: Activation, *, labels_given: bool
) -> Dense:
    if labels_given:
        return prepare_labels(input, target, selection)
    if activation == "softmax":
        return prepare_probabilities(input, target, selection)
    if input.ndim < 2:  # noqa: PLR2004 - batch and classes
        raise InputValueError(f"an overlap needs an input of shape (B, C, *S), got {tuple(input.shape)}")
    return prepare_values(input, target, selection, probabilities=True)


def _probabilities(input: Tensor, activation: Activation) -> Tensor:
    if activation == "softmax":
        return input.softmax(dim=1)
    if activation == "sigmoid":
        return input.sigmoid()
    check_unit_interval(input, "input")
    return input


def _count(values: Tensor, *, pooled: bool) -> Tensor:
    """Add up over space, and over the batch where it is pooled; keep batch and class as dimensions."""
    space = tuple(range(2, values.ndim))
    # torch takes an empty tuple for all dimensions.
    per_sample = values.sum(space) if space else values
    return per_sample.sum(0, keepdim=True) if pooled else per_sample


def _anything_counts(dense: Dense, *, pooled: bool) -> Tensor:
    if dense.share is None:
        return torch.ones((1, 1), dtype=torch.bool, device=dense.input.device)
    return _count(dense.share > 0, pooled=pooled) > 0
