"""What becomes of one parameter of another library: a closed set of conversions, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONVERSIONS: Mapping[str, Callable[[float], float]] = {
    "half": lambda value: value / 2,
    "reciprocal": lambda value: 1 / value,
    "twice": lambda value: 2 * value,
}
"""What may be done to a number on its way."""


_NOTHING = "ours has nothing that says the same"


@attrs.frozen
class Rule:
    """What becomes of the value of a parameter. The first of these that applies counts.

    Attributes:
        same_as: Another parameter, which says all if this one has the same value.
        drop: Values that change nothing.
        is_dropped: Whether no value changes anything.
        map: Values with what they are of ours.
        takes: The kind of value that can be converted: ``number``, ``list``, ``numbers`` (either), ``loss``.
        only: The values that can be converted, where not all can be.
        to: Where in our node the value goes, such as ``params.smooth``.
        by: A conversion, by name.
        differs: What is another number all the same, or because no value of ours says it.
        otherwise: What is to be said of a value that cannot be converted, where ``differs`` does not say it.
    """

    same_as: str = ""
    drop: tuple[object, ...] = ()
    is_dropped: bool = False
    map: tuple[tuple[object, object], ...] = ()
    takes: str = ""
    only: tuple[object, ...] = ()
    to: str = ""
    by: str = ""
    differs: str = ""
    otherwise: str = ""

    def apply(self, value: object, values: Mapping[str, object]) -> Outcome:
        """Say what becomes of a value, given those of all parameters."""
        if self.is_dropped or any(same(value, harmless) for harmless in self.drop):
            return Outcome()
        if self.same_as and same(value, values[self.same_as]):
            return Outcome()
        for theirs, ours in self.map:
            if same(value, theirs):
                return Outcome(self.to, ours)
        if not self.to or not self._can_take(value):
            return Outcome(differs=self.otherwise or self.differs or _NOTHING)
        if self.by:
            value = CONVERSIONS[self.by](value)  # type: ignore[arg-type]  # a number, as was checked
        return Outcome(self.to, value, self.differs)

    def _can_take(self, value: object) -> bool:
        if self.by and (not is_number(value) or (self.by == "reciprocal" and value == 0)):
            return False
        if self.takes == "number":
            return is_number(value)
        if self.only:
            return any(same(value, possible) for possible in self.only)
        if self.takes == "numbers" and is_number(value):
            return True
        if self.takes in ("list", "numbers"):
            return isinstance(value, list) and all(map(is_number, value))
        return True


@attrs.frozen
class Outcome:
    """What a rule says: what to write where, and what differs."""

    to: str = ""
    value: Any = None
    differs: str = ""


def read_rule(data: Mapping[str, Any]) -> Rule:
    """Return the rule that a file holds."""
    drop = data.get("drop", ())
    return Rule(
        same_as=data.get("same_as", ""),
        drop=() if drop == "any" else tuple(drop),
        is_dropped=drop == "any",
        map=tuple((theirs, ours) for theirs, ours in data.get("map", ())),
        takes=data.get("takes", ""),
        only=tuple(data.get("only", ())),
        to=data.get("to", ""),
        by=data.get("by", ""),
        differs=data.get("differs", ""),
        otherwise=data.get("otherwise", ""),
    )


def is_number(value: object) -> bool:
    """Say whether this is a number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(one: object, other: object) -> bool:
    """Say whether two values of configs are the same; 1 is not true."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other
