"""Losses made of named terms, and deep supervision."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossary_factory._composites import HEADS, MATCHED, OF_PARAMETERS, OF_TERMS, Composite
from lossary_factory._parameters.kinds import (
    AnyOf,
    AsIs,
    Bound,
    Bounded,
    Entries,
    Kind,
    Number,
    Part,
    any_of,
)
from lossary_factory._problems import ConfigPath, did_you_mean, listing, show, show_key
from lossary_factory._spec import LossSpec
from lossary_factory._values import MAPPINGS, FrozenDict

from .by_name import LOSS, Found, Spec, Value, find, read_params
from .inputs import read_inputs
from .keys import NODE_KEYS, as_written
from .mends import as_terms

if TYPE_CHECKING:
    from lossary_factory._parameters import Constructor
    from lossary_factory._validation import Validation

_WEIGHT = Bounded(Number(), (Bound(">=", 0),))

_NAMING = {
    MATCHED: ("weights", "inputs", "cost_weights", "unmatched"),
    **{composite.name: composite.takes[1:] for composite in OF_TERMS.values()},
}
"""The parameters that name terms, of each class that has terms."""


def read_terms(composite: Composite, terms: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read what stands under the key of a composite into a spec of the class that the key stands for."""
    found = _find_class(composite.key, composite.name, composite.takes, terms.path, validation)
    if not isinstance(terms.value, Mapping):
        hint = _as_map(composite, terms.value, validation)
        validation.wrong_type(terms.path, terms.value, "a mapping of terms", hint=hint)
        return None
    if _holds_parameters(terms.value, composite):
        message = f"{composite.key!r} holds the terms themselves, each with what belongs to it"
        beside = ": ..., ".join(composite.term_keys or ("params",))
        hint = f"write {composite.key}: {{KEY: {{name: ..., {beside}: ...}}}}"
        hint = _as_map(composite, terms.value["terms"], validation) or hint
        validation.add("unexpected-key", message, (*terms.path, "terms"), hint=hint, at_key=True)
        return None
    if not terms.value:
        validation.add("no-terms", f"'{composite.key}' needs at least one term", terms.path, at_key=True)
    reader = _Terms(composite, found, terms.path, validation)
    params = reader.params(terms.value)
    if found is None:
        return None
    return LossSpec(found.name, params, found.loss_class, validation.origin(path))


def read_parameters(key: str, params: Value, path: ConfigPath, validation: Validation) -> Spec | None:
    """Read the parameters that stand under a key, of the class with the same name."""
    inner = OF_PARAMETERS[key]
    found = _find_class(key, key, (inner,), params.path, validation)
    if found is None:
        return None
    node = params.value
    if isinstance(node, str) or (isinstance(node, MAPPINGS) and inner not in node and _chooses(node)):
        brief = node if isinstance(node, str) and node in validation.registry else "..."
        message, instead = f"{key!r} holds parameters, and the loss is one of them", brief
        if inner == "terms":
            message, instead = f"{key!r} holds parameters, and its terms are one of them", f"{{KEY: {brief}}}"
        hint = f"write {key}: {{{inner}: {instead}}}"
        validation.add("missing-parameter", message, params.path, hint=hint, at_key=True)
        return None
    given = read_params(node, params.path, found, validation)
    spec = LossSpec(found.name, given, found.loss_class, validation.origin(path))
    check_terms(spec, params.path, validation)
    return spec


def _holds_parameters(terms: Mapping[Any, object], composite: Composite) -> bool:
    """Tell whether there is what the class of a composite takes, in the place of the terms."""
    inner = terms.get("terms")
    if not terms.keys() <= set(composite.takes):
        return False
    return isinstance(inner, list) or (isinstance(inner, MAPPINGS) and not _chooses(inner))


def _as_map(composite: Composite, losses: object, validation: Validation) -> str:
    """Say how a list of losses, or the name of one, is written as a map of terms."""
    if not isinstance(losses, (list, str)) or not losses:
        return ""
    terms = as_terms(losses if isinstance(losses, list) else [losses], validation.registry)
    return f"give each loss a key: write {composite.key}: {terms}"


def _chooses(node: Mapping[Any, object]) -> bool:
    """Tell whether a mapping says which loss it is."""
    return any(key in node for key in NODE_KEYS if key != "params")


def check_terms(spec: Spec, path: ConfigPath, validation: Validation) -> None:
    """Check what the parameters at a path, of a class that is chosen by its name, say of its terms."""
    terms = spec.params.get("terms")
    if spec.name not in _NAMING or not isinstance(terms, Mapping):
        return
    if not terms:
        validation.add("no-terms", f"{spec.name} needs at least one term", (*path, "terms"), at_key=True)
    for name in terms:
        _check_key(name, (*path, "terms", name), validation)
    for parameter in _NAMING[spec.name]:
        beside = spec.params.get(parameter)
        known = _nameable(parameter, spec, terms)
        for name, value in beside.items() if isinstance(beside, Mapping) else ():
            place = (*path, parameter, name)
            if name not in known:
                message = f"{parameter} has {show(name)}, which is no term"
                hint = f"{did_you_mean(name, known)}the terms are: {listing(map(show_key, known))}"
                validation.add("unknown-term", message, place, hint=hint, at_key=True)
            elif isinstance(value, float) and parameter.endswith("weights"):
                _WEIGHT(value, place, validation)


def _nameable(parameter: str, spec: Spec, terms: Mapping[Any, object]) -> Mapping[Any, object]:
    """Return what a parameter may name: terms, or where there are costs of their own, these."""
    costs = spec.params.get("costs")
    if not isinstance(costs, Mapping):
        return terms
    return {"cost_weights": costs, "inputs": {**terms, **costs}}.get(parameter, terms)


def _check_key(name: object, path: ConfigPath, validation: Validation) -> None:
    if not isinstance(name, str) or not name or "." in name:
        message = f"the key of a term must be text without a dot, not {show(name)}"
        hint = "the key names the term in logs and overrides"
        validation.add("bad-key", message, path, hint=hint, at_key=True)


def _find_class(
    key: str, name: str, takes: tuple[str, ...], path: ConfigPath, validation: Validation
) -> Found | None:
    """Return the class that a key of the grammar stands for; note it where the registry has none."""
    registry = validation.registry
    if name not in registry:
        message = f"{registry.name} has nothing named {name!r}, which is what builds '{key}'"
        validation.add("unavailable-form", message, path, at_key=True)
        return None
    found = find(Value(name, path), registry, LOSS, validation)
    if found is None:
        return None
    missing = [parameter for parameter in takes if parameter not in found.constructor.parameters]
    if missing and not found.constructor.is_open:
        message = f"what {registry.name} has as {name!r} does not take {missing[0]!r}"
        validation.add("unavailable-form", message, path, at_key=True)
    return found


class _Terms:
    """Reads the terms of one composite."""

    def __init__(
        self, composite: Composite, found: Found | None, path: ConfigPath, validation: Validation
    ) -> None:
        self.composite = composite
        self.path = path
        self.validation = validation
        self.weight_kind, self.takes_as_is = _weights(None if found is None else found.constructor)
        self.keys = (*NODE_KEYS, *composite.term_keys)
        self.known = frozenset(self.keys)

    def params(self, terms: Mapping[Any, object]) -> FrozenDict[str, object]:
        """Return what the class of the composite gets."""
        self.validation.count(len(terms), self.path)
        specs = {name: self.term(name, term) for name, term in terms.items()}
        params: dict[str, object] = {"terms": FrozenDict(specs)}
        if "weight" in self.composite.term_keys:
            params["weights"] = FrozenDict({name: self.weight(name, term) for name, term in terms.items()})
        if self.composite is HEADS:
            inputs = {name: self.inputs(name, term, specs[name]) for name, term in terms.items()}
            given = {name: selectors for name, selectors in inputs.items() if selectors is not None}
            if given:
                params["inputs"] = FrozenDict(given)
        return FrozenDict(params)

    def term(self, name: object, term: object) -> Spec | None:
        path = (*self.path, name)
        _check_key(name, path, self.validation)
        spec: Spec | None = self.validation.read_loss(term, path, self.composite.term_keys)
        return spec

    def weight(self, name: object, term: object) -> object:
        given = self.beside(name, term, "weight")
        if given is None:
            return 1.0
        if self.takes_as_is(given.value):
            return given.value
        return self.weight_kind(given.value, given.path, self.validation)

    def inputs(self, name: object, term: object, spec: Spec | None) -> FrozenDict[str, str] | None:
        given = self.beside(name, term, "inputs")
        return None if given is None else read_inputs(given, spec, self.validation)

    def beside(self, name: object, term: object, key: str) -> Value | None:
        """Return what a term has beside the keys of its loss, however it is spelled."""
        if not isinstance(term, MAPPINGS):
            return None
        written = key if key in term else self.meant(term, key)
        return None if written is None else Value(term[written], (*self.path, name, written))

    def meant(self, term: Mapping[Any, object], key: str) -> Any:  # noqa: ANN401  # a key may be anything
        """Return what a term has in the place of a key, if it has keys that are none."""
        return None if self.known.issuperset(term) else as_written(term, self.keys).get(key)


def weight_kind(constructor: Constructor) -> Kind:
    """Return what a weight may be: a number, or whatever parts the constructor takes in its place."""
    weights = constructor.parameters.get("weights")
    entries = [option for option in _options(weights.kind) if isinstance(option, Entries)] if weights else []
    return any_of(
        [_WEIGHT, *(part for each in entries for part in _options(each.value) if isinstance(part, Part))]
    )


@functools.lru_cache(maxsize=256)
def _weights(constructor: Constructor | None) -> tuple[Kind, AsIs]:
    """Return what a weight may be, and what tells at once that one is right, so that most cost one call."""
    kind = _WEIGHT if constructor is None else weight_kind(constructor)
    return kind, kind.as_is() or (lambda _weight: False)


def _options(kind: Kind) -> tuple[Kind, ...]:
    return kind.options if isinstance(kind, AnyOf) else (kind,)
