"""What can be wrong, as values and as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from ._wording import ConfigPath, counted, show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._source import Location

Role = Literal["place", "code", "message", "path", "number", "source", "caret", "hint"]
"""What a piece of a printed problem is, so that a terminal can colour it."""


@attrs.frozen
class Problem:
    """One thing that is wrong with a config.

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

    def __str__(self) -> str:
        return self.render(lambda _role, text: text)

    def render(self, paint: Callable[[Role, str], str]) -> str:
        """Write the problem as people read it, each piece through ``paint``."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        head = f"{paint('code', f'error[{self.code}]')}: {paint('message', self.message)}"
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


def make_problem(
    code: str,
    message: str,
    *,
    path: ConfigPath = (),
    hint: str = "",
    file: str | None = None,
    location: Location | None = None,
) -> Problem:
    """Put a problem together from what its finder knows."""
    where = {} if location is None else location._asdict()
    return Problem(code=code, message=message, path=show_path(path), hint=hint, file=file, **where)


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
        head = f"{counted(len(self.problems), 'problem')} in {', '.join(files) or 'the config'}"
        return "\n\n".join([head, *map(str, self.problems)])


class CollectionError(FactoryError, LookupError):
    """No collection of losses can be used: none is installed, several are, or one does not load."""

    __module__ = "lossary_factory"

    def __str__(self) -> str:
        return str(self.args[0])
