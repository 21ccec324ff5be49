"""Limits on values: from ``Annotated`` and from attrs validators, checked in one way."""
# ruff: noqa: ANN401  # limits, values and validators are of any type

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import attrs

from ._checks import AnyOf, AsIs, Check, Choice, Null, any_of
from ._problems import ConfigPath, label, show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._validation import Validation

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
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
            return _COMPARISONS[self.symbol](len(value) if self.of_length else value, self.limit)
        except TypeError:
            return False


@attrs.frozen
class Bounded(Check):
    """Values of one kind, within limits."""

    inner: Check
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
        limits = [(_COMPARISONS[bound.symbol], bound.limit) for bound in self.bounds]

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


def bounded(check: Check, bounds: Sequence[Bound]) -> Check:
    """Put limits on a check; within a union they are for the members that are not null."""
    if not bounds:
        return check
    if isinstance(check, AnyOf):
        return any_of(
            [option if isinstance(option, Null) else bounded(option, bounds) for option in check.options]
        )
    if isinstance(check, Bounded):
        return Bounded(check.inner, (*check.bounds, *bounds))
    return Bounded(check, tuple(bounds))


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


def with_validator(check: Check, validator: Any) -> tuple[Check, bool]:
    """Fold the limits of an attrs validator into a check, and tell whether the validator says no more.

    attrs does not document the fields of its own validators; one that changes is called, no longer read.
    """
    kind = type(validator).__name__
    if kind == "_AndValidator":
        is_all = True
        for part in validator._validators:  # noqa: SLF001  # attrs has no other way to ask
            check, is_part = with_validator(check, part)
            is_all = is_all and is_part
        return check, is_all
    if kind == "_OptionalValidator":
        inner, is_all = with_validator(check, validator.validator)
        return any_of([inner, Null()]), is_all
    if kind == "_NumberValidator" and validator.compare_op in _COMPARISONS:
        return bounded(check, [Bound(validator.compare_op, validator.bound)]), True
    if kind == "_InValidator" and _is_words(validator.options):
        return Choice(tuple(validator.options)), True
    # A validator of one's own may say that its bounds, and the type of its field, are all that it checks.
    is_all = validator is None or getattr(validator, "declares_all", False) is True
    return bounded(check, annotated_bounds([validator])), is_all


def _is_words(options: object) -> bool:
    return isinstance(options, (list, tuple)) and all(isinstance(option, str) for option in options)
