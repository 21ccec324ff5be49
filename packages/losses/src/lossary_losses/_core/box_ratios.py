"""Ratios of pairs of boxes, and how they pass slopes on to the edges of the input's box.

Boxes are computed with as how far they reach, ``(2, 2, ...)``: backwards, which is minus the left and minus
the top edge, and forwards, the right and the bottom one. In all four directions alike, the intersection
reaches as far as the nearer of two boxes, and the hull as far as the farther one; a side is the sum of both
directions.

The kinks, which box an edge of intersection and hull belongs to, are written once, here, and so are their
slopes: where two edges meet each has half of it, and a box without width is widened, not moved.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "Filling",
    "Measures",
    "Offset",
    "Overlap",
    "Ratio",
    "Slopes",
    "Stretch",
    "Turn",
    "exchanged",
    "sides_of",
]


class Slopes(NamedTuple):
    """Slopes with respect to what ratios are made of; None where there are none."""

    intersection: Tensor | None = None
    union: Tensor | None = None
    hull: Tensor | None = None
    """Of its area."""
    sides: Tensor | None = None
    """Of the input's box, ``(2, ...)``."""
    hull_sides: Tensor | None = None
    """``(2, ...)``."""
    centre: Tensor | None = None
    """Of twice the input's centre, ``(2, ...)``."""


class Measures:
    """How long and how large pairs of boxes are, and what they share, given how far they reach.

    Sides are ``(2, ...)``, along x and along y.
    """

    def __init__(self, input: Tensor, target: Tensor) -> None:
        self.input, self.target = input, target
        self.sides, self.target_sides = sides_of(input), sides_of(target)
        # Where the boxes are apart it is minus the distance between them.
        self.common = sides_of(torch.minimum(input, target))
        self.hull_sides = sides_of(torch.maximum(input, target))
        self.intersection = _area(self.common.clamp(min=0))
        self.union = _area(self.sides) + _area(self.target_sides) - self.intersection
        x, y = (self.hull_sides - self.common).detach().unbind()
        # Boxes without area that are equal have nothing else to tell that they are.
        self.same = (self.union.detach() + x + y == 0).to(self.union.dtype)

    def slope_of_reach(self, several: Iterable[Slopes]) -> Tensor:
        """Pass slopes on to the edges of the input's box."""
        slopes = Slopes(*(_total(each) for each in zip(*several, strict=True)))
        nothing = self.common.new_zeros(())
        # The union is smaller by what is common.
        of_common = _total((slopes.intersection, None if slopes.union is None else -slopes.union))
        inner = nothing
        if of_common is not None:
            # What is no intersection yet grows where its sides begin to exist.
            exists = self.common.sign().add_(1).clamp_(max=1)
            inner = exchanged(self.common.clamp(min=0)).mul_(exists).mul_(of_common)
        of_area = None if slopes.hull is None else exchanged(self.hull_sides).mul_(slopes.hull)
        outer = _total((of_area, slopes.hull_sides))
        is_outer = (self.input - self.target).sign_().add_(1).div_(2)  # half each where edges meet
        slope = torch.lerp(inner, nothing if outer is None else outer, is_outer)
        of_own_area = None if slopes.union is None else exchanged(self.sides).mul_(slopes.union)
        of_sides = _total((of_own_area, slopes.sides))
        if of_sides is not None:
            slope.add_(of_sides)
        if slopes.centre is not None:
            slope[0].sub_(slopes.centre)
            slope[1].add_(slopes.centre)
        return slope


class Ratio:
    """A ratio of pairs of boxes, as a value, and as what its slope is passed on to."""

    value: Tensor

    def __init__(self, boxes: Measures) -> None:
        raise NotImplementedError

    def slopes(self, above: Tensor) -> Slopes:
        """Pass a slope with respect to the value on."""
        raise NotImplementedError


class Overlap(Ratio):
    """Intersection over union."""

    def __init__(self, boxes: Measures) -> None:
        self.union = _to_share(boxes.union)
        self.value = boxes.intersection / self.union + boxes.same

    def slopes(self, above: Tensor) -> Slopes:
        """Pass the slope on to both areas."""
        of_intersection = above / self.union
        return Slopes(intersection=of_intersection, union=(of_intersection * self.value).neg_())


class Filling(Ratio):
    """Union over hull, the smallest box that holds both."""

    def __init__(self, boxes: Measures) -> None:
        self.hull = _to_share(_area(boxes.hull_sides))
        self.value = boxes.union / self.hull + boxes.same

    def slopes(self, above: Tensor) -> Slopes:
        """Pass the slope on to both areas."""
        of_union = above / self.hull
        return Slopes(union=of_union, hull=(of_union * self.value).neg_())


class Offset(Ratio):
    """The squared distance of the centres over that of opposite corners of the hull."""

    def __init__(self, boxes: Measures) -> None:
        backwards, forwards = boxes.input - boxes.target
        self.twice_distance = forwards - backwards
        self.hull_sides = boxes.hull_sides
        self.diagonal = _to_share(4 * _squared_length(boxes.hull_sides))
        self.value = _squared_length(self.twice_distance) / self.diagonal

    def slopes(self, above: Tensor) -> Slopes:
        """Pass the slope on to the centre and to the hull."""
        share = 2 * above / self.diagonal
        return Slopes(
            centre=self.twice_distance * share, hull_sides=self.hull_sides * (-4 * share * self.value)
        )


class Stretch(Ratio):
    """By how much the sides differ, over those of the hull; ``(2, ...)``, with a sign."""

    def __init__(self, boxes: Measures) -> None:
        self.hull_sides = _to_share(boxes.hull_sides)
        self.value = sides_of(boxes.input - boxes.target) / self.hull_sides

    def slopes(self, above: Tensor) -> Slopes:
        """Pass the slope on to the sides of both."""
        of_sides = above / self.hull_sides
        return Slopes(sides=of_sides, hull_sides=(of_sides * self.value).neg_())


class Turn(Ratio):
    """The angle between the diagonals, from the input's to the target's: zero where the shapes are the same.

    A box that is a point has no shape to differ.
    """

    def __init__(self, boxes: Measures) -> None:
        (width, height), (target_width, target_height) = boxes.sides, boxes.target_sides
        self.sides = boxes.sides
        across = target_width * height - width * target_height
        along = target_width * width + target_height * height
        is_point = (across == 0) & (along == 0)
        self.value = torch.atan2(torch.where(is_point, 0, across), torch.where(is_point, 1, along))

    def slopes(self, above: Tensor) -> Slopes:
        """Pass the slope on to the sides."""
        width, height = self.sides
        share = above / _to_share(_squared_length(self.sides))
        return Slopes(sides=torch.stack([-height * share, width * share]))


def sides_of(reach: Tensor) -> Tensor:
    """Give the sides of boxes, or by how much they differ, given how far they reach."""
    return reach[0] + reach[1]


def exchanged(pair: Tensor) -> Tensor:
    """Exchange both entries of the first dimension; ``flip`` takes several times as long."""
    first, second = pair
    return torch.stack([second, first])


def _area(sides: Tensor) -> Tensor:
    return sides[0] * sides[1]


def _squared_length(vectors: Tensor) -> Tensor:
    return vectors[0].square() + vectors[1].square()


def _to_share(size: Tensor) -> Tensor:
    """Make a size infinite where it is zero, so that any share of it is zero, and its slope too."""
    return size.masked_fill(size == 0, torch.inf)


def _total(terms: Iterable[Tensor | None]) -> Tensor | None:
    """Add up what there is."""
    total = None
    for each in terms:
        if each is not None:
            total = each if total is None else total + each
    return total
