"""Preparation of tokens ``(B, T)``: their log-probabilities, and what is known of each."""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import require_floating_point
from lossary_losses._core.checks import check_nonnegative, plain
from lossary_losses._core.dense import incompatible_shapes, require_mask, require_tensor
from lossary_losses._core.reduction import widened
from lossary_losses._core.rows import require_dimensions, require_shape
from lossary_losses._core.stable import bounded

__all__ = ["Tokens", "prepare_tokens"]


class Tokens(NamedTuple):
    """Tokens to compute with, all ``(B, T)``, and zero where a token does not count, whatever stood there."""

    input: Tensor
    """Log-probabilities, or values, in float32 or float64."""
    target: Tensor
    """Advantages, or returns."""
    old: Tensor | None
    """What the input was when the tokens were drawn, without a gradient."""
    reference: Tensor | None
    """The log-probabilities of a reference, without a gradient."""
    counted: Tensor
    """Bool, True where a token counts."""
    share: Tensor
    """How much each token counts: its weight, or one."""

    def advantage(self) -> Tensor:
        """The target, without a gradient."""
        return self.target.detach()

    def lengths(self) -> Tensor:
        """How many tokens of each sequence count, ``(B, 1)``; one where none does, as nothing is divided."""
        return self.counted.sum(dim=1, keepdim=True).clamp(min=1).to(self.input.dtype)


def prepare_tokens(
    input: Tensor,
    target: Tensor,
    *,
    old: Tensor | None,
    reference: Tensor | None,
    mask: Tensor | None,
    weight: Tensor | None,
) -> Tokens:
    """Check the shapes of everything, and leave out what does not count; a token of no weight is such."""
    require_floating_point(input, "input")
    require_dimensions(input, "input", "B T")
    target = _of_each_token(target, input)
    for name, tensor in (("old", old), ("reference", reference)):
        if tensor is not None:
            require_floating_point(tensor, name)
            require_shape(tensor, name, tuple(input.shape), input)
    values = widened(plain(input))
    counted = torch.ones_like(values, dtype=torch.bool)
    if mask is not None:
        require_mask(mask)
        require_shape(mask, "mask", tuple(input.shape), input)
        counted = plain(mask)
    share = counted.to(values.dtype)
    if weight is not None:
        require_tensor(weight, "weight")
        require_shape(weight, "weight", tuple(input.shape), input)
        share = torch.where(counted, plain(weight).to(values.dtype), 0)
        check_nonnegative(share, "weight")
        counted = share != 0

    def ready(tensor: Tensor) -> Tensor:
        # Selected away before anything is computed: zero times the NaN that may stand there would be NaN.
        return bounded(torch.where(counted, plain(tensor).to(values.dtype), 0))

    old, reference = (None if each is None else ready(each.detach()) for each in (old, reference))
    return Tokens(ready(values), ready(target), old, reference, counted, share)


def _of_each_token(target: Tensor, input: Tensor) -> Tensor:
    """Give what a target says of each token; what it says of a sequence holds for all of its tokens."""
    require_tensor(target, "target")
    if target.shape == input.shape[:1]:
        target = target.unsqueeze(1).expand(input.shape)
    elif target.shape != input.shape:
        raise incompatible_shapes(input, target, f"{tuple(input.shape)} or {tuple(input.shape[:1])}")
    require_shape(target, "target", tuple(input.shape), input)
    return target
