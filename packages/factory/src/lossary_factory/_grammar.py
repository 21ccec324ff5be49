"""The grammar of configs: documents, nodes and terms.

.. code-block:: text

    document := {version?: 1, loss: node} | node
    node     := NAME | {name: NAME, params?: {PARAMETER: value}} | {sum: {KEY: term}}
    term     := node + {weight?: NUMBER >= 0}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._bounds import Bound, Bounded
from ._checks import Number
from ._keys import DOCUMENT_KEYS, NAMED_KEYS, SUM_KEYS, TERM_KEYS, Level, as_written
from ._named import Value, find_loss, named_spec
from ._plan import plan_of
from ._spec import LossSpec, Origin
from ._wording import ConfigPath, listing, show, show_key

if TYPE_CHECKING:
    from ._validation import Validation

SUM = "weighted_sum"
"""The name under which a registry has the class that builds ``{sum: ...}``."""

_A_LOSS = "a loss: its name, {name: ..., params: ...} or {sum: ...}"
_WEIGHT = Bounded(Number(), (Bound(">=", 0),))

Spec = LossSpec[Any]
Keys = tuple[str, ...]


def read_document(config: object, validation: Validation) -> Spec | None:
    """Read a config from its top; None where it names no loss."""
    if not isinstance(config, Mapping) or ("loss" not in config and ("name" in config or "sum" in config)):
        return read_node(config, (), validation)
    written = as_written(config, DOCUMENT_KEYS)
    if "loss" not in written:
        return read_node(config, (), validation)
    version = config.get("version", 1)
    if version != 1 or isinstance(version, bool):
        validation.add("unsupported-version", f"version must be 1, not {show(version)}", ("version",))
    spec = read_node(config[written["loss"]], (written["loss"],), validation)
    _complain_of_keys(Level(config, (), DOCUMENT_KEYS, written), spec, validation)
    return spec


def read_node(node: object, path: ConfigPath, validation: Validation, more_keys: Keys = ()) -> Spec | None:
    """Read one loss, which may have ``more_keys`` besides its own; None where it names no loss."""
    if validation.is_too_deep(path):
        return None
    if isinstance(node, str):
        return named_spec(Value(node, path), Value(None, (*path, "params")), path, validation)
    if not isinstance(node, Mapping):
        validation.wrong_type(path, node, _A_LOSS, hint=_hint_for(node))
        return None
    written = as_written(node, (*NAMED_KEYS, *SUM_KEYS, *more_keys))
    if "name" not in written and "sum" not in written:
        _complain_of_no_name(node, path, validation)
        return None
    if "sum" in written and ("name" not in written or "sum" in node):
        spec = _read_sum(node[written["sum"]], path, written["sum"], validation)
        allowed: Keys = SUM_KEYS
        if "name" in node:
            message = "a loss has a 'name' or a 'sum', not both"
            validation.add("conflicting-keys", message, (*path, "name"), at_key=True)
            allowed = (*NAMED_KEYS, *SUM_KEYS)
    else:
        name, params = written["name"], written.get("params", "params")
        spec = named_spec(
            Value(node[name], (*path, name)), Value(node.get(params), (*path, params)), path, validation
        )
        allowed = NAMED_KEYS
    _complain_of_keys(Level(node, path, (*allowed, *more_keys), written), spec, validation)
    return spec


def _hint_for(value: object) -> str:
    """Say how a value that is no loss and no mapping of losses becomes one."""
    if isinstance(value, list):
        return "give each loss a key: sum: {first: ..., second: ...}"
    return "load() reads a file" if isinstance(value, os.PathLike) else ""


def _complain_of_no_name(node: Mapping[Any, object], path: ConfigPath, validation: Validation) -> None:
    loss = next((key for key in node if isinstance(key, str) and key in validation.registry), None)
    if loss is not None:
        hint = f"write {{name: {loss}, params: {{...}}}}"
    else:
        found = f"it has: {listing(map(show_key, node))}; " if node else ""
        hint = f"{found}a loss is written {{name: ..., params: ...}} or {{sum: ...}}"
    message = "this names no loss" if path else "the config names no loss: it has neither 'loss' nor 'name'"
    validation.add("missing-name", message, path, hint=hint, at_key=True)


def _complain_of_keys(level: Level, spec: Spec | None, validation: Validation) -> None:
    if all(key in level.allowed for key in level.mapping):
        return
    if spec is not None and spec.name != SUM:
        plan = plan_of(spec.loss_class, validation.registry.base_class)
        level = attrs.evolve(level, loss=spec.name, plan=plan)
    level.complain(validation)


def _read_sum(terms: object, path: ConfigPath, key: object, validation: Validation) -> Spec | None:
    """Read ``{sum: terms}`` at ``path`` into a spec of the class that sums."""
    terms_path = (*path, key)
    sum_class = _find_sum(terms_path, validation)
    if not isinstance(terms, Mapping):
        validation.wrong_type(terms_path, terms, "a mapping of terms", hint=_hint_for(terms))
        return None
    if not terms:
        validation.add("empty-sum", "a sum needs at least one term", terms_path, at_key=True)
    specs = {name: _read_term(name, term, (*terms_path, name), validation) for name, term in terms.items()}
    weights = {name: _read_weight(term, (*terms_path, name), validation) for name, term in terms.items()}
    if sum_class is None:
        return None
    return LossSpec(SUM, {"terms": specs, "weights": weights}, sum_class, Origin(path, validation.source))


def _find_sum(path: ConfigPath, validation: Validation) -> type | None:
    registry = validation.registry
    if SUM not in registry:
        message = f"{registry.name} has nothing named {SUM!r}, which is what builds a sum"
        validation.add("no-sum", message, path, at_key=True)
        return None
    found = find_loss(SUM, path, validation)
    if found is None:
        return None
    plan = plan_of(found[1], registry.base_class)
    if not plan.is_open and not {"terms", "weights"} <= plan.parameters.keys():
        message = f"what {registry.name} has as {SUM!r} does not take 'terms' and 'weights'"
        validation.add("no-sum", message, path, at_key=True)
    return found[1]


def _read_term(name: object, term: object, path: ConfigPath, validation: Validation) -> Spec | None:
    if not isinstance(name, str) or not name or "." in name:
        message = f"the key of a term must be text without a dot, not {show(name)}"
        hint = "the key names the term in logs and overrides"
        validation.add("bad-key", message, path, hint=hint, at_key=True)
    return read_node(term, path, validation, TERM_KEYS)


def _read_weight(term: object, path: ConfigPath, validation: Validation) -> object:
    if not isinstance(term, Mapping):
        return 1.0
    key = as_written(term, (*NAMED_KEYS, *SUM_KEYS, *TERM_KEYS)).get("weight")
    if key is None:
        return 1.0
    return _WEIGHT(term[key], (*path, key), validation)
