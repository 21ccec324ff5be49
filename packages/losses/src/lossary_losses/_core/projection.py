"""Logits of hidden states, a few rows at a time, and the gradients through them.

The logits of all rows over a vocabulary are many times what they are made of. Those of a few rows are
computed, made use of and forgotten. The gradient of the weight is added up in float32 at the least.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.rows import require_shape
from lossary_losses._core.similarity import are_many
from lossary_losses._core.streaming import is_large
from lossary_losses.errors import InputValueError

__all__ = ["Gradients", "Head", "are_many_logits", "gradients_of", "prepare_head"]

_PART = {"cpu": 2**20, "cuda": 2**26}
"""How many logits are held at once: 4 MiB stay in a shared cache, 256 MiB keep a GPU busy."""

_LEAST_ROWS = {"cpu": 128, "cuda": 512}
"""Below it, adding up the gradient of the weight takes longer than computing it."""

_MATRIX = 2
"""The dimensions of a weight: vocabulary and features."""


class Head(NamedTuple):
    """What makes logits of hidden states ``(N, H)``: a projection, and what bounds the result."""

    weight: Tensor
    """``(V, H)``."""
    bias: Tensor | None
    """``(V,)``."""
    softcap: float | None
    """What no logit exceeds; None: they are as large as they like."""

    def logits(self, hidden: Tensor) -> Tensor:
        """Compute all logits at once, with operations that torch can differentiate."""
        dtype = self.dtype(hidden)
        logits = hidden.to(dtype) @ self.weight.to(dtype).mT
        if self.bias is not None:
            logits = logits + self.bias.to(dtype)
        return logits if self.softcap is None else (logits / self.softcap).tanh() * self.softcap

    def dtype(self, hidden: Tensor) -> torch.dtype:
        """Give what logits are computed in."""
        dtype = torch.promote_types(hidden.dtype, self.weight.dtype)
        return torch.promote_types(dtype, torch.float32)

    @property
    def tensors(self) -> tuple[Tensor, Tensor | None]:
        """Give what may have a gradient."""
        return self.weight, self.bias

    def wanted(self, hidden: Tensor) -> tuple[bool, ...]:
        """Tell whether hidden states, weight and bias are to have a gradient."""
        tensors = (hidden, *self.tensors)
        return tuple(torch.is_grad_enabled() and each is not None and each.requires_grad for each in tensors)

    def parts(self, hidden: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Give the logits of some rows after those of others, each in the place of the former."""
        dtype, device = self.dtype(hidden), hidden.device.type
        at_once = max(_LEAST_ROWS[device], _PART[device] // len(self.weight))
        weight = self.weight.detach().to(dtype)
        place = hidden.new_empty(min(at_once, len(hidden)), len(weight), dtype=dtype)
        for first in range(0, len(hidden), at_once):
            rows = slice(first, min(first + at_once, len(hidden)))
            logits = torch.mm(hidden[rows].detach().to(dtype), weight.mT, out=place[: rows.stop - first])
            if self.bias is not None:
                logits.add_(self.bias.detach())
            if self.softcap is not None:
                logits.div_(self.softcap).tanh_().mul_(self.softcap)
            yield rows, logits


class Gradients:
    """Gradients of hidden states, weight and bias, of those that are wanted, added up part by part."""

    def __init__(self, hidden: Tensor, head: Head, wanted: tuple[bool, ...]) -> None:
        self._hidden, self._softcap, self._dtype = hidden.detach(), head.softcap, head.dtype(hidden)
        self._weight = head.weight.detach().to(self._dtype)
        self._like = (hidden, *head.tensors)
        of_hidden, of_weight, of_bias = wanted
        self.of_hidden = torch.empty_like(hidden, dtype=self._dtype) if of_hidden else None
        self.of_weight = torch.zeros_like(self._weight) if of_weight else None
        self.of_bias = self._weight.new_zeros(len(self._weight)) if of_bias else None

    @property
    def needs_logits(self) -> bool:
        """Whether logits have to be kept beside their slope."""
        return self._softcap is not None

    def add(self, rows: slice, logits: Tensor, slope: Tensor) -> None:
        """Add what comes from the slope of the logits of some rows; both are used up."""
        if self._softcap is not None:  # the slope of the bound
            slope.mul_(logits.div_(self._softcap).square_().neg_().add_(1))
        if self.of_hidden is not None:
            torch.mm(slope, self._weight, out=self.of_hidden[rows])
        if self.of_weight is not None:
            self.of_weight.addmm_(slope.mT, self._hidden[rows].to(self._dtype))
        if self.of_bias is not None:
            self.of_bias.add_(slope.sum(dim=0))

    def given(self, factor: Tensor | None = None) -> tuple[Tensor | None, ...]:
        """Give them, times a number, each in the dtype of what it belongs to; they are used up."""
        given: list[Tensor | None] = []
        for each, like in zip((self.of_hidden, self.of_weight, self.of_bias), self._like, strict=True):
            if each is None or like is None:
                given.append(None)
            else:
                given.append((each if factor is None else each.mul_(factor)).to(like.dtype))
        return tuple(given)


def prepare_head(input: Tensor, weight: Tensor, bias: Tensor | None, softcap: float | None) -> Head:
    """Check that a projection goes with hidden states ``(*, H)``."""
    require_floating_point(weight, "linear_weight")
    if input.ndim == 0 or weight.ndim != _MATRIX or weight.shape[1] != input.shape[-1]:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(input.shape)}, linear_weight {tuple(weight.shape)}; "
            "accepted are (*, H) and (V, H)"
        )
    require_shape(weight, "linear_weight", tuple(weight.shape), input)
    if bias is not None:
        require_floating_point(bias, "linear_bias")
        require_shape(bias, "linear_bias", tuple(weight.shape[:1]), input)
        bias = plain(bias)
    return Head(plain(weight), bias, softcap)


def are_many_logits(hidden: Tensor, head: Head) -> bool:
    """Tell whether the logits make several parts, and nothing but gradients is wanted of them."""
    is_seen_in_parts = head.bias is None or is_large(head.bias, more_than=0)
    return is_seen_in_parts and are_many(hidden, head.weight)


def gradients_of(
    results: Tensor | tuple[Tensor, ...],
    tensors: tuple[Tensor | None, ...],
    wanted: tuple[bool, ...],
    upstream: Tensor | tuple[Tensor, ...],
) -> tuple[Tensor | None, ...]:
    """Differentiate results so that the gradients that are wanted can be differentiated as well."""
    asked_for = [each for each, asked in zip(tensors, wanted, strict=True) if asked and each is not None]
    found = iter(torch.autograd.grad(results, asked_for, upstream, create_graph=True))
    return tuple(next(found) if asked else None for asked in wanted)
