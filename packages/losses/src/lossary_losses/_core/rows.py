"""Preparation of tensors that have a row for each sample: embeddings, hazards, scores.

Shapes and dtypes are checked first, then what does not count is selected away, before anything is computed.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import require_floating_point
from lossary_losses._core.checks import check_nonnegative, plain
from lossary_losses._core.dense import require_mask, require_tensor
from lossary_losses._core.reduction import widened
from lossary_losses.errors import InputTypeError, InputValueError

__all__ = [
    "NOTHING",
    "Rows",
    "left_out",
    "prepare_rows",
    "reciprocal_length",
    "require_dimensions",
    "require_integers",
    "require_shape",
    "selected",
]

NOTHING = -1e31
"""Stands for minus infinity where that less itself would be NaN: its exponential is zero, exactly, beside any
other number, one that stands for an infinity of the input included."""


class Rows(NamedTuple):
    """Rows, ready to compute with."""

    input: Tensor
    """In float32 or float64; zero where a row does not count."""
    counted: Tensor | None
    """Bool, True where a row counts; None: all do."""
    share: Tensor | None
    """How much each row counts: its weight, or one; zero where it does not. None: all count one."""

    def like_input(self, values: Tensor, name: str) -> Tensor:
        """Check that floats have the input's shape, and make them ready as it is."""
        require_floating_point(values, name)
        require_shape(values, name, tuple(self.input.shape), self.input)
        return selected(plain(values).to(self.input.dtype), self.counted)


def prepare_rows(input: Tensor, mask: Tensor | None, weight: Tensor | None) -> Rows:
    """Check that mask and weight have an entry for each row, and leave out the rows that do not count."""
    rows = tuple(input.shape[:1])
    if mask is not None:
        require_mask(mask)
        require_shape(mask, "mask", rows, input)
        mask = plain(mask)
    input = widened(plain(input))
    share = None if mask is None else mask.to(input.dtype)
    if weight is not None:
        require_tensor(weight, "weight")
        require_shape(weight, "weight", rows, input)
        share = selected(plain(weight).to(input.dtype), mask)
        check_nonnegative(share, "weight")
    return Rows(selected(input, mask), mask, share)


def require_shape(tensor: Tensor, name: str, shape: tuple[int, ...], input: Tensor) -> None:
    """Refuse what is of another shape, or on another device, than goes with the input."""
    if tensor.shape != shape:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(input.shape)}, {name} {tuple(tensor.shape)}; "
            f"accepted for the {name}: {shape}"
        )
    if tensor.device != input.device:
        raise InputValueError(f"input is on {input.device} and {name} on {tensor.device}")


def require_dimensions(tensor: Tensor, name: str, letters: str) -> None:
    """Refuse what has another number of dimensions than there are letters, such as ``"B D"``."""
    if tensor.ndim != len(letters.split()):
        shape = ", ".join(letters.split()) + ("," if len(letters) == 1 else "")
        raise InputValueError(f"{name} must be of shape ({shape}), got {tuple(tensor.shape)}")


def require_integers(tensor: Tensor, name: str) -> None:
    """Refuse what cannot name a group: floats, which might be rounded."""
    require_tensor(tensor, name)
    if tensor.is_floating_point():
        raise InputTypeError(f"{name} must hold integers, got {tensor.dtype}")


def selected(values: Tensor, counted: Tensor | None) -> Tensor:
    """Put zero where a row does not count: zero times the NaN that may stand there would be NaN."""
    if counted is None:
        return values
    return torch.where(counted.reshape(-1, *(1 for _ in values.shape[1:])), values, 0)


def left_out(values: Tensor, counted: Tensor | None) -> Tensor:
    """Put what has an exponential of zero where something does not count."""
    return values if counted is None else torch.where(counted, values, NOTHING)


def reciprocal_length(vectors: Tensor) -> Tensor:
    """Give one over the length of each vector in the last dimension; zero for a vector of zeros."""
    largest = vectors.detach().abs().amax(dim=-1, keepdim=True)
    scale = torch.where(largest == 0, 1, largest)
    # Divided by their largest entry, which cancels out, squares are neither infinite nor zero.
    length = torch.linalg.vector_norm(vectors / scale, dim=-1, keepdim=True)
    zero = length == 0
    return torch.where(zero, 0, 1 / (scale * torch.where(zero, 1, length)))
