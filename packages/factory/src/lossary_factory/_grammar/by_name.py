"""A loss, or a part of one, that is chosen by name, and its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lossary_factory._collections import registered
from lossary_factory._parameters import ATTRIBUTE, Constructor, constructor_of, is_kind_of
from lossary_factory._problems import (
    INTERPOLATED,
    ConfigPath,
    did_you_mean,
    is_interpolated,
    label,
    listing,
    nearest,
    show,
    show_key,
)
from lossary_factory._spec import LossSpec, PartSpec
from lossary_factory._values import MAPPINGS, FrozenDict
from lossary_registry import Registry, RegistryError, UnknownNameError

from .keys import as_written

if TYPE_CHECKING:
    from lossary_factory._parameters.kinds import Part
    from lossary_factory._validation import Validation

_LOSS_KEYS = ("weight", "name", "params", "sum")

_COLON = re.compile(r"\w+:\S")
_SPACE = "after the colon of a key comes a space"

Spec = LossSpec[Any]

LOSS = "loss"
"""What messages call what the main registry holds."""


class Value(NamedTuple):
    """A value of the config with its place."""

    value: object
    path: ConfigPath


class Found(NamedTuple):
    """What a name leads to."""

    name: str
    loss_class: Any
    constructor: Constructor


def find(name: Value, registry: Registry[Any], noun: str, validation: Validation) -> Found | None:
    """Return the canonical name, and the class with what it takes; note it where there is none."""
    asked = name.value
    if not isinstance(asked, str):
        validation.wrong_type(name.path, asked, f"the name of a {noun}")
        return None
    try:
        entry = registry.entry(asked)
    except UnknownNameError:
        message = f"{registry.name} has no {noun} {show(asked)}"
        validation.add(f"unknown-{noun}", message, name.path, hint=instead_of(asked, registry))
        return None
    is_old = asked in entry.deprecated
    if is_old:
        reason = entry.deprecated[asked]
        since = f" since {reason.since}" if reason.since else ""
        message = f"the name {asked!r} is deprecated{since}"
        instead = reason.use or (entry.name if entry.name != asked else "")
        hint = f"write {instead}" if instead else ""
        validation.add("deprecated-name", message, name.path, hint=hint, severity="warning")
    try:
        loss_class = registered(entry.name, registry) if is_old else registry.get(asked)
    except (ImportError, RegistryError) as error:
        validation.add(f"unavailable-{noun}", f"{asked} cannot be loaded: {error}", name.path)
        return None
    return Found(entry.name, loss_class, constructor_of(loss_class, validation.registry.base_class))


def read_params(
    params: object, path: ConfigPath, found: Found, validation: Validation, *, are_complete: bool = True
) -> FrozenDict[str, object]:
    """Check parameters against a constructor, and return what the constructor gets.

    ``are_complete`` where nothing else gives the parameters that are missing.
    """
    name, _, constructor = found
    if params is None:
        params = {}
    if not isinstance(params, MAPPINGS):
        takes = listing(parameter.name for parameter in constructor.offered)
        hint = f"write each by its name, such as {{NAME: value}}; {name} takes: {takes}"
        if isinstance(params, str) and _COLON.match(params):
            hint = f"{_SPACE}\n{hint}"
        validation.wrong_type(path, params, f"a mapping of parameters of {name}", hint=hint if takes else "")
        return FrozenDict()
    if constructor.obstacle:
        validation.add(
            "unusable-constructor", f"{name} cannot be built from a config: {constructor.obstacle}", path
        )
        return FrozenDict()
    if params:
        validation.count(len(params), path)
    given = {}
    for key, value in params.items():
        parameter = constructor.parameters.get(key)
        if parameter is None:
            _complain_of_parameter(key, (*path, key), name, constructor, validation)
        else:
            given[key] = parameter.read(value, (*path, key), validation)
    if are_complete and not params.keys() >= constructor.required:
        _complain_of_missing(params, path, name, constructor, validation)
    return FrozenDict(given)


def named_spec(name: Value, params: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read the loss at ``path`` with this name and these parameters; None where no loss has the name."""
    found = find(name, validation.registry, LOSS, validation)
    if found is None:
        return None
    if validation.allowed is not None and found.name not in validation.allowed:
        hint = f"allowed are: {listing(sorted(validation.allowed)) or 'none'}"
        validation.add("loss-not-allowed", f"{found.name} may not be used here", name.path, hint=hint)
    given = read_params(params.value, params.path, found, validation)
    return LossSpec(found.name, given, found.loss_class, validation.origin(path))


def require_kind(spec: Spec | None, kind: type, path: ConfigPath, validation: Validation) -> None:
    """Note a loss or a part at a path that is not of the kind which is needed there."""
    if spec is not None and not is_kind_of(spec.loss_class, kind):
        message = f"{label(path)} must be a {kind.__name__}, and {spec.name} is none"
        validation.add("wrong-kind", message, path)


def instead_of(name: str, registry: Registry[Any]) -> str:
    """Say what could stand in place of a name that the registry does not have."""
    names = registry.list()
    aliases = [alias for known in names for alias in registry.entry(known).aliases]
    # Of an import path, the last word is what it would have imported.
    word = name.rpartition(".")[2]
    lines = [f"{did_you_mean(word, [*names, *aliases])}{registry.name} has: {listing(names) or 'nothing'}"]
    if _COLON.match(name):
        lines.append(_SPACE)
    if is_interpolated(name):
        lines = [INTERPOLATED, *lines]
    elif name.endswith((".yaml", ".yml", ".toml", ".json")):
        lines.append("this looks like a file: load() reads one")
    elif "." in name:
        lines.append("a config names what is registered; it never imports")
    return "\n".join(lines)


def _complain_of_parameter(
    key: object, path: ConfigPath, loss: str, constructor: Constructor, validation: Validation
) -> None:
    if constructor.is_open:
        message = f"{loss} takes arbitrary keyword arguments, so {show(key)} cannot be checked"
        hint = (
            f"declare it in the constructor of {loss}: as a parameter, or with all others as "
            "**options: Unpack[SomeTypedDict]\n"
            f"or, if it cannot be changed, give the class {ATTRIBUTE} = {{{show(key)}: TYPE}}"
        )
        validation.add("unchecked-parameter", message, path, hint=hint, at_key=True)
        return
    names = [parameter.name for parameter in constructor.offered]
    takes = f"{loss} takes: {listing(names)}" if names else f"{loss} takes no parameters"
    hint = f"{did_you_mean(key, names)}{takes}"
    if key in _LOSS_KEYS and path[-2:-1] == ("params",):
        hint += f"\nas a key of the loss itself, {key!r} stands beside 'params', not under it"
    validation.add("unknown-parameter", f"{loss} has no parameter {show(key)}", path, hint=hint, at_key=True)


def _complain_of_missing(
    params: Mapping[Any, object],
    path: ConfigPath,
    loss: str,
    constructor: Constructor,
    validation: Validation,
) -> None:
    """Note what must be given and is not; a misspelled name was noted already."""
    guesses = {nearest(key, constructor.parameters) for key in params if key not in constructor.parameters}
    for name, parameter in constructor.parameters.items():
        if name in constructor.required and name not in params and name not in guesses:
            where = f" under {path[-1]!r}" if path else ""
            hint = f"write {name}{where}; it must be {parameter.kind.text}"
            message = f"{loss} needs the parameter {name!r}"
            validation.add("missing-parameter", message, (*path, name), hint=hint, at_key=True)


def read_part(
    node: Mapping[Any, object], path: ConfigPath, part: Part, validation: Validation
) -> PartSpec[Any] | None:
    """Read ``{KEYWORD: NAME, PARAMETER: value}``; None where it names no part."""
    if validation.is_too_deep(path):
        return None
    key = as_written(node, (part.keyword,)).get(part.keyword) or as_written(node, ("name",)).get("name")
    if key is None:
        there = f"it has: {listing(map(show_key, node))}; " if node else ""
        hint = (
            f"{there}write {{{part.keyword}: NAME, ...}}, NAME being one of: {listing(part.registry.list())}"
        )
        validation.add("missing-name", f"this names no {part.keyword}", path, hint=hint, at_key=True)
        return None
    if key != part.keyword:
        message = f"there is no key {show_key(key)} here"
        hint = f"write '{part.keyword}:' in its place"
        validation.add("unexpected-key", message, (*path, key), hint=hint, at_key=True)
    found = find(Value(node[key], (*path, key)), part.registry, part.keyword, validation)
    if found is None:
        return None
    params = {name: value for name, value in node.items() if name != key}
    nested = params.get("params")
    if isinstance(nested, Mapping) and "params" not in found.constructor.parameters:
        message = f"the parameters of a {part.keyword} stand beside {part.keyword!r}, not under 'params'"
        hint = (
            f"write {{{part.keyword}: {found.name}, {': ..., '.join(map(show_key, nested)) or 'NAME'}: ...}}"
        )
        validation.add("misplaced-key", message, (*path, "params"), hint=hint, at_key=True)
        params = {**{name: value for name, value in params.items() if name != "params"}, **nested}
    given = read_params(params, path, found, validation)
    spec = PartSpec(found.name, given, found.loss_class, validation.origin(path), keyword=part.keyword)
    require_kind(spec, part.kind, path, validation)
    return spec
