"""Preparation of dense inputs: shapes, dtypes, and exclusion before anything is computed.

Everything comes out at the input's rank, so that the losses never reshape: labels, masks and weights given as
``(B, *S)`` become ``(B, 1, *S)``.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.checks import check_labels, check_unit_interval
from lossary_losses.errors import InputTypeError, InputValueError

__all__ = [
    "Dense",
    "Selection",
    "class_membership",
    "holds_labels",
    "per_channel",
    "prepare_labels",
    "prepare_probabilities",
    "prepare_values",
]

_RANK = 2
"""Batch and classes: what a dense input has at least."""


class Selection(NamedTuple):
    """What says which positions count, and how much."""

    ignore_index: float | None
    """Positions where the target equals it do not count."""
    mask: Tensor | None
    """Bool, True where a position counts; ``(B, *S)`` or the target's shape."""
    weight: Tensor | None
    """How much each position counts; ``(B, *S)`` or the target's shape."""


class Dense(NamedTuple):
    """Tensors of the input's rank, ready to compute with."""

    input: Tensor
    """In float32 or float64; zero where excluded, so that whatever stood there is harmless."""
    target: Tensor
    """Class indices ``(B, 1, *S)`` as int64, or values of the input's shape; zero where excluded."""
    share: Tensor | None
    """How much each position counts: its weight, or one; zero where excluded. None: all count one."""


def holds_labels(input: Tensor, target: Tensor) -> bool:
    """Tell by the shapes whether a target holds class indices (True) or values of the input's shape."""
    _require_tensor(target, "target")
    if target.shape == input.shape:
        return False
    if input.ndim >= _RANK and target.shape == _position_shape(input):
        return True
    accepted = f"{tuple(input.shape)} (values)"
    if input.ndim >= _RANK:
        accepted += f" or {tuple(_position_shape(input))} (class indices)"
    raise _incompatible(input, target, accepted)


def prepare_labels(input: Tensor, target: Tensor, selection: Selection) -> Dense:
    """Prepare an input of shape ``(B, C, *S)`` and class indices ``(B, *S)``."""
    if not holds_labels(input, target):
        raise _incompatible(input, target, f"{tuple(_position_shape(input))} (class indices)")
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        raise InputTypeError(
            f"target of shape {tuple(target.shape)} must hold class indices as integers, got {target.dtype}"
            + _hint_at_one_channel(input)
        )
    if input.shape[1] == 1:
        raise InputValueError(
            "class indices need two classes or more (a softmax over one is always 1): "
            f"input {tuple(input.shape)}, target {tuple(target.shape)}" + _hint_at_one_channel(input)
        )
    labels = target.long().unsqueeze(1)
    kept = None if selection.ignore_index is None else labels != selection.ignore_index
    valid = _valid(input, selection.mask, kept, elementwise=False)
    if valid is not None:
        labels = torch.where(valid, labels, 0)
    check_labels(labels, input.shape[1], selection.ignore_index)
    return Dense(_computable(input, valid), labels, _share(input, valid, selection.weight, elementwise=False))


def prepare_values(input: Tensor, target: Tensor, selection: Selection, *, probabilities: bool) -> Dense:
    """Prepare an input and a target of one shape, of which every element stands for itself."""
    _require_same_shape(input, target)
    kept = None if selection.ignore_index is None else target != selection.ignore_index
    valid = _valid(input, selection.mask, kept, elementwise=True)
    share = _share(input, valid, selection.weight, elementwise=True)
    return _with_values(input, target, valid, share, probabilities=probabilities)


def prepare_probabilities(input: Tensor, target: Tensor, selection: Selection) -> Dense:
    """Prepare an input and a target ``(B, C, *S)`` whose C values at a position belong together.

    A position counts where all of its mask does, and is ignored where all of its target is ``ignore_index``.
    """
    _require_same_shape(input, target)
    if input.ndim < _RANK or input.shape[1] == 1:
        raise InputValueError(
            f"a softmax needs two classes or more in dimension 1: input {tuple(input.shape)}"
            + _hint_at_one_channel(input)
        )
    kept = None
    if selection.ignore_index is not None:
        kept = (target != selection.ignore_index).any(dim=1, keepdim=True)
    valid = _valid(input, selection.mask, kept, elementwise=True)
    if valid is not None:
        valid = valid.all(dim=1, keepdim=True)
    share = _share(input, valid, selection.weight, elementwise=False)
    return _with_values(input, target, valid, share, probabilities=True)


def class_membership(labels: Tensor, classes: int) -> Tensor:
    """Tell for each class whether a position has it as its label; ``labels`` are ``(B, 1, *S)``."""
    indices = torch.arange(classes, device=labels.device)
    return labels == indices.reshape(1, -1, *(1 for _ in labels.shape[2:]))


def per_channel(weights: object, like: Tensor, name: str) -> Tensor | None:
    """Bring weights, one per class, to the rank, dtype and device of a tensor ``(B, C, ...)``."""
    if not isinstance(weights, Tensor):
        return None
    weights = weights.to(device=like.device, dtype=like.dtype)
    if weights.ndim == 0:
        return weights
    classes = like.shape[1] if like.ndim >= _RANK else 1
    if weights.numel() != classes:
        raise InputValueError(
            f"{name} has {weights.numel()} values, and the input {classes} classes in dimension 1"
        )
    return weights.reshape(1, -1, *(1 for _ in like.shape[2:])) if like.ndim >= _RANK else weights


def _with_values(
    input: Tensor, target: Tensor, valid: Tensor | None, share: Tensor | None, *, probabilities: bool
) -> Dense:
    safe = _computable(input, valid)
    values = target.to(safe.dtype)
    if valid is not None:
        values = torch.where(valid, values, 0)
    if probabilities:
        check_unit_interval(values, "target")
    return Dense(safe, values, share)


def _computable(input: Tensor, valid: Tensor | None) -> Tensor:
    """Bring the input to float32 or float64, with zero where it does not count."""
    input = input.to(torch.promote_types(input.dtype, torch.float32))
    # Selected away before anything is computed: zero times the NaN that may stand there would be NaN.
    return input if valid is None else torch.where(valid, input, 0)


def _share(input: Tensor, valid: Tensor | None, weight: Tensor | None, *, elementwise: bool) -> Tensor | None:
    dtype = torch.promote_types(input.dtype, torch.float32)
    if weight is None:
        return None if valid is None else valid.to(dtype)
    _require_tensor(weight, "weight")
    weight = _at_rank(weight, input, "weight", elementwise=elementwise).to(dtype)
    return weight if valid is None else torch.where(valid, weight, 0)


def _valid(input: Tensor, mask: Tensor | None, kept: Tensor | None, *, elementwise: bool) -> Tensor | None:
    """Give where the mask, and what ``ignore_index`` keeps, both say that a position counts."""
    if mask is None:
        return kept
    _require_tensor(mask, "mask")
    if mask.dtype != torch.bool:
        raise InputTypeError(
            f"mask must be bool, True where a position counts, got {mask.dtype}: mask.bool()?"
        )
    mask = _at_rank(mask, input, "mask", elementwise=elementwise)
    return mask if kept is None else mask & kept


def _at_rank(positions: Tensor, input: Tensor, name: str, *, elementwise: bool) -> Tensor:
    """Bring a mask or a weight to the input's rank, and refuse what would only broadcast by accident."""
    if elementwise and positions.shape == input.shape:
        return positions
    if input.ndim >= _RANK and positions.shape == _position_shape(input):
        return positions.unsqueeze(1)
    accepted = [_position_shape(input)] if input.ndim >= _RANK else []
    accepted += [input.shape] if elementwise else []
    raise InputValueError(
        f"Incompatible shapes: input {tuple(input.shape)}, {name} {tuple(positions.shape)}; "
        f"accepted for the {name}: {' or '.join(str(tuple(each)) for each in accepted)}"
    )


def _position_shape(input: Tensor) -> torch.Size:
    """Give the shape ``(B, *S)`` of an input ``(B, C, *S)``."""
    return input.shape[:1] + input.shape[2:]


def _require_same_shape(input: Tensor, target: Tensor) -> None:
    _require_tensor(target, "target")
    if target.shape != input.shape:
        raise _incompatible(input, target, f"{tuple(input.shape)} (values)")


def _require_tensor(value: object, name: str) -> None:
    if not isinstance(value, Tensor):
        raise InputTypeError(f"{name} must be a tensor, got {type(value).__name__}")


def _incompatible(input: Tensor, target: Tensor, accepted: str) -> InputValueError:
    return InputValueError(
        f"Incompatible shapes: input {tuple(input.shape)}, target {tuple(target.shape)}; "
        f"accepted for the target: {accepted}"
    )


def _hint_at_one_channel(input: Tensor) -> str:
    if input.ndim < _RANK or input.shape[1] != 1:
        return ""
    return f"; for a binary loss give the target the input's shape, {tuple(input.shape)}: target.unsqueeze(1)"
