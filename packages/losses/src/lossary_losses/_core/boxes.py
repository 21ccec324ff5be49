"""Losses of pairs of boxes: what a pair costs is a smooth formula of a few ratios."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.box_ratios import (
    Filling,
    Measures,
    Offset,
    Overlap,
    Ratio,
    Slopes,
    Stretch,
    Turn,
    exchanged,
    sides_of,
)
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses._core.vectors import VectorLoss

__all__ = ["BoxLoss", "BoxPairs"]

BoxFormat = Literal["xyxy", "cxcywh"]


class BoxPairs:
    """What is known of pairs of boxes; each ratio is computed when it is asked for, and only then."""

    def __init__(self, boxes: Measures, inner: Measures, *, as_leaves: bool = False) -> None:
        self._boxes, self._inner = boxes, inner
        self._as_leaves = as_leaves
        self._asked: dict[tuple[type[Ratio], bool], Ratio] = {}

    @property
    def overlap(self) -> Tensor:
        """Intersection over union; of boxes without area one if they are equal, else zero.

        With an ``inner_ratio``, that of the boxes after they were scaled about their centres.
        """
        return self._ratio(Overlap, self._inner)

    @property
    def actual_overlap(self) -> Tensor:
        """Intersection over union of the boxes themselves, for weights that are made of it."""
        return self._ratio(Overlap, self._boxes)

    @property
    def filling(self) -> Tensor:
        """Union over hull, the smallest box that holds both; of a hull without area as of a union."""
        return self._ratio(Filling, self._boxes)

    @property
    def offset(self) -> Tensor:
        """The squared distance of the centres over that of opposite corners of the hull."""
        return self._ratio(Offset, self._boxes)

    @property
    def stretch(self) -> Tensor:
        """By how much the sides differ, over those of the hull; ``(2, N)``, with a sign."""
        return self._ratio(Stretch, self._boxes)

    @property
    def turn(self) -> Tensor:
        """The angle between the diagonals, zero where the shapes are the same."""
        return self._ratio(Turn, self._boxes)

    def _ratio(self, kind: type[Ratio], boxes: Measures) -> Tensor:
        key = kind, boxes is self._inner
        if key not in self._asked:
            self._asked[key] = kind(boxes)
            if self._as_leaves:
                self._asked[key].value.requires_grad_()
        return self._asked[key].value

    def slopes(self, cost: Tensor) -> tuple[list[Slopes], list[Slopes]]:
        """Differentiate a cost, and pass its slopes on to the boxes and to those scaled about their centres.

        Where these are the same, all are slopes of the latter.
        """
        ratios = list(self._asked.items())
        above = torch.autograd.grad(cost.sum(), [each.value for _, each in ratios], materialize_grads=True)
        of_boxes: list[Slopes] = []
        of_inner: list[Slopes] = []
        for ((_, is_inner), ratio), slope in zip(ratios, above, strict=True):
            (of_inner if is_inner else of_boxes).append(ratio.slopes(slope))
        return of_boxes, of_inner


@define_loss
class BoxLoss(VectorLoss):
    """A loss of pairs of boxes; subclasses say what a pair costs."""

    vector: ClassVar = ("boxes", 4)

    box_format: BoxFormat = choice("xyxy", "cxcywh", default="xyxy")
    power: float = number(default=1.0, above=0)
    inner_ratio: float = number(default=1.0, above=0)

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Compute what each pair of boxes costs."""
        raise NotImplementedError(f"{type(self).__name__} must say what a pair of boxes costs")

    def raised(self, term: Tensor) -> Tensor:
        """Raise a term of the cost, negative by rounding at most, to the power that was asked for."""
        return term if self.power == 1 else power_of_nonnegative(term.clamp(min=0), self.power)

    def point(self, ready: Ready) -> Elements:
        """Compute what each pair costs, weights included."""
        input, target = _in_order(self._reach(ready.input)), _in_order(self._reach(ready.target))
        boxes = Measures(input, target)
        cost = self.cost(BoxPairs(boxes, self._about_centres(boxes)))
        return weigh(cost.unsqueeze(1), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Compute the derivative of the sum of all costs with respect to the coordinates."""
        return self.point_and_slope(ready)[1]

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Let autograd differentiate the cost, and pass its slopes on to the coordinates."""
        given = self._reach(ready.input)
        boxes = Measures(_in_order(given), _in_order(self._reach(ready.target)))
        inner = self._about_centres(boxes)
        pairs = BoxPairs(boxes, inner, as_leaves=True)
        with torch.enable_grad():
            cost = self.cost(pairs)
            of_boxes, of_inner = pairs.slopes(cost)
        slope = inner.slope_of_reach(of_inner)
        if inner is not boxes:
            slope = boxes.slope_of_reach(of_boxes).add_(slope).add_(sides_of(slope), alpha=self._growth)
        slope = self._slope_of_coordinates(_slope_in_order(given, slope))
        elements = weigh(cost.detach().unsqueeze(1), ready.share)
        return elements, slope if ready.share is None else slope.mul_(ready.share)

    @property
    def _growth(self) -> float:
        """By which share of its side a box grows at each edge when it is scaled about its centre."""
        return (self.inner_ratio - 1) / 2

    def _about_centres(self, boxes: Measures) -> Measures:
        """Scale boxes about their own centres."""
        if self.inner_ratio == 1:
            return boxes
        return Measures(
            boxes.input + self._growth * boxes.sides, boxes.target + self._growth * boxes.target_sides
        )

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
    turned = exchanged(reach).neg_()
    if not torch.is_grad_enabled():
        return torch.maximum(reach, turned)
    # The same; but where they are equal each keeps the slope of its place, so that the box can grow.
    return torch.where(reach < turned, turned, reach)


def _slope_in_order(reach: Tensor, slope: Tensor) -> Tensor:
    is_exchanged = sides_of(reach).neg_().sign_().clamp_(min=0)
    return torch.lerp(slope, exchanged(slope).neg_(), is_exchanged)
