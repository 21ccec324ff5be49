"""Preparation of dense inputs: shapes first, then dtypes and exclusion, before anything is computed.

Everything comes out at the input's rank, so that the losses never reshape: labels, masks and weights given
as ``(B, *S)`` become ``(B, 1, *S)``. :func:`prepare` looks at shapes and copies nothing; :func:`ready` makes
what is computed with, of the whole or of a part.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.checks import check_labels, check_nonnegative, check_unit_interval, plain
from lossary_losses.errors import InputTypeError, InputValueError

__all__ = [
    "TOGETHER",
    "Dense",
    "Kind",
    "Ready",
    "Selection",
    "at_rank",
    "can_hold",
    "class_membership",
    "counted_positions",
    "incompatible_shapes",
    "kind_of",
    "on_one_device",
    "per_channel",
    "position_shape",
    "prepare",
    "ready",
    "require_mask",
    "require_tensor",
]

Kind = Literal["labels", "values", "probabilities", "distributions", "logits"]
"""What a target holds: class indices; one value per element, of any size or from 0 to 1; or values of which
those of a position belong together, from 0 to 1 or, as another network's logits, of any size."""

TOGETHER = frozenset({"distributions", "logits"})
"""The kinds of which the values of a position belong together."""

_RANK = 2
"""Batch and classes: what a dense input has at least."""


class Selection(NamedTuple):
    """What says which positions count, and how much."""

    ignore_index: float | None
    """Positions where the target equals it do not count."""
    mask: Tensor | None
    """Bool, True where a position counts; ``(B, *S)`` or the target's shape."""
    weight: Tensor | None
    """How much each position counts; ``(B, *S)``, or the input's where classes do not exclude each other."""


class Dense(NamedTuple):
    """Tensors as they were given, at the input's rank, their shapes checked."""

    input: Tensor
    target: Tensor
    mask: Tensor | None
    weight: Tensor | None
    kind: Kind
    ignore_index: float | None
    thresholds: bool = False
    """Whether the channels are what separates the classes: there is one class more then."""


class Ready(NamedTuple):
    """Tensors to compute with."""

    input: Tensor
    """In float32 or float64; zero where excluded, so that whatever stood there is harmless."""
    target: Tensor
    """Class indices ``(B, 1, *S)`` as int64, or values of the input's shape; zero where excluded."""
    share: Tensor | None
    """How much each position counts: its weight, or one; zero where excluded. None: all count one."""
    kind: Kind
    """What the target holds."""
    hard: bool
    """Whether values from 0 to 1 are known to be 0 or 1, all of them."""


def kind_of(input: Tensor, target: Tensor) -> Literal["labels", "probabilities"]:
    """Tell by the shapes whether a target holds class indices or values of the input's shape."""
    require_tensor(target, "target")
    if target.shape == input.shape:
        return "probabilities"
    if input.ndim >= _RANK and target.shape == position_shape(input):
        return "labels"
    accepted = f"{tuple(input.shape)} (values)"
    if input.ndim >= _RANK:
        accepted += f" or {tuple(position_shape(input))} (class indices)"
    raise incompatible_shapes(input, target, accepted)


def prepare(
    input: Tensor, target: Tensor, selection: Selection, kind: Kind, *, thresholds: bool = False
) -> Dense:
    """Check the shapes of everything, and bring it to the input's rank.

    With ``thresholds`` the channels are what separates the classes that labels name.
    """
    require_tensor(target, "target")
    if kind == "labels":
        _require_labels(input, target, least=1 if thresholds else 2)
        target = target.unsqueeze(1)
    elif target.shape != input.shape:
        raise incompatible_shapes(input, target, f"{tuple(input.shape)} (values)")
    elif kind in TOGETHER:
        _require_classes(input)
    mask, weight = selection.mask, selection.weight
    if mask is not None:
        require_mask(mask)
        mask = at_rank(mask, input, "mask", elementwise=kind != "labels")
    if weight is not None:
        require_tensor(weight, "weight")
        weight = at_rank(weight, input, "weight", elementwise=kind in ("values", "probabilities"))
    return on_one_device(Dense(input, target, mask, weight, kind, selection.ignore_index, thresholds))


def on_one_device(dense: Dense) -> Dense:
    """Refuse what is spread over devices, and leave the classes that libraries derived from Tensor behind."""
    input, target, mask, weight, kind, ignore_index, thresholds = dense
    for name, tensor in (("target", target), ("mask", mask), ("weight", weight)):
        if tensor is not None and tensor.device != input.device:
            raise InputValueError(f"input is on {input.device} and {name} on {tensor.device}")
    mask, weight = (None if each is None else plain(each) for each in (mask, weight))
    return Dense(plain(input), plain(target), mask, weight, kind, ignore_index, thresholds)


def ready(dense: Dense, *, check: bool = True, hard: bool = False) -> Ready:
    """Bring tensors to the dtype that is computed in, with zero where a position does not count.

    The target's values are looked at unless ``check`` is off, because they were before; ``hard`` is what was
    found then.
    """
    dtype = torch.promote_types(dense.input.dtype, torch.float32)
    input, target = dense.input.to(dtype), dense.target
    target = target.long() if dense.kind == "labels" else target.to(dtype)
    valid = counted_positions(dense)
    if valid is not None:
        # Selected away before anything is computed: zero times the NaN that may stand there would be NaN.
        input = torch.where(valid, input, 0)
        target = torch.where(valid, target, 0)
    if check and dense.kind == "labels":
        check_labels(target, input.shape[1] + dense.thresholds, dense.ignore_index)
    elif check and dense.kind not in ("values", "logits"):
        # What is differentiated with respect to is not hard: its formula is that of any value.
        hard = check_unit_interval(target, "target", dense.target.dtype) and not target.requires_grad
    share = None if dense.weight is None else dense.weight.to(dtype)
    if valid is not None:
        share = valid.to(dtype) if share is None else torch.where(valid, share, 0)
    if check and share is not None and dense.weight is not None:
        check_nonnegative(share, "weight")
    return Ready(input, target, share, dense.kind, hard)


def class_membership(labels: Tensor, classes: int) -> Tensor:
    """Tell for each class whether a position has it as its label; ``labels`` are ``(B, 1, *S)``."""
    if torch.compiler.is_compiling():
        labels = labels.int()  # as wide as what is selected by it, or a CPU's vectors must be cut in two
    indices = torch.arange(classes, device=labels.device, dtype=labels.dtype)
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


def counted_positions(dense: Dense) -> Tensor | None:
    """Tell where a position counts, by the mask and by what ``ignore_index`` leaves; None: everywhere."""
    valid = dense.mask
    if dense.ignore_index is not None and can_hold(dense.target.dtype, dense.ignore_index):
        kept = dense.target != dense.ignore_index
        if dense.kind in TOGETHER:
            kept = kept.any(dim=1, keepdim=True)
        valid = kept if valid is None else valid & kept
    if valid is not None and dense.kind in TOGETHER:
        valid = valid.all(dim=1, keepdim=True)
    return valid


def can_hold(dtype: torch.dtype, number: float) -> bool:
    """Tell whether a number can be found in a tensor; compared with it, torch would wrap -100 to 156."""
    if dtype.is_floating_point:
        return True
    low, high = (0, 1) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    return low <= number <= high


def at_rank(positions: Tensor, input: Tensor, name: str, *, elementwise: bool) -> Tensor:
    """Bring a mask or a weight to the input's rank, and refuse what would only broadcast by accident."""
    if elementwise and positions.shape == input.shape:
        return positions
    if input.ndim >= _RANK and positions.shape == position_shape(input):
        return positions.unsqueeze(1)
    accepted = [position_shape(input)] if input.ndim >= _RANK else []
    accepted += [input.shape] if elementwise else []
    raise InputValueError(
        f"Incompatible shapes: input {tuple(input.shape)}, {name} {tuple(positions.shape)}; "
        f"accepted for the {name}: {' or '.join(str(tuple(each)) for each in accepted)}"
    )


def position_shape(input: Tensor) -> torch.Size:
    """Give the shape ``(B, *S)`` of an input ``(B, C, *S)``."""
    return input.shape[:1] + input.shape[2:]


def require_tensor(value: object, name: str) -> None:
    """Refuse what is no tensor, such as a number, and complex numbers, of which half would be lost."""
    if not isinstance(value, Tensor):
        raise InputTypeError(f"{name} must be a tensor, got {type(value).__name__}")
    if value.is_complex():
        raise InputTypeError(f"{name} must hold real numbers, got {value.dtype}")


def require_mask(mask: Tensor) -> None:
    """Refuse a mask that is not bool: numbers could be meant as weights."""
    require_tensor(mask, "mask")
    if mask.dtype != torch.bool:
        raise InputTypeError(
            f"mask must be bool, True where a position counts, got {mask.dtype}: mask.bool()?"
        )


def _require_labels(input: Tensor, target: Tensor, *, least: int) -> None:
    """Refuse what are no class indices, and fewer channels than make two classes."""
    if kind_of(input, target) != "labels":
        raise incompatible_shapes(input, target, f"{tuple(position_shape(input))} (class indices)")
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        raise InputTypeError(
            f"target of shape {tuple(target.shape)} must hold class indices as integers, got {target.dtype}"
            + _hint_at_one_channel(input)
        )
    if input.shape[1] < least:
        raise InputValueError(
            "class indices need two classes or more (a softmax over one is always 1): "
            f"input {tuple(input.shape)}, target {tuple(target.shape)}" + _hint_at_one_channel(input)
        )


def _require_classes(input: Tensor) -> None:
    if input.ndim < _RANK or input.shape[1] == 1:
        raise InputValueError(
            f"a softmax needs two classes or more in dimension 1: input {tuple(input.shape)}"
            + _hint_at_one_channel(input)
        )


def incompatible_shapes(input: Tensor, target: Tensor, accepted: str) -> InputValueError:
    """Make the error of a target whose shape does not fit; ``accepted`` are the shapes that do."""
    return InputValueError(
        f"Incompatible shapes: input {tuple(input.shape)}, target {tuple(target.shape)}; "
        f"accepted for the target: {accepted}"
    )


def _hint_at_one_channel(input: Tensor) -> str:
    if input.ndim < _RANK or input.shape[1] != 1:
        return ""
    return f"; for a binary loss give the target the input's shape, {tuple(input.shape)}: target.unsqueeze(1)"
