"""A value of one kind or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from lossary_factory._problems import ConfigPath, either

from ._base import AsIs, Check, Null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossary_factory._validation import Validation


@attrs.frozen
class AnyOf(Check):
    """A value that one of several checks accepts."""

    options: tuple[Check, ...]

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


def any_of(options: Sequence[Check]) -> Check:
    """Join checks; what accepts plain data of any kind accepts it in company too."""
    flat: dict[Check, None] = {}
    for option in options:
        flat.update(dict.fromkeys(option.options if isinstance(option, AnyOf) else [option]))
    if len(flat) == 1:
        return next(iter(flat))
    return AnyOf(tuple(flat))
