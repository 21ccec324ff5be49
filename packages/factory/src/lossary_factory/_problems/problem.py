"""What can be wrong, as values and as exceptions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import attrs

from .limits import MOST_PROBLEMS
from .paths import ConfigPath, show_path
from .words import counted, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .source import Location

Role = Literal["place", "code", "warning", "message", "path", "number", "source", "caret", "hint"]
"""What a piece of a printed problem is, so that a terminal can colour it."""


Severity = Literal["error", "warning"]


@attrs.frozen
class Problem:
    """One thing that is wrong with a config, or that looks as if it were.

    Attributes:
        code: A stable name for this kind of problem, such as ``unknown-parameter``.
        message: What is wrong, in one sentence.
        path: Where in the config, such as ``loss.sum.pixel.params.gama``; empty for the whole of it.
        hint: How to mend it, and what is possible instead.
        file: The file, as it was named; None where the config did not come from one.
        line: The line in the file, counted from 1; None where there is none to show.
        column: The column in the line, counted from 1.
        line_text: The line itself, cropped where it is very long.
        caret: What underlines the offending part of ``line_text``.
        severity: ``error``, or ``warning`` for what does not keep a config from being used.
    """

    code: str
    message: str
    path: str = ""
    hint: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    line_text: str = attrs.field(default="", repr=False)
    caret: str = attrs.field(default="", repr=False)
    severity: Severity = "error"

    def __str__(self) -> str:
        return self.render(lambda _role, text: text)

    def render(self, paint: Callable[[Role, str], str]) -> str:
        """Write the problem as people read it, each piece through ``paint``."""
        place = printable(
            ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        )
        role: Role = "code" if self.severity == "error" else "warning"
        head = f"{paint(role, f'{self.severity}[{self.code}]')}: {paint('message', self.message)}"
        lines = [f"{paint('place', place + ':')} {head}" if place else head]
        if self.path:
            lines.append(f"    at {paint('path', self.path)}")
        if self.line is not None:
            number = str(self.line)
            lines.append(f"    {paint('number', number + ' |')} {paint('source', self.line_text)}".rstrip())
            bar = " " * len(number) + " |"
            lines.append(f"    {paint('number', bar)} {paint('caret', self.caret)}")
        lines.extend(f"    {paint('hint', line)}" for line in self.hint.splitlines())
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known of the problem as plain data."""
        return attrs.asdict(self)

    def to_github(self) -> str:
        """Write the problem as a line that GitHub shows beside the line of the file."""
        properties = {"file": self.file, "line": self.line, "col": self.column, "title": self.code}
        given = ",".join(f"{key}={_escaped(value)}" for key, value in properties.items() if value is not None)
        text = "\n".join(filter(None, [self.message, self.hint]))
        return printable(f"::{self.severity} {given}::{_escaped_text(text)}")


def _escaped_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(value: object) -> str:
    return _escaped_text(str(value)).replace(":", "%3A").replace(",", "%2C")


def make_problem(
    code: str,
    message: str,
    *,
    path: ConfigPath = (),
    hint: str = "",
    file: str | None = None,
    location: Location | None = None,
    severity: Severity = "error",
) -> Problem:
    """Put a problem together from what its finder knows."""
    where = {} if location is None else location._asdict()
    return Problem(
        code=code, message=message, path=show_path(path), hint=hint, file=file, severity=severity, **where
    )


def too_many_problems() -> Problem:
    """Return what is said in the place of all problems beyond the first thousand."""
    message = f"there are more than {MOST_PROBLEMS:,} problems, and the rest was not looked at"
    return Problem("too-many-problems", message)


class FactoryError(Exception):
    """Whatever this package itself has to say; catch this to catch all of it."""

    __module__ = "lossary_factory"


class ConfigError(FactoryError, ValueError):
    """A config is wrong; ``problems`` holds everything that is wrong with it.

    Example:
        >>> raise ConfigError([Problem("unknown-loss", "LossFunctions has no loss 'dise_loss'")])
        Traceback (most recent call last):
            ...
        lossary_factory.ConfigError: 1 problem in the config
        <BLANKLINE>
        error[unknown-loss]: LossFunctions has no loss 'dise_loss'
    """

    __module__ = "lossary_factory"

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        files = dict.fromkeys(problem.file for problem in self.problems if problem.file)
        where = printable(", ".join(files)) or "the config"
        head = f"{counted(len(self.problems), 'problem')} in {where}"
        return "\n\n".join([head, *map(str, self.problems)])

    def to_json(self) -> str:
        """Write the problems as a JSON list."""
        return json.dumps([problem.to_dict() for problem in self.problems], ensure_ascii=False)

    def to_github(self) -> str:
        """Write the problems as lines that GitHub shows beside the lines of the files."""
        return "\n".join(problem.to_github() for problem in self.problems)


class ConfigWarning(UserWarning):
    """A config can be used, and probably does not say what somebody meant."""

    __module__ = "lossary_factory"


class UnwritableError(FactoryError, TypeError):
    """An object cannot be written as a config."""

    __module__ = "lossary_factory"


class CollectionError(FactoryError, LookupError):
    """No collection of losses can be used: none is installed, several are, or one does not load."""

    __module__ = "lossary_factory"

    def __str__(self) -> str:
        return str(self.args[0])
