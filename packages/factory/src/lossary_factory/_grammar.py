"""The grammar of configs: documents and nodes.

.. code-block:: text

    document := {version?: 1, defs?: {ID: node}, loss: node} | node
    node     := NAME
              | {name: NAME, params?: {PARAMETER: value}}
              | {sum: {KEY: term}} | {product: {KEY: term}} | {heads: {KEY: term}}
              | {deep_supervision: {PARAMETER: value}}
              | {use: ID, params?: {PARAMETER: value}}
    term     := node + {weight?: NUMBER >= 0 | part, inputs?: {ARGUMENT: SELECTOR}}
    part     := {KEYWORD: NAME, PARAMETER: value ...}

A product's terms have no weights, and only those of heads have inputs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import attrs

from ._composites import check_terms, read_deep_supervision, read_terms
from ._definitions import read_definitions, read_use
from ._forms import COMPOSITES, DEEP_SUPERVISION, OF_TERMS
from ._frozen import MAPPINGS
from ._keys import DOCUMENT_KEYS, NODE_KEYS, Level, as_written, named_keys
from ._named import Value, named_spec, require_kind
from ._parameters import plan_of
from ._parts import read_part
from ._problems import (
    ConfigPath,
    did_you_mean,
    listing,
    parse_path,
    show,
    show_key,
    show_path,
    too_many_problems,
)
from ._spec import LossSpec
from ._validation import EnoughError, Grammar, Validation

_A_LOSS = "a loss: its name, {name: ..., params: ...} or {sum: ...}"
_CHOICES = (*OF_TERMS, DEEP_SUPERVISION, "use", "name")
_CHOICE_SET = frozenset(_CHOICES)
_WITH_PARAMS = ("name", "use")

Spec = LossSpec[Any]
Keys = tuple[str, ...]


def read_config(config: object, validation: Validation, key: str | None = None) -> Spec | None:
    """Read a config, alone or at a key of a larger one; None where it names no loss, or too much is wrong."""
    try:
        return read_document(config, (), validation) if key is None else read_at(key, config, validation)
    except EnoughError:
        validation.problems.append(too_many_problems())
        return None


def read_document(config: object, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read what stands at ``path`` as a whole config; None where it names no loss."""
    if not isinstance(config, MAPPINGS) or ("loss" not in config and not _CHOICE_SET.isdisjoint(config)):
        return read_node(config, path, validation)
    written = as_written(config, DOCUMENT_KEYS)
    if "loss" not in written:
        return read_node(config, path, validation)
    version = config.get("version", 1)
    if not isinstance(version, (int, float)) or isinstance(version, bool) or version != 1:
        message = f"version must be 1, not {show(version)}"
        validation.add("unsupported-version", message, (*path, "version"))
    if "defs" in written:
        read_definitions(config[written["defs"]], (*path, written["defs"]), validation)
    spec = read_node(config[written["loss"]], (*path, written["loss"]), validation)
    level = Level(config, path, DOCUMENT_KEYS, written, inside=show_key(written["loss"]))
    _complain_of_keys(level, spec, validation)
    return spec


def read_at(key: str, data: object, validation: Validation) -> Spec | None:
    """Read what stands at a key of a larger config, whose other keys are not for us to judge."""
    path = parse_path(key)
    value = data
    parent: object = None
    for number, part in enumerate(path):
        parent = value
        try:
            value = value[part]  # type: ignore[index]  # whatever is no container says so
        except (TypeError, LookupError):
            _complain_of_lost_key(path[: number + 1], parent, validation)
            return None
    spec = read_document(value, path, validation)
    if spec is not None and isinstance(parent, Mapping):
        _warn_of_siblings(parent, path, spec, validation)
    return spec


def _complain_of_lost_key(path: ConfigPath, there: object, validation: Validation) -> None:
    keys = list(there) if isinstance(there, Mapping) else []
    has = f"it has: {listing(map(show_key, keys))}" if keys else f"it is {show(there)}"
    place = show_path(path[:-1]) or "the config"
    message = f"{place} has no {show(path[-1])}, where the loss was to be"
    validation.add(
        "no-such-key", message, path[:-1], hint=f"{did_you_mean(path[-1], keys)}{has}", at_key=True
    )


def _warn_of_siblings(
    parent: Mapping[Any, object], path: ConfigPath, spec: Spec, validation: Validation
) -> None:
    """Warn of parameters of the loss that stand beside it: a line that lost its indentation looks so."""
    if spec.name in COMPOSITES:
        return
    loss = show_key(path[-1])
    params = parent.get("params")
    parameters = plan_of(spec.loss_class, validation.registry.base_class).parameters
    if isinstance(params, Mapping) and params and parameters.keys() >= params.keys() and path[-1] != "params":
        message = f"'params' stands beside {loss!r}, and holds parameters of {spec.name}"
        hint = f"if it is for the loss, write it under {loss!r}"
        sibling: ConfigPath = (*path[:-1], "params")
        validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")
    for parameter in plan_of(spec.loss_class, validation.registry.base_class).offered:
        if parameter.name in parent and parameter.name != path[-1]:
            message = f"{parameter.name!r} stands beside {loss!r}, and is a parameter of {spec.name}"
            hint = f"if it is for the loss, write it under {loss}.params"
            sibling = (*path[:-1], parameter.name)
            validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")


def read_loss(
    node: object,
    path: ConfigPath,
    validation: Validation,
    more_keys: Keys = (),
    kind: type | None = None,
) -> Spec | None:
    """Read a loss inside of another, as ``read_node`` does; it has to be of a kind where one is given."""
    spec = read_node(node, path, validation, more_keys)
    if kind is not None:
        require_kind(spec, kind, path, validation)
    return spec


def read_node(node: object, path: ConfigPath, validation: Validation, more_keys: Keys = ()) -> Spec | None:
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
    _complain_of_keys(Level(node, path, allowed, meant), spec, validation)
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
    if choice == DEEP_SUPERVISION:
        return read_deep_supervision(content, path, validation)
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
    if isinstance(name, str) and name in validation.registry and isinstance(value, (int, float, type(None))):
        weighted = f"{{name: {name}, weight: {show(value)}}}"
        return f"write {name}: {name if value is None else weighted}"
    if isinstance(value, list):
        return "give each loss a key: sum: {first: ..., second: ...}"
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
        validation.add("missing-name", what, path, hint=hint, at_key=True)


def _complain_of_keys(level: Level, spec: Spec | None, validation: Validation) -> None:
    if all(key in level.allowed for key in level.mapping):
        return
    if spec is not None and spec.name not in COMPOSITES:
        plan = plan_of(spec.loss_class, validation.registry.base_class)
        level = attrs.evolve(level, loss=spec.name, plan=plan)
    level.complain(validation)


Validation.grammar = Grammar(read_config, read_loss, read_part)
