"""One thing that a constructor takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from lossary_factory._problems import ConfigPath
    from lossary_factory._validation import Validation

    from .kinds import AsIs, Kind

Rule = Callable[[object], None]
"""Raises ValueError or TypeError for a value that a field's own converter or validator refuses."""


class Unsaid:
    """The default of what may be left out, where only the constructor knows what it is then."""


UNSAID = Unsaid()


@attrs.frozen
class Parameter:
    """One thing that a constructor takes.

    Attributes:
        name: The keyword.
        kind: What it accepts, by its annotation and the limits that can be read.
        default: What it is when not given; ``inspect.Parameter.empty`` where it must be given, and an
            ``Unsaid`` where the constructor decides.
        rule: The validation that can only be run, if there is any.
    """

    name: str
    kind: Kind
    default: object = inspect.Parameter.empty
    rule: Rule | None = None
    takes_as_is: AsIs | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda parameter: parameter.kind.as_is(), takes_self=True),
    )
    """Tells at once that a value is right, so that most values cost one call."""

    @property
    def is_required(self) -> bool:
        """Whether the constructor has no default for it."""
        return self.default is inspect.Parameter.empty

    @property
    def is_for_python(self) -> bool:
        """Whether it takes only what no file can hold, and can be left out."""
        return not self.is_required and self.kind.is_for_python

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Return what the constructor gets for a value; note what is wrong with it."""
        if self.takes_as_is is not None and self.takes_as_is(value):
            result = value
        else:
            before = len(validation.problems)
            result = self.kind(value, path, validation)
            if len(validation.problems) > before:
                return result
        if self.rule is not None and result is not self.default:  # a default needs no judge
            try:
                self.rule(result)
            except (TypeError, ValueError) as error:
                validation.add("invalid-value", self._refusal(error), path)
        return result

    def _refusal(self, error: Exception) -> str:
        """Put what a validator raised into one sentence that names the parameter."""
        reason = str(error.args[0] if error.args else type(error).__name__).partition("\n")[0]
        is_named = reason.lstrip("'").startswith(self.name)
        return reason if is_named else f"{self.name} is refused: {reason}"
