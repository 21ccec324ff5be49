"""Plain data written as YAML."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lossary_factory._reading.from_yaml import scalar
from lossary_factory._values import plain

_BARE_WORD = re.compile(r"[A-Za-z_][\w-]*")


def yaml_lines(data: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Write nested mappings as YAML, one key a line."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{flow(key)}:"
            yield from yaml_lines(value, f"{indent}  ")
        else:
            yield f"{indent}{flow(key)}: {flow(value)}"


def quoted(text: str) -> str:
    """Write a text in quotes, and what would act on a terminal as YAML and TOML escape it."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 1 << 16 else f"\\U{ord(c):08x}"
        for c in written
    )


def flow(value: object) -> str:  # noqa: PLR0911  # a table of cases
    """Write a value as YAML on one line; what YAML has no word for is described."""
    if isinstance(value, enum.Enum):
        return flow(plain(value))
    if isinstance(value, str):
        bare = _BARE_WORD.fullmatch(value) and scalar(value) == value
        return value if bare else quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value}".replace("inf", ".inf").replace("nan", ".nan")
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return f"<{type(value).__name__}>"
