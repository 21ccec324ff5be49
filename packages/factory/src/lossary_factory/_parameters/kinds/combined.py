"""A value of one kind or another, and values within limits."""
# ruff: noqa: ANN401  # limits, values and validators are of any type

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import ConfigPath, either, label, show

from .base import AsIs, Kind, Null

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossary_factory._validation import Validation


@attrs.frozen
class AnyOf(Kind):
    """A value that is of one of several kinds."""

    options: tuple[Kind, ...]

    @property
    def text(self) -> str:
        return either(self.alternatives)

    @property
    def alternatives(self) -> list[str]:
        return [phrase for option in self.options for phrase in option.alternatives]

    @property
    def is_for_python(self) -> bool:
        return all(option.is_for_python or isinstance(option, Null) for option in self.options)

    def fits(self, value: object) -> bool:
        return any(option.fits(value) for option in self.options)

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        candidates = [option for option in self.options if option.fits(value)]
        for option in candidates[:-1]:
            trial = validation.trial()
            result = option.read(value, path, trial)
            validation.values = trial.values  # what is tried twice counts twice
            if not trial.problems:
                return result
        return candidates[-1].read(value, path, validation)

    def as_is(self) -> AsIs | None:
        # Every option returns what it takes as it is: it does not matter which of them would be first.
        known = [shortcut for option in self.options if (shortcut := option.as_is())]
        if len(known) == 2:  # noqa: PLR2004  # mostly a kind of value, or null
            one, other = known
            return lambda value: one(value) or other(value)
        return (lambda value: any(shortcut(value) for shortcut in known)) if known else None

    def hint(self, value: object) -> str:
        return next(filter(None, (option.hint(value) for option in self.options)), "")

    def example(self, loss: str) -> object:
        return self.options[0].example(loss)


def any_of(options: Sequence[Kind]) -> Kind:
    """Join kinds; what accepts plain data of any kind accepts it in company too."""
    flat: dict[Kind, None] = {}
    for option in options:
        flat.update(dict.fromkeys(option.options if isinstance(option, AnyOf) else [option]))
    if len(flat) == 1:
        return next(iter(flat))
    return AnyOf(tuple(flat))


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_NAMES = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_LENGTHS = {"min_length": ">=", "max_length": "<="}


@attrs.frozen
class Bound:
    """A limit on a value, or on its length."""

    symbol: str
    limit: Any
    of_length: bool = False

    @property
    def text(self) -> str:
        """The limit in words, after the kind of value."""
        return f"{'of length ' if self.of_length else ''}{self.symbol} {show(self.limit)}"

    def holds(self, value: Any) -> bool:
        """Tell whether a value keeps the limit; what cannot be compared does not."""
        try:
            return COMPARISONS[self.symbol](len(value) if self.of_length else value, self.limit)
        except TypeError:
            return False


@attrs.frozen
class Bounded(Kind):
    """Values of one kind, within limits."""

    inner: Kind
    bounds: tuple[Bound, ...]

    @property
    def text(self) -> str:
        return f"{self.inner.text} {' and '.join(bound.text for bound in self.bounds)}"

    def fits(self, value: object) -> bool:
        return self.inner.fits(value)

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        before = len(validation.problems)
        result = self.inner.read(value, path, validation)
        if len(validation.problems) == before:
            for bound in self.bounds:
                if not bound.holds(result):
                    message = f"{label(path)} must be {bound.text}, not {show(value)}"
                    validation.add("out-of-range", message, path)
                    break
        return result

    def as_is(self) -> AsIs | None:
        inner = self.inner.as_is()
        if inner is None or any(bound.of_length for bound in self.bounds):
            return None
        limits = [(COMPARISONS[bound.symbol], bound.limit) for bound in self.bounds]

        def is_within(value: Any) -> bool:
            if not inner(value):
                return False
            for holds, limit in limits:  # noqa: SIM110  # half the time of any() and a generator
                if not holds(value, limit):
                    return False
            return True

        return is_within

    def hint(self, value: object) -> str:
        return self.inner.hint(value)

    def example(self, loss: str) -> object:
        """Return a value that keeps every limit, where one of the usual suspects does."""
        limits = [bound.limit for bound in self.bounds if not bound.of_length]
        middle = [sum(limits) / len(limits)] if limits else []
        usual = self.inner.example(loss)
        for candidate in (
            usual,
            *middle,
            0.5,
            1,
            2,
            *(limit + 1 for limit in limits),
            *(limit - 1 for limit in limits),
        ):
            if self.inner.fits(candidate) and all(bound.holds(candidate) for bound in self.bounds):
                return candidate
        return usual


def bounded(kind: Kind, bounds: Sequence[Bound]) -> Kind:
    """Put limits on a kind; within a union they are for the members that are not null."""
    if not bounds:
        return kind
    if isinstance(kind, AnyOf):
        return any_of(
            [option if isinstance(option, Null) else bounded(option, bounds) for option in kind.options]
        )
    if isinstance(kind, Bounded):
        return Bounded(kind.inner, (*kind.bounds, *bounds))
    return Bounded(kind, tuple(bounds))


def annotated_bounds(marks: Sequence[object]) -> list[Bound]:
    """Read the limits of what has ``ge``, ``max_length`` and the like: marks of ``Annotated``, validators."""
    bounds = []
    for mark in marks:
        for names, of_length in ((_NAMES, False), (_LENGTHS, True)):
            for name, symbol in names.items():
                limit = getattr(mark, name, None)
                if limit is not None and not callable(limit):
                    bounds.append(Bound(symbol, limit, of_length))
    return bounds
