"""Reading the docstring of a loss: its sections are data for cards and pages."""

import inspect
import re
from typing import NamedTuple

import attrs

__all__ = ["Docstring", "Paper", "read_docstring"]

_SECTION = re.compile(r"^([A-Z][a-z]+):$", re.MULTILINE)
_MATH = re.compile(r"^\.\. math::(.*(?:\n(?: .*)?)*)", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)
_PAPER = re.compile(
    r"(?P<authors>(?:(?:De|Le|Van) )?[A-Z][\w'-]+(?:(?:, | and )[A-Z][\w'-]+)*(?: et al\.)?) "
    r"(?P<year>\d{4}), "
    r'"(?P<title>[^"]+)", (?P<id>(?:arXiv|doi|openreview):\S*\w)'
)


@attrs.frozen
class Paper:
    """Where a formula comes from."""

    authors: str
    year: int
    title: str
    id: str
    """As ``arXiv:...``, ``doi:...`` or ``openreview:...``."""


class Docstring(NamedTuple):
    """The parts of a loss's docstring; what is missing is empty."""

    summary: str
    formula: str
    """LaTeX."""
    notes: str
    """What stands between the formula and the first section."""
    sections: dict[str, str]

    def entries(self, section: str) -> dict[str, str]:
        """Give the entries of a section such as ``Args``, each ``name: text``."""
        text = self.sections.get(section, "")
        starts = [*_ENTRY.finditer(text)]
        ends = [*(each.start() for each in starts[1:]), len(text)]
        # Without an entry there is still an end.
        return {
            start[1]: _one_line(text[start.end() : end]) for start, end in zip(starts, ends, strict=False)
        }

    def papers(self) -> tuple[Paper, ...]:
        """Give what the reference cites."""
        reference = _one_line(self.sections.get("Reference", ""))
        return tuple(
            Paper(each["authors"], int(each["year"]), each["title"], each["id"])
            for each in _PAPER.finditer(reference)
        )


def read_docstring(of: type) -> Docstring:
    """Take a class's own docstring apart; one that is inherited says nothing about the class."""
    text = inspect.cleandoc(of.__doc__ or "")
    head, *rest = _SECTION.split(text)
    sections = {name: inspect.cleandoc("\n" + body) for name, body in zip(rest[::2], rest[1::2], strict=True)}
    formula = _MATH.search(head)
    notes = _MATH.sub("", head).partition("\n\n")[2]
    return Docstring(
        summary=_one_line(head.partition("\n\n")[0]),
        formula=_one_line(formula[1]) if formula else "",
        notes=_one_line(notes),
        sections=sections,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
