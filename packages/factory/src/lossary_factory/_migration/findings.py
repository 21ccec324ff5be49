"""What cannot be migrated as it is, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import ConfigPath, Problem, make_problem

if TYPE_CHECKING:
    from lossary_factory._problems import Source


@attrs.frozen
class Finding:
    """One thing that changes a number, or that cannot be migrated at all.

    Attributes:
        problem: What it is, and where.
        can_be_accepted: Whether there is something to write all the same.
    """

    problem: Problem
    can_be_accepted: bool


class Node(dict[str, Any]):
    """A node of ours, with what is to be said beside it."""

    comments: tuple[str, ...] = ()

    def say(self, *comments: str) -> Node:
        """Add comments."""
        self.comments = tuple(dict.fromkeys((*self.comments, *comments)))
        return self


@attrs.define
class Findings:
    """Collects findings and notes.

    Attributes:
        source: The text, for lines and columns; None where the config came from Python.
        found: What was found.
        notes: What has to be known, and changes no number.
    """

    source: Source | None = None
    found: list[Finding] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)

    def refuse(
        self, code: str, message: str, path: ConfigPath, *, hint: str = "", at_key: bool = False
    ) -> None:
        """Note what cannot be migrated."""
        problem = self._problem(code, message, path, hint, at_key=at_key)
        self.found.append(Finding(problem, can_be_accepted=False))

    def change(
        self,
        message: str,
        path: ConfigPath,
        node: Node | None = None,
        *,
        hint: str = "",
        code: str = "value-changes",
        at_key: bool = False,
    ) -> None:
        """Note what becomes another number, beside the node that is written if that is accepted."""
        self.found.append(
            Finding(self._problem(code, message, path, hint, at_key=at_key), can_be_accepted=True)
        )
        if node is not None:
            node.say(message)

    def note(self, words: str) -> None:
        """Note what has to be known, once."""
        if words not in self.notes:
            self.notes.append(words)

    def _problem(self, code: str, message: str, path: ConfigPath, hint: str, *, at_key: bool) -> Problem:
        if self.source is None:
            return make_problem(code, message, path=path, hint=hint)
        location = self.source.locate(path, at_key=at_key)
        return make_problem(code, message, path=path, hint=hint, file=self.source.file, location=location)
