"""How it is written down what a callable of another library is of ours, and how that becomes data.

What is written here is what ``lossary migrate`` goes by: ``migrations.py`` puts it into the file that the
losses ship, and ``test_migrations.py`` migrates every check and every record of parity, builds what comes
out, and compares value and gradient with the library's own.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["NEEDED", "Callable", "Check", "callable_of", "case", "default", "goes", "harmless", "is_"]

NEEDED = object()
"""The default of a parameter that has none."""

_DEFAULT = object()

Rule = dict[str, Any]


class Check(NamedTuple):
    """A call of the library that is migrated and compared."""

    data: str
    """Which sample of ``parity_data`` the input and target are."""
    params: str
    """The arguments of the constructor."""
    call: str = ""
    """What it is called with; that of the record where this is empty."""
    is_special: bool = False
    """Whether the two are equal for such data alone, which no config tells, and so count as different."""


class Callable(NamedTuple):
    """A callable of a library."""

    data: dict[str, Any]
    """What goes into the file."""
    call: str
    checks: tuple[Check, ...]
    unchecked: frozenset[str]
    """Parameters of which no plain value can be compared."""

    @property
    def name(self) -> str:
        """Its public name."""
        return str(self.data["names"][0])

    def expressions(self) -> Iterable[tuple[str, str, bool]]:
        """Yield each check as the name of its data, an expression, and whether it is special."""
        for check in self.checks:
            yield check.data, f"{self.name}({check.params}){check.call or self.call}", check.is_special


def callable_of(
    library: str,
    names: Sequence[str],
    parameters: Mapping[str, object],
    cases: Sequence[dict[str, Any]] = (),
    *,
    call: str = "(x, t)",
    checks: Iterable[Check] = (),
    missing: str = "",
    unchecked: Iterable[str] = (),
) -> Callable:
    """Write a callable down; a parameter without a rule must have its default."""
    data: dict[str, Any] = {
        "library": library,
        "names": list(names),
        "parameters": {
            name: {} if value is NEEDED else {"default": _plain(value)} for name, value in parameters.items()
        },
        "cases": [_filled(each, parameters) for each in cases],
    }
    if missing:
        data["missing"] = missing
    return Callable(data, call, tuple(checks), frozenset(unchecked))


def case(
    node: Mapping[str, Any] | None,
    rules: Mapping[str, Rule] | None = None,
    *,
    when: Mapping[str, Sequence[object]] | None = None,
    differs: str = "",
    note: str = "",
) -> dict[str, Any]:
    """Say what a callable is of ours, where its parameters have some values."""
    made: dict[str, Any] = {"node": _plain(node), "rules": dict(rules or {})}
    if when:
        made["when"] = {name: list(values) for name, values in when.items()}
    if differs:
        made["differs"] = [differs]
    if note:
        made["notes"] = [note]
    return made


def is_(name: str, **params: object) -> dict[str, Any]:
    """Write a node of ours, with the parameters that are always written."""
    return {"name": name, "params": params} if params else {"name": name}


def goes(to: str, **about: object) -> Rule:
    """Say where a value goes: to a parameter of ours, or to a place in the node."""
    return {"to": to if "." in to else f"params.{to}", **about}


def default(words: str, **about: object) -> Rule:
    """Say what differs unless the value is the default."""
    return {"drop": _DEFAULT, "differs": words, **about}


def harmless() -> Rule:
    """Say that no value changes anything."""
    return {"drop": "any"}


def _filled(about: dict[str, Any], parameters: Mapping[str, object]) -> dict[str, Any]:
    rules = {}
    for name, value in parameters.items():
        rule = dict(about["rules"].get(name) or default("ours has nothing that says the same"))
        if rule.get("drop") is _DEFAULT:
            rule["drop"] = [_plain(value)]
        rules[name] = rule
    unknown = about["rules"].keys() - parameters.keys()
    if unknown:
        raise ValueError(f"rules for what are no parameters: {sorted(unknown)}")
    return {**about, "rules": rules}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return {"float": str(value)} if isinstance(value, float) and not math.isfinite(value) else value
