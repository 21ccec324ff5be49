"""Pairs of boxes: what they have in common, and losses that are made of it.

A loss of boxes says what a pair costs, by a smooth formula of a few ratios. The kinks, which box an edge of
intersection and hull belongs to, are written once, here, and so are their slopes: where two edges meet each
has half of it, and a box without width is widened, not moved.

Boxes are computed with as how far they reach, ``(2, 2, ...)``: backwards, which is minus the left and minus
the top edge, and forwards, the right and the bottom one. In all four directions alike, the intersection
reaches as far as the nearer of two boxes, and the hull as far as the farther one; a side is the sum of both
directions.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import (
    Dense,
    Ready,
    Selection,
    incompatible_shapes,
    prepare,
    require_mask,
    require_tensor,
)
from lossary_losses._core.options import choice
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.streaming import streamed_sums
from lossary_losses.errors import InputValueError

__all__ = ["BoxLoss", "BoxPairs"]

_COORDINATES = 4

BoxFormat = Literal["xyxy", "cxcywh"]


class BoxPairs(NamedTuple):
    """What is known of pairs of boxes."""

    overlap: Tensor
    """Intersection over union; of boxes without area one if they are equal, else zero."""
    filling: Tensor
    """Union over hull, the smallest box that holds both; of a hull without area as of a union."""


class _Areas(NamedTuple):
    """What pairs of boxes cover, and the sides, ``(2, ...)``, along x and along y."""

    sides: Tensor
    """Of the input's box."""
    common: Tensor
    """The sides of the intersection; where the boxes are apart, minus the distance between them."""
    hull_sides: Tensor
    intersection: Tensor
    union: Tensor
    union_to_share: Tensor
    """The union; infinite where it is empty, so that any share of it is zero, and its slope too."""
    hull_to_share: Tensor
    """The same of the hull."""


@define_loss
class BoxLoss(PointwiseLoss):
    """A loss of pairs of boxes; subclasses say what a pair costs."""

    box_format: BoxFormat = choice("xyxy", "cxcywh", default="xyxy")

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Compute what each pair of boxes costs."""
        raise NotImplementedError(f"{type(self).__name__} must say what a pair of boxes costs")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Check the shapes, and bring the boxes into one row."""
        require_tensor(target, "target")
        if input.shape[-1:] != (_COORDINATES,):
            raise InputValueError(
                f"boxes have {_COORDINATES} numbers in the last dimension: "
                f"input {tuple(input.shape)}, target {tuple(target.shape)}"
            )
        if target.shape != input.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
        if mask is not None:
            require_mask(mask)
        selection = Selection(None, _in_a_row(mask, input, "mask"), _in_a_row(weight, input, "weight"))
        rows = input.reshape(-1, _COORDINATES)
        return prepare(rows, target.reshape(rows.shape), selection, "values")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each box."""
        dense = self.prepare(input, target, mask=mask, weight=weight)
        value, share = (each.reshape(input.shape[:-1]) for each in streamed_sums(self, dense))
        return Elements(value, share)

    def point(self, ready: Ready) -> Elements:
        """Compute what each pair costs, weights included."""
        areas = _areas(_in_order(self._reach(ready.input)), _in_order(self._reach(ready.target)))
        return weigh(self.cost(_ratios(areas)).unsqueeze(1), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Compute the derivative of the sum of all costs with respect to the coordinates."""
        return self.point_and_slope(ready)[1]

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Let autograd differentiate the cost, and pass its slopes on to the coordinates."""
        given = self._reach(ready.input)
        input, target = _in_order(given), _in_order(self._reach(ready.target))
        areas = _areas(input, target)
        ratios = BoxPairs(*(each.requires_grad_() for each in _ratios(areas)))
        with torch.enable_grad():
            cost = self.cost(ratios)
            slopes = BoxPairs(*torch.autograd.grad(cost.sum(), ratios, materialize_grads=True))
        slope = _slope_in_order(given, _slope_of_reach(input, target, areas, ratios, slopes))
        slope = self._slope_of_coordinates(slope)
        elements = weigh(cost.detach().unsqueeze(1), ready.share)
        return elements, slope if ready.share is None else slope.mul_(ready.share)

    def _reach(self, boxes: Tensor) -> Tensor:
        """Tell how far boxes reach in the four directions; their coordinates are dimension 1."""
        rows = torch.stack(boxes.unbind(1))
        if self.box_format == "xyxy":
            rows[:2].neg_()
        else:
            centre, half = rows[:2], rows[2:] / 2
            rows = torch.cat([half - centre, half + centre])
        return rows.view(2, 2, *rows.shape[1:])

    def _slope_of_coordinates(self, slope: Tensor) -> Tensor:
        """Undo what :meth:`_reach` does, for slopes."""
        backwards, forwards = slope
        if self.box_format == "xyxy":
            backwards.neg_()
        else:
            slope = torch.stack([forwards - backwards, (forwards + backwards) / 2])
        return slope.flatten(0, 1).movedim(0, 1)


def _in_order(reach: Tensor) -> Tensor:
    """Read two opposite corners, whichever comes first."""
    exchanged = reach.flip(0).neg_()
    if not torch.is_grad_enabled():
        return torch.maximum(reach, exchanged)
    # The same; but where they are equal each keeps the slope of its place, so that the box can grow.
    return torch.where(reach < exchanged, exchanged, reach)


def _slope_in_order(reach: Tensor, slope: Tensor) -> Tensor:
    is_exchanged = _sides(reach).neg_().sign_().clamp_(min=0)
    return torch.lerp(slope, slope.flip(0).neg_(), is_exchanged)


def _areas(input: Tensor, target: Tensor) -> _Areas:
    """Measure boxes that are given by how far they reach."""
    sides, target_sides = _sides(input), _sides(target)
    common, hull = _sides(torch.minimum(input, target)), _sides(torch.maximum(input, target))
    intersection = _area(common.clamp(min=0))
    union = _area(sides) + _area(target_sides) - intersection
    return _Areas(sides, common, hull, intersection, union, _to_share(union), _to_share(_area(hull)))


def _ratios(areas: _Areas) -> BoxPairs:
    x, y = (areas.hull_sides - areas.common).detach().unbind()
    # Boxes without area that are equal have nothing else to tell that they are.
    same = (areas.union.detach() + x + y == 0).to(areas.union.dtype)
    overlap, filling = areas.intersection / areas.union_to_share, areas.union / areas.hull_to_share
    return BoxPairs(overlap + same, filling + same)


def _slope_of_reach(
    input: Tensor, target: Tensor, areas: _Areas, ratios: BoxPairs, slopes: BoxPairs
) -> Tensor:
    """Pass slopes of ratios on to the edges of the input's box."""
    of_intersection = slopes.overlap / areas.union_to_share
    per_hull = slopes.filling / areas.hull_to_share
    of_union = per_hull - of_intersection * ratios.overlap
    of_hull = per_hull.mul_(ratios.filling).neg_()
    # What is no intersection yet grows where its sides begin to exist.
    exists = areas.common.sign().add_(1).clamp_(max=1)
    of_common = areas.common.clamp(min=0).flip(0).mul_(exists).mul_(of_intersection - of_union)
    is_outer = (input - target).sign_().add_(1).div_(2)  # half each where edges meet
    slope = torch.lerp(of_common, areas.hull_sides.flip(0).mul_(of_hull), is_outer)
    return slope.add_(areas.sides.flip(0).mul_(of_union))


def _sides(reach: Tensor) -> Tensor:
    return reach[0] + reach[1]


def _area(sides: Tensor) -> Tensor:
    return sides[0] * sides[1]


def _to_share(area: Tensor) -> Tensor:
    return area.masked_fill(area == 0, torch.inf)


def _in_a_row(of_boxes: Tensor | None, boxes: Tensor, name: str) -> Tensor | None:
    """Flatten what there is one of for each box."""
    if of_boxes is None:
        return None
    require_tensor(of_boxes, name)
    if of_boxes.shape != boxes.shape[:-1]:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(boxes.shape)}, {name} {tuple(of_boxes.shape)}; "
            f"accepted for the {name}: {tuple(boxes.shape[:-1])}"
        )
    return of_boxes.reshape(-1)
