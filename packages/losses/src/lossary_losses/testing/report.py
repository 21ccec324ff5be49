"""What an examination finds."""

from typing import Literal

import attrs

__all__ = ["ConformanceError", "Report", "Result", "Status"]

Status = Literal["passed", "failed", "missing", "exempt"]
"""Missing: the loss does not offer what the rule is about. Exempt: it declares that the rule does not hold,
and why."""


@attrs.frozen
class Result:
    """How one rule went for one kind of target."""

    rule: str
    promise: str
    """What the rule says, in a sentence."""
    kind: str
    """What the target is."""
    status: Status
    detail: str = ""
    """What went wrong, or why the rule was not tried."""

    @property
    def broken(self) -> bool:
        """Whether a promise is not kept, and nothing is declared about it."""
        return self.status in ("failed", "missing")

    def __str__(self) -> str:
        """Show the rule, what it promises, and what happened instead."""
        line = f"{self.rule} [{self.kind}]: {self.status}"
        return f"{line}\n    promise: {self.promise}\n    {self.detail}" if self.detail else line


@attrs.frozen
class Report:
    """How all rules went."""

    name: str
    """The loss that was examined."""
    results: tuple[Result, ...]

    @property
    def broken(self) -> tuple[Result, ...]:
        """The promises that are not kept."""
        return tuple(each for each in self.results if each.broken)

    def having(self, status: Status) -> tuple[Result, ...]:
        """Give the results of one status."""
        return tuple(each for each in self.results if each.status == status)

    def __str__(self) -> str:
        """Show what is broken, what is missing, and what is exempt and why; kinds of target together."""
        lines = [f"{self.name}: {len(self.having('passed'))} passed, {len(self.broken)} broken"]
        for rule, kinds in _by_rule(self.having("failed")).items():
            lines += [
                f"  {rule} [{', '.join(kinds)}]: failed",
                f"    promise: {kinds[next(iter(kinds))].promise}",
            ]
            lines += [f"    {detail}" for detail in dict.fromkeys(each.detail for each in kinds.values())]
        statuses: tuple[Status, ...] = ("missing", "exempt")
        for status in statuses:
            for rule, kinds in _by_rule(self.having(status)).items():
                lines.append(f"  {rule}: {status}, {next(iter(kinds.values())).detail}")
        return "\n".join(lines)


def _by_rule(results: tuple[Result, ...]) -> dict[str, dict[str, Result]]:
    grouped: dict[str, dict[str, Result]] = {}
    for each in results:
        grouped.setdefault(each.rule, {})[each.kind] = each
    return grouped


class ConformanceError(AssertionError):
    """A loss does not keep what the suite promises for it; the ``report`` says what."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report
