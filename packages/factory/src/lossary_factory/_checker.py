"""From a config, in a file or in Python, to a spec and all problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ._collections import chosen_registry
from ._grammar import read_config
from ._problems import ConfigError, Problem, parse_path
from ._reading import overridden, read
from ._spec import Checked
from ._validation import Validation

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

    from lossary_registry import Registry


@attrs.define
class Checker:
    """How a config is to be read.

    Attributes:
        registry: Where the names are looked up; the installed collection if None.
        key: The path of what is the config, within a larger one.
        overrides: Values to put in the place of others, as ``PATH=VALUE``.
        allow: The names that the config may use; all if None.
    """

    registry: Registry[Any] | None = None
    key: str | None = None
    overrides: Sequence[str] = ()
    allow: Collection[str] | None = None

    def check_file(self, path: str | os.PathLike[str]) -> Checked:
        """Read a file and check what it holds."""
        try:
            document = read(path)
        except ConfigError as error:
            return Checked(None, list(error.problems))
        # What stands beside the config is not judged, and can be read by a tool that allows more.
        problems = document.problems if self.key is None else document.problems_at(parse_path(self.key))
        return self._check(document.data, Validation(self._registry(), document.source), problems)

    def check_data(self, data: object) -> Checked:
        """Check plain data."""
        return self._check(data, Validation(self._registry()), [])

    def _registry(self) -> Registry[Any]:
        return chosen_registry(self.registry)

    def _check(self, data: object, validation: Validation, earlier: list[Problem]) -> Checked:
        """Check plain data; ``earlier`` are the problems that reading it went past."""
        if self.allow is not None:
            if isinstance(self.allow, str):
                raise TypeError("allow is a collection of names, not one name")
            validation.allowed = frozenset(validation.registry.entry(name).name for name in self.allow)
        if self.overrides:
            try:
                data, validation.overridden = overridden(data, self.overrides)
            except ConfigError as error:
                return Checked(None, [*earlier, *error.problems])
        spec = read_config(data, validation, self.key)
        problems = validation.problems
        if not earlier and not problems:
            return Checked(spec, [])
        # A value that could not be read is not also of the wrong type.
        known = {_position(problem) for problem in earlier}
        found = [problem for problem in problems if _position(problem) not in known or not problem.line]
        return Checked(spec, sorted(_unlike([*earlier, *found]), key=_position))


def _unlike(problems: list[Problem]) -> list[Problem]:
    """Keep the first of those that one change mends: an anchored value is as wrong at each use."""
    first: dict[object, Problem] = {}
    for number, problem in enumerate(problems):
        place = (problem.file, problem.line, problem.column, problem.code, problem.message)
        first.setdefault(place if problem.line else number, problem)
    return list(first.values())


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0
