"""One pass over one config: what it may name, and what was found wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ._limits import DEEPEST
from ._problems import Problem, make_problem
from ._wording import ConfigPath, label, show

if TYPE_CHECKING:
    from lossary_registry import Registry

    from ._source import Source
    from ._spec import LossSpec

NodeReader = Callable[[object, ConfigPath, "Validation"], "LossSpec[Any] | None"]


@attrs.define
class Validation:
    """Collects every problem of a config; nothing here raises, so nothing hides behind a first mistake."""

    registry: Registry[Any]
    read_node: NodeReader = attrs.field(repr=False)
    source: Source | None = None
    problems: list[Problem] = attrs.field(factory=list)

    def add(self, code: str, message: str, path: ConfigPath, *, hint: str = "", at_key: bool = False) -> None:
        """Note a problem at a path, pointing at the value or at its key."""
        location = file = None
        if self.source is not None:
            file = self.source.file
            location = self.source.locate(path, at_key=at_key)
        self.problems.append(make_problem(code, message, path=path, hint=hint, file=file, location=location))

    def wrong_type(self, path: ConfigPath, value: object, wanted: str, *, hint: str = "") -> None:
        """Note a value of the wrong kind."""
        self.add("wrong-type", f"{label(path)} must be {wanted}, not {show(value)}", path, hint=hint)

    def trial(self) -> Validation:
        """Return a pass whose problems do not count, to try a value on."""
        return attrs.evolve(self, problems=[])

    def is_too_deep(self, path: ConfigPath) -> bool:
        """Tell whether a path is too long for a config, and note it; cycles in Python data end here."""
        if len(path) <= DEEPEST:
            return False
        self.add("too-deep", f"values are nested more than {DEEPEST} levels deep", path[:3])
        return True

    def copied(self, value: object, path: ConfigPath) -> object:
        """Copy plain data, so that a spec does not change with the config that it was made from."""
        if isinstance(value, (str, bytes)) or not isinstance(value, (Mapping, Sequence)):
            return value
        if self.is_too_deep(path):
            return None
        if isinstance(value, Mapping):
            return {key: self.copied(item, (*path, key)) for key, item in value.items()}
        items = [self.copied(item, (*path, index)) for index, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
