"""What a reader of text finds wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from lossary_factory._limits import DEEPEST, MOST_PROBLEMS
from lossary_factory._problems import ConfigError, Problem, make_problem, too_many_problems

if TYPE_CHECKING:
    from lossary_factory._source import Source, Span
    from lossary_factory._wording import ConfigPath


@attrs.define
class Complaints:
    """Collects the problems of one text."""

    source: Source
    problems: list[Problem] = attrs.field(factory=list)

    def add(self, code: str, message: str, span: Span, *, path: ConfigPath = (), hint: str = "") -> None:
        """Note a problem, and go on reading.

        Raises:
            ConfigError: There were so many before that this cannot be a config.
        """
        if len(self.problems) >= MOST_PROBLEMS:
            raise ConfigError([*self.problems, too_many_problems()])
        location = self.source.at(span)
        file = self.source.file
        self.problems.append(make_problem(code, message, path=path, hint=hint, file=file, location=location))

    def fatal(
        self, code: str, message: str, span: Span, *, path: ConfigPath = (), hint: str = ""
    ) -> ConfigError:
        """Note a problem after which the text makes no sense, and return the error to raise."""
        self.add(code, message, span, path=path, hint=hint)
        return ConfigError(self.problems)

    def duplicate(self, key: object, span: Span, first: Span, *, path: ConfigPath) -> None:
        """Note a key that stands twice in one mapping."""
        line = self.source.at(first).line
        message = f"the key {key!r} stands here twice, first in line {line}"
        self.add("duplicate-key", message, span, path=path, hint="keep one of them")

    def too_deep(self, span: Span, *, path: ConfigPath = ()) -> ConfigError:
        """Return the error for nesting that no loss needs."""
        message = f"values are nested more than {DEEPEST} levels deep"
        return self.fatal("too-deep", message, span, path=path[:3])
