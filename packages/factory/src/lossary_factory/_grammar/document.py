"""A config: alone, or at a key of a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossary_factory._composites import COMPOSITES
from lossary_factory._parameters import constructor_of
from lossary_factory._problems import (
    ConfigPath,
    did_you_mean,
    listing,
    parse_path,
    show,
    show_key,
    show_path,
)
from lossary_factory._validation import EnoughError, Grammar, Validation
from lossary_factory._values import MAPPINGS

from .by_name import Spec, read_part, require_kind
from .keys import DOCUMENT_KEYS, Level, as_written
from .node import CHOICE_SET, complain_of_keys, read_loss
from .use import read_definitions


def read_config(config: object, validation: Validation, key: str | None = None) -> Spec | None:
    """Read a config, alone or at a key of a larger one; None where it names no loss, or too much is wrong."""
    try:
        return read_document(config, (), validation) if key is None else read_at(key, config, validation)
    except EnoughError as error:
        validation.problems.append(error.problem)
        return None


def read_document(config: object, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read what stands at ``path`` as a whole config; None where it names no loss."""
    if not isinstance(config, MAPPINGS) or ("loss" not in config and not CHOICE_SET.isdisjoint(config)):
        return read_loss(config, path, validation)
    written = as_written(config, DOCUMENT_KEYS)
    if "loss" not in written:
        return read_loss(config, path, validation)
    version = config.get("version", 1)
    if not isinstance(version, (int, float)) or isinstance(version, bool) or version != 1:
        message = f"version must be 1, not {show(version)}"
        hint = "this release reads version 1, the first; write version: 1, or nothing"
        validation.add("unsupported-version", message, (*path, "version"), hint=hint)
    if "defs" in written:
        read_definitions(config[written["defs"]], (*path, written["defs"]), validation)
    spec = read_loss(config[written["loss"]], (*path, written["loss"]), validation)
    level = Level(config, path, DOCUMENT_KEYS, written, inside=show_key(written["loss"]))
    complain_of_keys(level, spec, validation)
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
    constructor = constructor_of(spec.loss_class, validation.registry.base_class)
    known = constructor.parameters.keys()
    if isinstance(params, Mapping) and params and known >= params.keys() and path[-1] != "params":
        message = f"'params' stands beside {loss!r}, and holds parameters of {spec.name}"
        hint = f"if it is for the loss, write it under {loss!r}"
        sibling: ConfigPath = (*path[:-1], "params")
        validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")
    for parameter in constructor.offered:
        if parameter.name in parent and parameter.name != path[-1]:
            message = f"{parameter.name!r} stands beside {loss!r}, and is a parameter of {spec.name}"
            hint = f"if it is for the loss, write it under {loss}.params"
            sibling = (*path[:-1], parameter.name)
            validation.add("misplaced-key", message, sibling, hint=hint, at_key=True, severity="warning")


Validation.grammar = Grammar(read_config, read_loss, read_part, require_kind)
