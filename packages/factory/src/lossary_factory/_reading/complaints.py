"""What a reader of text finds wrong."""

from __future__ import annotations

import attrs

from lossary_factory._problems import (
    DEEPEST,
    MOST_PROBLEMS,
    MOST_VALUES,
    ConfigError,
    ConfigPath,
    Location,
    Problem,
    Source,
    Span,
    make_problem,
    show,
    too_many_problems,
)


@attrs.define
class Complaints:
    """Collects the problems of one text.

    Attributes:
        source: The text.
        path: Where in the config the value stands that is read, where it is that of an override.
        offset: Where in the text it begins.
        problems: What was found so far.
        paths: Where each of them is.
        uses: What is written elsewhere: where it is used, and where it is written, in the order of the text.
    """

    source: Source
    path: ConfigPath = ()
    offset: int = 0
    problems: list[Problem] = attrs.field(factory=list)
    paths: list[ConfigPath] = attrs.field(factory=list)
    uses: list[tuple[ConfigPath, ConfigPath]] = attrs.field(factory=list)

    def at(self, span: Span) -> Location:
        """Say where in the whole text a stretch of what is read stands."""
        return self.source.at(Span(span.start + self.offset, span.end + self.offset))

    def add(self, code: str, message: str, span: Span, *, path: ConfigPath = (), hint: str = "") -> None:
        """Note a problem, and go on reading.

        Raises:
            ConfigError: There were so many before that this cannot be a config.
        """
        if len(self.problems) >= MOST_PROBLEMS:
            raise ConfigError([*self.problems, too_many_problems()])
        location = self.at(span)
        file = self.source.file
        place = (*self.path, *path) if self.path or path else ()
        self.problems.append(make_problem(code, message, path=place, hint=hint, file=file, location=location))
        self.paths.append(place)

    def problems_at(self, path: ConfigPath) -> list[Problem]:
        """Return the problems of what stands at a path: on the way to it, in it, and in what it uses."""
        wanted = {path}
        for use, written in reversed(
            self.uses
        ):  # what is used stands before, and what that uses still earlier
            if path[: len(use)] == use or _is_in(use, wanted):
                wanted.add(written)
        return [
            problem
            for problem, place in zip(self.problems, self.paths, strict=True)
            if path[: len(place)] == place or _is_in(place, wanted)
        ]

    def fatal(
        self, code: str, message: str, span: Span, *, path: ConfigPath = (), hint: str = ""
    ) -> ConfigError:
        """Note a problem after which the text makes no sense, and return the error to raise."""
        self.add(code, message, span, path=path, hint=hint)
        return ConfigError(self.problems)

    def duplicate(self, key: object, span: Span, first: Span, *, path: ConfigPath) -> None:
        """Note a key that stands twice in one mapping."""
        line = self.at(first).line
        message = f"the key {show(key)} stands here twice, first in line {line}"
        self.add("duplicate-key", message, span, path=path, hint="keep one of them")

    def too_deep(self, span: Span, *, path: ConfigPath = ()) -> ConfigError:
        """Return the error for nesting that no loss needs."""
        message = f"values are nested more than {DEEPEST} levels deep"
        return self.fatal("too-deep", message, span, path=path[:3])

    def too_large(self, span: Span, *, path: ConfigPath = (), note: str = "") -> ConfigError:
        """Return the error for more values than any loss needs."""
        message = f"the file holds more than {MOST_VALUES:,} values{note}"
        return self.fatal("too-large", message, span, path=path[:3])


def _is_in(path: ConfigPath, places: set[ConfigPath]) -> bool:
    """Tell whether a path leads into one of several places."""
    return any(path[:end] in places for end in range(len(path) + 1))
