"""Plain data written in the format that the name of a file asks for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .yaml import quoted, yaml_lines

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_CHECK = "# Check this file with: lossary validate FILE\n"
_COMPLETE = """\
# For completion in editors: lossary schema --output loss.schema.json
# and then take the first two characters off the next line:
"""


def _as_yaml(data: Mapping[str, Any]) -> str:
    head = f"{_CHECK}{_COMPLETE}# # yaml-language-server: $schema=loss.schema.json\n"
    return head + "".join(f"{line}\n" for line in yaml_lines(data))


def _as_toml(data: Mapping[str, Any]) -> str:
    # Where an editor looks for a schema, it has to stand above all else.
    head = f"{_COMPLETE}# #:schema loss.schema.json\n{_CHECK}"
    return head + "".join(f"{line}\n" for line in _toml_lines(data, ()))


def _as_json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"  # which has no comments


WRITERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    ".yaml": _as_yaml,
    ".yml": _as_yaml,
    ".toml": _as_toml,
    ".json": _as_json,
}
"""What writes a config to start with, by the end of the file's name."""


def _toml_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Write a table, then the tables inside it, each under its header."""
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    values = {key: value for key, value in table.items() if key not in tables and value is not None}
    if path and (values or not tables):
        yield ""
        yield f"[{'.'.join(map(_toml_key, path))}]"
    for key, value in values.items():
        yield f"{_toml_key(key)} = {_toml_value(value)}"
    for key, inner in tables.items():
        yield from _toml_lines(inner, (*path, key))


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quoted(key)


def _toml_value(value: Any) -> str:  # noqa: ANN401  # plain data of any kind
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(key)} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value)
