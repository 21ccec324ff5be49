"""Preparation of lists of scores: documents in dimension 1, those that are there given by a mask.

No value marks a place without a document: whatever stands there is selected away before anything is computed.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.checks import check_nonnegative, plain
from lossary_losses._core.dense import require_mask, require_tensor
from lossary_losses._core.reduction import widened
from lossary_losses._core.rows import require_dimensions, require_shape

__all__ = ["Lists", "prepare_lists"]


class Lists(NamedTuple):
    """Lists to compute with, of ``(B, L)``."""

    scores: Tensor
    """In float32 or float64; zero where there is no document."""
    relevance: Tensor
    """In the dtype of the scores; zero where there is no document."""
    there: Tensor | None
    """Bool, True where there is a document; None: everywhere."""
    share: Tensor | None
    """How much each list counts, ``(B,)``; zero where it has no document. None: all count one."""


def prepare_lists(input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None) -> Lists:
    """Check the shapes of everything, and leave out what is no document."""
    require_dimensions(input, "input", "B L")
    require_tensor(target, "target")
    require_shape(target, "target", tuple(input.shape), input)
    scores = widened(plain(input))
    relevance = plain(target).to(scores.dtype)
    if mask is not None:
        require_mask(mask)
        require_shape(mask, "mask", tuple(input.shape), input)
        mask = plain(mask)
        scores, relevance = torch.where(mask, scores, 0), torch.where(mask, relevance, 0)
    if weight is not None:
        require_tensor(weight, "weight")
        require_shape(weight, "weight", tuple(input.shape[:1]), input)
        weight = plain(weight).to(scores.dtype)
        if mask is not None:
            weight = torch.where(mask.any(dim=1), weight, 0)
        check_nonnegative(weight, "weight")
    return Lists(scores, relevance, mask, weight)
