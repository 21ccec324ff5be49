"""Neighbours: how far an element sees, where it does not see itself alone."""

from typing import Any

import torch

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import expect, rule
from lossary_losses.testing.subject import Subject

_ROUNDING = 1e-9


@rule("exclusion", options=["reduction"], claimed=["reach"])
def far_elements_do_not_change(subject: Subject, data: Data) -> None:
    """Where one position is masked, or holds another number, elements out of reach stay as they are."""
    reach = subject.claims.reach or 0
    space = tuple(4 * (reach + 1) for _ in data.kind.space)
    sample, loss = data.draw(space=space), subject.loss(reduction="none")
    before = subject.value(sample, loss=loss)
    middle = tuple(extent // 2 for extent in space)
    at_middle: tuple[Any, ...] = (..., *middle)
    moved = sample.input.clone()
    moved[at_middle] += 0.5
    masked = data.everything(sample)
    masked[at_middle] = False
    near = _near(before.shape[-len(space) :], space, middle, reach)
    for what, after in (
        ("another number", subject.value(sample.at(moved), loss=loss)),
        ("a mask", subject.value(sample, loss=loss, mask=masked)),
    ):
        changed = ((after - before).abs() > _ROUNDING).any(0).reshape(-1, *near.shape).any(0)
        expect(changed.any(), f"{what} at a position changes nothing")
        expect(not (changed & ~near).any(), f"{what} at a position changes an element out of reach")


def _near(shape: torch.Size, space: tuple[int, ...], middle: tuple[int, ...], reach: int) -> torch.Tensor:
    """Tell which elements, each in the middle of what it sees, see a position."""
    is_near = torch.ones(shape, dtype=torch.bool)
    for dimension, (extent, place) in enumerate(zip(space, middle, strict=True)):
        # Elements fewer than positions are those whose windows lie inside.
        first = (extent - shape[dimension]) // 2
        gap = (torch.arange(shape[dimension]) + first - place).abs()
        is_near &= (gap <= reach).reshape(-1, *[1] * (len(shape) - dimension - 1))
    return is_near
