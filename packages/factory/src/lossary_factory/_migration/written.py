"""Our config as YAML, with comments where something has become another number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from .findings import Node

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]")
_WIDTH = 100


def written_lines(
    data: Mapping[str, object], flow: Callable[[object], str], indent: str = ""
) -> Iterator[str]:
    """Write nested mappings as YAML, one key a line; ``flow`` writes a value on one line."""
    for key, value in data.items():
        if isinstance(value, Node):
            yield from (f"{indent}{line}" for comment in value.comments for line in _comment(comment))
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_escaped(flow(key))}:"
            yield from written_lines(value, flow, f"{indent}  ")
        elif _has_comments(value):
            yield from (f"{indent}{line}" for comment in _comments_in(value) for line in _comment(comment))
            yield f"{indent}{_escaped(flow(key))}: {_escaped(flow(value))}"
        else:
            yield f"{indent}{_escaped(flow(key))}: {_escaped(flow(value))}"


def _has_comments(value: object) -> bool:
    return any(True for _ in _comments_in(value))


def _comments_in(value: object) -> Iterator[str]:
    """Yield the comments of nodes inside a list, which is written on one line."""
    if isinstance(value, Node):
        yield from value.comments
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in inside:
        yield from _comments_in(item)


def _comment(text: str) -> Iterator[str]:
    words = _escaped(" ".join(text.split())).split(" ")
    line = "# CHANGED:"
    for word in words:
        if len(line) + len(word) >= _WIDTH:
            yield line
            line = "#  "
        line += f" {word}"
    yield line


def _escaped(text: str) -> str:
    """Escape what YAML does not have as it is; it can only stand in quotes, where this is its own writing."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
