"""The schedules in a config as curves. They are built alone: the losses around them are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lossary_factory._composites import composite_of
from lossary_factory._problems import show_path
from lossary_factory._spec import LossSpec, PartSpec

from .drawing import Curve, NoCurveError, spaced

COUNT = 241
"""How many points a curve has."""

_FAR = 2.0**40
"""More steps than a training has: what changes after it is taken for a schedule without end."""

Height = Callable[[float], float]


def schedule_curves(spec: LossSpec[Any], first: float | None, last: float | None) -> list[Curve]:
    """Return a curve for each schedule in a config; none where there is none.

    Args:
        spec: The config.
        first: The first step or epoch; 0 if None.
        last: The last one; a little after the last change if None, for each unit by itself.

    Raises:
        NoCurveError: A schedule never comes to rest, and ``last`` is None.
    """
    start = 0.0 if first is None else first
    found = [(path, part.build()) for path, part in _parts(spec, ())]
    schedules = [(path, schedule) for path, schedule in found if callable(getattr(schedule, "at", None))]
    ends: dict[str, float] = {}
    if last is None:
        for path, schedule in schedules:
            ends[_unit(schedule)] = max(ends.get(_unit(schedule), start), _rest(path, schedule.at))
    curves = []
    for path, schedule in schedules:
        unit = _unit(schedule)
        end = max(1.1 * ends[unit], start + 1) if last is None else last
        x = spaced(start, end, COUNT)
        curves.append(Curve(path, f"{unit}s", x, tuple(float(schedule.at(each)) for each in x)))
    return curves


def _unit(schedule: object) -> str:
    return str(getattr(schedule, "unit", "step"))


def _rest(path: str, height: Height) -> float:
    """Return where a schedule makes its last change."""
    final = height(_FAR)
    if height(_FAR / 2) != final:
        raise NoCurveError(f"{path} changes without end\nsay where the plot ends: --to NUMBER")
    low, high = 0.0, 1.0
    while height(high) != final:
        low, high = high, 2 * high
    while height(low) != final and high - low > 1e-3 * high:  # finer than anyone sees
        middle = (low + high) / 2
        low, high = (low, middle) if height(middle) == final else (middle, high)
    return high if height(low) != final else low


def _parts(spec: LossSpec[Any], path: tuple[object, ...]) -> Iterator[tuple[str, PartSpec[Any]]]:
    """Yield the parts of a loss and of all losses inside it, by the names that the config has for them."""
    for keys, child in _as_written(spec):
        inner = (*path, *keys)
        if isinstance(child, PartSpec):
            yield show_path(inner), child
        else:
            yield from _parts(child, inner)


def _as_written(spec: LossSpec[Any]) -> Iterator[tuple[tuple[Any, ...], LossSpec[Any]]]:
    """Yield the children by their keys in the config, where a term comes with its weight before it."""
    if composite_of(spec.name) is None:
        yield from spec.children()
        return
    terms: Any = spec.params["terms"]
    order = {term: number for number, term in enumerate(terms)}
    children = [(keys, child) for keys, child in spec.children() if keys[0] in ("terms", "weights")]
    children.sort(key=lambda pair: (order[pair[0][1]], pair[0][0] == "terms"))
    for (parameter, term, *keys), child in children:
        yield (term, "weight", *keys) if parameter == "weights" else (term, *keys), child
