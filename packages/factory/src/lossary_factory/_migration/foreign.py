"""Reading files of other tools, which say some things that ours must not."""

from __future__ import annotations

import re
from typing import Any

import attrs

from lossary_factory._problems import ConfigPath, Problem, Source, parse_path
from lossary_factory._reading import read

_TAGGED = re.compile(r"(?:&\S+\s+)?!!(float|int)\s+(?:&\S+\s+)?[\"']?([^\s\"',\]}#]+)")


@attrs.frozen
class Foreign:
    """What a file of another tool holds.

    Attributes:
        data: Its data.
        source: Its text.
        problems: What is wrong with it whatever tool it is for, such as a key that stands twice.
    """

    data: object
    source: Source
    problems: list[Problem]


def read_foreign(file: str) -> Foreign:
    """Read a file; numbers that YAML is told to take for numbers, as in ``lr: !!float 1e-1``, are numbers.

    Raises:
        ConfigError: The file cannot be read, or what it holds cannot be understood at all.
    """
    document = read(file)
    lines = document.source.text.replace("\r\n", " \n").replace("\r", "\n").split("\n")
    data, problems = document.data, []
    for problem in document.problems:
        number = _tagged_number(problem, lines)
        if number is None:
            problems.append(problem)
        else:
            data = _put(data, parse_path(problem.path) if problem.path else (), number)
    return Foreign(data, document.source, problems)


def _tagged_number(problem: Problem, lines: list[str]) -> float | None:
    if problem.code != "tag-not-allowed" or problem.line is None or problem.column is None:
        return None
    found = _TAGGED.match(lines[problem.line - 1], problem.column - 1)
    if found is None:
        return None
    try:
        return int(found[2]) if found[1] == "int" else float(found[2])
    except ValueError:
        return None


def _put(data: Any, path: ConfigPath, value: object) -> Any:  # noqa: ANN401  # plain data of any kind
    """Return the data with another value at a path; what is not there stays as it is."""
    if not path:
        return value
    key: Any = path[0]
    try:
        inside = data[key]
    except (LookupError, TypeError):
        return data
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[key] = _put(inside, path[1:], value)
    return copy
