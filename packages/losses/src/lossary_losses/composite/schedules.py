"""Schedules: how the weight of a term changes while training goes on. Pure functions of progress."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from lossary_losses._core.options import choice, number
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses.errors import OptionTypeError, OptionValueError
from lossary_registry import Registry

__all__ = [
    "ConstantSchedule",
    "CosineSchedule",
    "LinearSchedule",
    "PiecewiseSchedule",
    "Schedule",
    "WarmUpSchedule",
    "schedule_registry",
]


@attrs.frozen(kw_only=True)
class Schedule:
    """A weight as a function of progress, counted in steps or in epochs."""

    unit: Literal["step", "epoch"] = choice("step", "epoch", default="step")

    def at(self, progress: float) -> float:
        """Compute the weight after so many steps, or epochs."""
        raise NotImplementedError(f"{type(self).__name__} must say what its weight is")


schedule_registry: Registry[Schedule] = Registry(base_class=Schedule, name="WeightSchedules")
"""Names to schedules: those of the collection, and those that users add."""


@schedule_registry.register(name="constant", aliases=["ConstantSchedule"])
@attrs.frozen(kw_only=True)
class ConstantSchedule(Schedule):
    """The same weight from beginning to end.

    >>> ConstantSchedule(value=0.5).at(1000)
    0.5
    """

    value: float = number(at_least=0)

    def at(self, progress: float) -> float:
        """Give the value."""
        del progress
        return self.value


@attrs.frozen(kw_only=True)
class _Transition(Schedule):
    """From one weight to another, between a start and an end, and level before and after."""

    initial: float = number(at_least=0)
    final: float = number(at_least=0)
    start: float = number(default=0.0, at_least=0)
    end: float = number(above=0)

    def __attrs_post_init__(self) -> None:
        """Refuse an end that does not come after the start."""
        if self.end <= self.start:
            raise OptionValueError(f"end must be > start ({self.start}), got {self.end}")

    def _share(self, progress: float) -> float:
        """Tell how much of the way is done, 0 to 1."""
        return min(max((progress - self.start) / (self.end - self.start), 0.0), 1.0)

    def _between(self, share: float) -> float:
        return self.initial + (self.final - self.initial) * share


@schedule_registry.register(name="linear", aliases=["LinearSchedule"])
@attrs.frozen(kw_only=True)
class LinearSchedule(_Transition):
    """A straight line from ``initial`` at ``start`` to ``final`` at ``end``, level before and after.

    >>> LinearSchedule(initial=0.0, final=0.5, start=100, end=200).at(150)
    0.25
    """

    def at(self, progress: float) -> float:
        """Give the point on the line."""
        return self._between(self._share(progress))


@schedule_registry.register(name="cosine", aliases=["CosineSchedule"])
@attrs.frozen(kw_only=True)
class CosineSchedule(_Transition):
    """Half a wave from ``initial`` at ``start`` to ``final`` at ``end``, level before and after.

    >>> CosineSchedule(initial=1.0, final=0.0, end=100).at(50)
    0.5
    """

    def at(self, progress: float) -> float:
        """Give the point on the wave."""
        return self._between((1 - math.cos(math.pi * self._share(progress))) / 2)


@schedule_registry.register(name="warm_up", aliases=["WarmUpSchedule"])
@attrs.frozen(kw_only=True)
class WarmUpSchedule(Schedule):
    """A straight line from zero to ``final`` at ``end``, level afterwards.

    >>> WarmUpSchedule(final=2.0, end=10, unit="epoch").at(5)
    1.0
    """

    final: float = number(at_least=0)
    end: float = number(above=0)

    def at(self, progress: float) -> float:
        """Give the point on the line."""
        return self.final * min(progress / self.end, 1.0)


def _checked_points(_instance: object, attribute: "attrs.Attribute[Any]", points: object) -> None:
    if not isinstance(points, Mapping):
        raise OptionTypeError(f"{attribute.name} must map progress to weights, got {type(points).__name__}")
    if not points:
        raise OptionValueError(f"{attribute.name} must have one point or more, got none")
    for pair in points.items():
        if not all(is_number(each) for each in pair):
            raise OptionTypeError(f"{attribute.name} must map numbers to numbers, got {pair}")
        if not all(is_finite(each) and each >= 0 for each in pair):
            wanted = "numbers to numbers, all finite and >= 0"
            raise OptionValueError(f"{attribute.name} must map {wanted}, got {pair}")


@schedule_registry.register(name="piecewise", aliases=["PiecewiseSchedule"])
@attrs.frozen(kw_only=True)
class PiecewiseSchedule(Schedule):
    """The weight of the last point that was reached; before the first, that of the first.

    >>> PiecewiseSchedule(points={0: 0.0, 20: 0.1, 60: 0.5}, unit="epoch").at(30)
    0.1
    """

    points: Mapping[float, float] = attrs.field(validator=_checked_points)

    def at(self, progress: float) -> float:
        """Give the weight of the latest point."""
        reached = [point for point in self.points if point <= progress]
        return float(self.points[max(reached) if reached else min(self.points)])
