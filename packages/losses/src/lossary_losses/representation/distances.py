"""Distances of all anchors from all rows, made of scalar products."""

from typing import Literal

import torch
from torch import Tensor

from lossary_losses.representation.anchors import unit

__all__ = ["Distance", "compared_by", "distance_of", "distances_to_own"]

Distance = Literal["euclidean", "squared", "cosine"]


def compared_by(distance: Distance, anchors: Tensor, everyone: Tensor) -> tuple[Tensor, Tensor]:
    """Give vectors whose scalar products are cosines, or else squared distances.

    These are differences of large numbers where rows are near each other and far from zero: so they are taken
    from the mean of all rows, and in float64.
    """
    if distance == "cosine":
        return unit(anchors), unit(everyone)
    centre = everyone.detach().mean(dim=0)
    anchors, everyone = (_wide(each - centre) for each in (anchors, everyone))
    one, ones = (each.new_ones(len(each), 1) for each in (anchors, everyone))
    squared, all_squared = (each.square().sum(dim=1, keepdim=True) for each in (anchors, everyone))
    return (
        torch.cat([-2 * anchors, squared, one], dim=1),
        torch.cat([everyone, ones, all_squared], dim=1),
    )


def distances_to_own(distance: Distance, anchors: Tensor, own: Tensor) -> Tensor:
    """Give the distances of each anchor, ``(B, D)``, from vectors of its own, ``(B, K, D)``: ``(B, K)``."""
    if distance == "cosine":
        return 1 - (unit(anchors).unsqueeze(1) * unit(own)).sum(dim=2)
    squared = _wide(anchors.unsqueeze(1) - own).square().sum(dim=2)
    return distance_of(distance, squared)


def distance_of(distance: Distance, products: Tensor) -> Tensor:
    """Turn the scalar products into distances, with a slope of zero where a distance is zero."""
    if distance == "cosine":
        return 1 - products
    squared = products.clamp(min=0)
    if distance == "squared":
        return squared
    zero = squared == 0
    return torch.where(zero, 0, torch.where(zero, 1, squared).sqrt())


def _wide(values: Tensor) -> Tensor:
    return values if values.device.type == "mps" else values.double()
