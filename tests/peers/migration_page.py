"""What ``lossary migrate`` knows, as a section of the page of parity."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from migration_record import Callable

__all__ = ["section"]

_HEADING = """\
## What `lossary migrate` writes

A config that names one of these, as hydra, MONAI, mmengine or jsonargparse do, becomes what stands here; a
test migrates, builds and compares each, with the same input for both. Parameters that are not mentioned
change nothing, or must have their default. What is *another number* ends with 1, and is written with
`--accept-changes` alone. mmseg's are known from its documentation: its losses need mmcv to be imported."""


def section(callables: Iterable[Callable]) -> str:
    """Write the records down, library by library."""
    lines = [_HEADING]
    for library, group in groupby(callables, lambda each: str(each.data["library"])):
        lines += ["", f"### From {library}", ""]
        for each in group:
            lines += list(_of(each.data))
    return "\n".join([*lines, ""])


def _of(data: dict[str, Any]) -> Iterator[str]:
    name = f"`{data['names'][0]}`"
    for case in data["cases"]:
        when = " and ".join(f"`{key}` is {_either(values)}" for key, values in case.get("when", {}).items())
        yield f"- {name}{f' where {when}' if when else ''}: `{_flow(case['node'])}`"
        moved = [words for key, rule in case["rules"].items() if (words := _moved(key, rule))]
        if moved:
            yield f"  - Written: {'; '.join(moved)}."
        differs = [*case.get("differs", ()), *_unequal(case)]
        if differs:
            yield f"  - Another number: {'; '.join(differs)}."
        for note in case.get("notes", ()):
            yield f"  - Note: {note}."
    if not data["cases"]:
        yield f"- {name}: none; {data['missing']}."
    elif "missing" in data:
        yield f"- {name} otherwise: none; {data['missing']}."


def _moved(name: str, rule: dict[str, Any]) -> str:
    if "to" not in rule:
        return ""
    to = rule["to"].removeprefix("params.")
    by = f", {rule['by']} of it" if rule.get("by") == "half" else f", {rule['by']}" if "by" in rule else ""
    values = ", ".join(f"{_flow(theirs)} is {_flow(ours)}" for theirs, ours in rule.get("map", ()))
    goes = f"`{name}`" if to == name else f"`{name}` as `{to}`"
    return f"{goes}{by}{f' ({values})' if values else ''}"


def _unequal(case: dict[str, Any]) -> Iterator[str]:
    """Yield what makes another number, parameters with the same words together."""
    said: dict[str, list[str]] = {}
    for name, rule in case["rules"].items():
        words = rule.get("differs") or rule.get("otherwise")
        if words and name not in case.get("when", ()) and words != "ours has nothing that says the same":
            said.setdefault(words, []).append(f"`{name}`{_unless(rule)}")
    for words, names in said.items():
        yield f"{', '.join(names)}: {words}"


def _unless(rule: dict[str, Any]) -> str:
    if "same_as" in rule:
        return f" other than `{rule['same_as']}`"
    if "otherwise" in rule and "only" not in rule:
        return " in any other form than numbers"
    possible = [*rule.get("only", ()), *rule.get("drop", ()), *(pair[0] for pair in rule.get("map", ()))]
    return f" other than {_either(possible)}" if possible else ""


def _either(values: list[object]) -> str:
    return " or ".join(f"`{_flow(value)}`" for value in values)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        if value.keys() == {"float"}:
            return f".{value['float']}".replace(".-", "-.")
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return value if isinstance(value, str) else json.dumps(value)
