"""One loss of a config: which form it has, and what may stand beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._composites import COMPOSITES, OF_PARAMETERS, OF_TERMS
from lossary_factory._parameters import constructor_of
from lossary_factory._problems import ConfigPath, listing, show, show_key
from lossary_factory._values import MAPPINGS

from .by_name import Spec, Value, named_spec
from .keys import NODE_KEYS, WEIGHTS, Level, as_written, named_keys
from .mends import as_terms, deeper_loss
from .terms import check_terms, read_parameters, read_terms
from .use import read_use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossary_factory._validation import Validation

_A_LOSS = "a loss: its name, {name: ..., params: ...} or {sum: ...}"
_CHOICES = (*OF_TERMS, *OF_PARAMETERS, "use", "name")
CHOICE_SET = frozenset(_CHOICES)
"""The keys that say which form a loss has."""

_WITH_PARAMS = ("name", "use")

Keys = tuple[str, ...]


def read_loss(node: object, path: ConfigPath, validation: Validation, more_keys: Keys = ()) -> Spec | None:
    """Read one loss, which may have ``more_keys`` besides its own; None where it names no loss."""
    if validation.is_too_deep(path):
        return None
    if isinstance(node, str):
        return named_spec(Value(node, path), Value(None, (*path, "params")), path, validation)
    if not isinstance(node, MAPPINGS):
        validation.wrong_type(path, node, _A_LOSS, hint=_hint_for(node, path, validation))
        return None
    if "name" in node and named_keys(more_keys).issuperset(node):  # most nodes: nothing else can be meant
        params = Value(node.get("params"), (*path, "params"))
        return _named(Value(node["name"], (*path, "name")), params, path, validation)
    written = as_written(node, (*NODE_KEYS, *more_keys))
    choice = _choice(node, written, path, validation)
    if choice is None:
        _complain_of_no_name(node, path, validation)
        return None
    spec = _read_choice(choice, node, written, path, validation)
    beside = ("params",) if choice in _WITH_PARAMS else ()
    others = tuple(key for key in _CHOICES if key != choice and key in node)
    allowed = (choice, *beside, *more_keys, *others)
    meant = {key: written[key] for key in allowed if key in written}
    complain_of_keys(Level(node, path, allowed, meant), spec, validation)
    return spec


def _choice(
    node: Mapping[Any, object], written: Mapping[str, Any], path: ConfigPath, validation: Validation
) -> str | None:
    """Return the key that says what kind of node this is; a second one is a problem."""
    found = [key for key in _CHOICES if key in node]
    for other in found[1:]:
        message = f"a loss has a {found[0]!r} or a {other!r}, not both"
        validation.add("conflicting-keys", message, (*path, other), at_key=True)
    if found:
        return found[0]
    # Of misspelled keys only one can be meant, and a form only by what holds several values.
    meant = [
        key for key in written if key in _WITH_PARAMS or isinstance(node[written[key]], (list, *MAPPINGS))
    ]
    return next((key for key in ("name", *_CHOICES) if key in meant), None)


def _read_choice(
    choice: str,
    node: Mapping[Any, object],
    written: Mapping[str, Any],
    path: ConfigPath,
    validation: Validation,
) -> Spec | None:
    key = written[choice]
    content = Value(node[key], (*path, key))
    if choice in OF_TERMS:
        return read_terms(OF_TERMS[choice], content, path, validation)
    if choice in OF_PARAMETERS:
        return read_parameters(choice, content, path, validation)
    params_key = written.get("params", "params")
    params = Value(node.get(params_key), (*path, params_key))
    if choice == "use":
        spec = read_use(content, params, path, validation)
        if spec is not None and params.value is not None and spec.name in COMPOSITES:
            check_terms(spec, params.path, validation)
        return spec
    return _named(content, params, path, validation)


def _named(name: Value, params: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    spec = named_spec(name, params, path, validation)
    if spec is not None and spec.name in COMPOSITES:
        check_terms(spec, params.path, validation)
    return spec


def _hint_for(value: object, path: ConfigPath, validation: Validation) -> str:
    """Say how a value that is no loss and no mapping of losses becomes one."""
    name = path[-1] if path else None
    if name in (*WEIGHTS, "weights") and isinstance(value, (int, float, list)):
        weight = "..." if isinstance(value, list) else show(value)
        return f"a weight stands inside the term that it is for: {{KEY: {{name: ..., weight: {weight}}}}}"
    if isinstance(name, str) and name in validation.registry and isinstance(value, (int, float, type(None))):
        weighted = f"{{name: {name}, weight: {show(value)}}}"
        return f"write {name}: {name if value is None else weighted}"
    if isinstance(value, list):
        terms = as_terms(value, validation.registry) if value else "{first: ..., second: ...}"
        return f"give each loss a key: write {{sum: {terms}}}"
    return "load() reads a file" if isinstance(value, os.PathLike) else ""


def _complain_of_no_name(node: Mapping[Any, object], path: ConfigPath, validation: Validation) -> None:
    loss = next((key for key in node if isinstance(key, str) and key in validation.registry), None)
    if loss is not None:
        message = f"{loss!r} is the name of a loss, and stands here as a key"
        hint = f"write {{name: {loss}, params: {{...}}}}"
        validation.add("missing-name", message, (*path, loss), hint=hint, at_key=True)
    else:
        found = f"it has: {listing(map(show_key, node))}; " if node else ""
        hint = f"{found}a loss is written {{name: ..., params: ...}} or {{sum: ...}}"
        what = "this names no loss" if path else "the config names no loss: it has neither 'loss' nor 'name'"
        deeper = "" if path else deeper_loss(node, validation.registry)
        if deeper:
            hint = (
                f"it may stand at {deeper}: choose it by key={deeper!r} in Python, or --key {deeper}\n{hint}"
            )
        validation.add("missing-name", what, path, hint=hint, at_key=True)


def complain_of_keys(level: Level, spec: Spec | None, validation: Validation) -> None:
    if all(key in level.allowed for key in level.mapping):
        return
    if spec is not None and spec.name not in COMPOSITES:
        constructor = constructor_of(spec.loss_class, validation.registry.base_class)
        level = attrs.evolve(level, loss=spec.name, constructor=constructor)
    level.complain(validation)
