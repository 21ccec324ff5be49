"""Losses that a document defines once, under ``defs``, and uses anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossary_factory._parameters import constructor_of
from lossary_factory._problems import DEEPEST, MOST_VALUES, ConfigPath, did_you_mean, listing, show, show_key
from lossary_factory._spec import LossSpec
from lossary_factory._validation import Definitions, Validation
from lossary_factory._values import FrozenDict

from .by_name import Found, Spec, Value, read_params


def read_definitions(nodes: object, path: ConfigPath, validation: Validation) -> None:
    """Read all that stands under ``defs``, whether it is used or not."""
    if not isinstance(nodes, Mapping):
        validation.wrong_type(path, nodes, "a mapping of losses", hint="give each loss a name to use it by")
        return
    validation.definitions = Definitions(path, nodes)
    validation.count(len(nodes), path)
    for name in nodes:
        if isinstance(name, str):
            _spec_of(name, 0, validation)
        else:
            message = f"the name of a definition must be text, not {show(name)}"
            validation.add("bad-key", message, (*path, name), at_key=True)


def read_use(name: Value, params: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read ``{use: ID, params: ...}``: the definition, with some of its parameters replaced."""
    definitions = validation.definitions
    if not isinstance(name.value, str):
        validation.wrong_type(name.path, name.value, "the name of a definition")
        return None
    if name.value not in definitions.nodes:
        known = [key for key in definitions.nodes if isinstance(key, str)]
        there = f"'defs' has: {listing(map(show_key, known))}" if known else "the document has no 'defs'"
        hint = f"{did_you_mean(name.value, known)}{there}"
        validation.add(
            "unknown-definition", f"nothing is defined as {show(name.value)}", name.path, hint=hint
        )
        return None
    if name.value in definitions.open:
        chain = [*definitions.open[definitions.open.index(name.value) :], name.value]
        message = f"{name.value!r} is used in its own definition: {' -> '.join(map(show_key, chain))}"
        validation.add("definition-cycle", message, name.path)
        return None
    spec = _used(name, path, validation)
    if spec is None:
        return None
    constructor = constructor_of(spec.loss_class, validation.registry.base_class)
    found = Found(spec.name, spec.loss_class, constructor)
    given = read_params(params.value, params.path, found, validation, are_complete=False)
    return LossSpec(spec.name, FrozenDict({**spec.params, **given}), spec.loss_class, validation.origin(path))


def _used(name: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    """Return the definition that is used at a path; note it where that leads too far."""
    definitions = validation.definitions
    depth = definitions.depths[-1] + len(path)
    if depth > DEEPEST:
        _complain_of_depth(name, validation)
        return None
    used: Any = name.value
    spec = _spec_of(used, depth, validation)
    definitions.counts[-1] += definitions.sizes[used]
    height = len(path) + definitions.heights[used]
    if definitions.counts[-1] > MOST_VALUES:  # definitions of two uses each double with every step
        message = f"the definitions that are used here stand for more than {MOST_VALUES:,} losses"
        validation.add("too-large", message, name.path)
    elif height > DEEPEST:
        _complain_of_depth(name, validation)
    else:
        definitions.reached[-1] = max(definitions.reached[-1], height)
        return spec
    return None


def _complain_of_depth(name: Value, validation: Validation) -> None:
    message = f"the definitions that are used here are nested more than {DEEPEST} levels deep"
    validation.add("too-deep", message, name.path)


def _spec_of(name: str, depth: int, validation: Validation) -> Spec | None:
    """Read a definition, once; ``depth`` is how deep in the whole config it is asked for."""
    definitions = validation.definitions
    if name not in definitions.specs:
        definitions.open.append(name)
        definitions.counts.append(1)
        definitions.depths.append(depth)
        definitions.reached.append(0)
        path = (*definitions.path, name)
        definitions.specs[name] = validation.read_loss(definitions.nodes[name], path)
        definitions.open.pop()
        definitions.depths.pop()
        definitions.heights[name] = definitions.reached.pop()
        definitions.sizes[name] = min(definitions.counts.pop(), MOST_VALUES)
    spec: Spec | None = definitions.specs[name]
    return spec
