"""From a config, in a file or in Python, to a spec and all problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from ._collections import installed_registry
from ._forms import COMPOSITES
from ._grammar import GRAMMAR, read_document
from ._overrides import overridden
from ._paths import parse_path
from ._plan import plan_of
from ._problems import ConfigError, Problem, too_many_problems
from ._reading import read
from ._suggest import did_you_mean
from ._validation import EnoughError, Validation
from ._wording import listing, show, show_key, show_path

if TYPE_CHECKING:
    import os

    from lossary_registry import Registry

    from ._spec import LossSpec
    from ._wording import ConfigPath


class Checked(NamedTuple):
    """What a config is: a spec where it is correct, and what was found."""

    spec: LossSpec[Any] | None
    problems: list[Problem]


@attrs.define
class Request:
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
        return self._check(
            document.data, Validation(self._registry(), GRAMMAR, document.source), document.problems
        )

    def check_data(self, data: object) -> Checked:
        """Check plain data."""
        return self._check(data, Validation(self._registry(), GRAMMAR), [])

    def _registry(self) -> Registry[Any]:
        return installed_registry() if self.registry is None else self.registry

    def _check(self, data: object, validation: Validation, earlier: list[Problem]) -> Checked:
        """Check plain data; ``earlier`` are the problems that reading it went past."""
        if self.allow is not None:
            if isinstance(self.allow, str):
                raise TypeError("allow is a collection of names, not one name")
            validation.allowed = {validation.registry.entry(name).name for name in self.allow}
        if self.overrides:
            try:
                data, validation.overridden = overridden(data, self.overrides)
            except ConfigError as error:
                return Checked(None, [*earlier, *error.problems])
        try:
            spec = (
                read_document(data, (), validation)
                if self.key is None
                else _read_at(self.key, data, validation)
            )
        except EnoughError:
            spec = None
            validation.problems.append(too_many_problems())
        problems = validation.problems
        if not earlier and not problems:
            return Checked(spec, [])
        # A value that could not be read is not also of the wrong type.
        known = {_position(problem) for problem in earlier}
        found = [problem for problem in problems if _position(problem) not in known or not problem.line]
        return Checked(spec, sorted([*earlier, *found], key=_position))


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def _read_at(key: str, data: object, validation: Validation) -> LossSpec[Any] | None:
    """Read what stands at a key of a larger config, whose other keys are not for us to judge."""
    path = parse_path(key)
    value = data
    parent: object = None
    for number, part in enumerate(path):
        parent = value
        try:
            value = value[part]  # type: ignore[index]  # whatever is no container says so
        except (TypeError, LookupError):
            _complain_of_key(path[: number + 1], parent, validation)
            return None
    spec = read_document(value, path, validation)
    if spec is not None and isinstance(parent, Mapping):
        _warn_of_siblings(parent, path, spec, validation)
    return spec


def _complain_of_key(path: ConfigPath, there: object, validation: Validation) -> None:
    keys = list(there) if isinstance(there, Mapping) else []
    has = f"it has: {listing(map(show_key, keys))}" if keys else f"it is {show(there)}"
    place = show_path(path[:-1]) or "the config"
    message = f"{place} has no {show(path[-1])}, where the loss was to be"
    validation.add(
        "no-such-key", message, path[:-1], hint=f"{did_you_mean(path[-1], keys)}{has}", at_key=True
    )


def _warn_of_siblings(
    parent: Mapping[Any, object], path: ConfigPath, spec: LossSpec[Any], validation: Validation
) -> None:
    """Warn of parameters of the loss that stand beside it: a line that lost its indentation looks so."""
    if spec.name in COMPOSITES:
        return
    loss = show_key(path[-1])
    params = parent.get("params")
    parameters = plan_of(spec.loss_class, validation.registry.base_class).parameters
    if isinstance(params, Mapping) and params and parameters.keys() >= params.keys() and path[-1] != "params":
        message = f"'params' stands beside {loss!r}, and holds parameters of {spec.name}"
        hint = f"if it is for the loss, write it under {loss!r}"
        sibling: ConfigPath = (*path[:-1], "params")
        validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")
    for parameter in plan_of(spec.loss_class, validation.registry.base_class).offered:
        if parameter.name in parent and parameter.name != path[-1]:
            message = f"{parameter.name!r} stands beside {loss!r}, and is a parameter of {spec.name}"
            hint = f"if it is for the loss, write it under {loss}.params"
            sibling = (*path[:-1], parameter.name)
            validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")
