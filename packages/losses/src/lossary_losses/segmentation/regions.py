"""Regions with every position in its place: for losses to which it matters where a position lies."""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.dense import Selection, class_membership, ready
from lossary_losses.segmentation.overlap import Activation, prepare_regions, probabilities

__all__ = ["NEIGHBOURHOOD", "Regions", "find_regions"]

NEIGHBOURHOOD: dict[str, str] = dict.fromkeys(
    ("any_space", "masked_is_cut_out", "ignored_is_cut_out", "weight_two_counts_twice"),
    "it matters which positions lie side by side",
)
"""The rules that cannot hold where positions have neighbours."""


class Regions(NamedTuple):
    """Prediction and truth of each class at each position, both of shape ``(B, C, *S)``."""

    predicted: Tensor
    true: Tensor
    share: Tensor | None
    """How much each position counts; zero where excluded. None: all count one."""
    known: Tensor | None
    """Where positions count. None: everywhere."""


def find_regions(
    input: Tensor, target: Tensor, selection: Selection, activation: Activation | None
) -> Regions:
    """Give the regions of prediction and truth; both are nowhere where nothing counts."""
    activation, dense = prepare_regions(input, target, selection, activation)
    logits, target, share, kind, _ = ready(dense)
    predicted = probabilities(logits, activation)
    true = class_membership(target, logits.shape[1]).to(logits.dtype) if kind == "labels" else target
    if share is None:
        return Regions(predicted, true, None, None)
    known = share > 0
    return Regions(torch.where(known, predicted, 0), torch.where(known, true, 0), share, known)
