"""Specs written as plain data, filled with defaults, changed, and summed up."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from ._checking import Request
from ._editing import LostPathError, with_value
from ._forms import DEEP_SUPERVISION, Form, form_of
from ._frozen import FrozenDict, plain
from ._paths import parse_path
from ._plan import Parameter, plan_of
from ._problems import ConfigError, Problem, UnwritableError
from ._spec import LossSpec, PartSpec
from ._validation import Validation

if TYPE_CHECKING:
    from ._source import Origin

T = TypeVar("T")


def written(spec: LossSpec[Any]) -> dict[str, Any]:
    """Write a spec as a node, by the shortest form that says all of it."""
    if isinstance(spec, PartSpec):
        return {spec.keyword: spec.name, **_plain_params(spec)}
    form = form_of(spec.name)
    if form is not None and _is_said_by(form, spec.params):
        return {form.key: _terms(spec.params)}
    if spec.name == DEEP_SUPERVISION:
        return {DEEP_SUPERVISION: _plain_params(spec)}
    return {"name": spec.name, "params": _plain_params(spec)} if spec.params else {"name": spec.name}


def filled(spec: LossSpec[T]) -> LossSpec[T]:
    """Return a spec that has the defaults of its constructors among its parameters, at every depth."""
    params = {name: _filled_inside(value) for name, value in spec.params.items()}
    if spec.origin is not None:
        for parameter in plan_of(spec.loss_class, _base_class(spec.origin)).offered:
            if parameter.name not in params:
                params.update(_default(parameter, spec.origin))
    return attrs.evolve(spec, params=FrozenDict(params))


def digest(data: object) -> str:
    """Return the SHA-256 of the canonical JSON of plain data."""
    canonical = json.dumps(_with_text_keys(data), sort_keys=True, separators=(",", ":"))
    import hashlib  # noqa: PLC0415  # slow, and only for this

    return hashlib.sha256(canonical.encode()).hexdigest()


def replaced(spec: LossSpec[T], path: str, value: object) -> LossSpec[T]:
    """Return the spec with another value at a path of its config."""
    if spec.origin is None:
        raise ValueError("a spec that no config gave cannot be changed: it does not know its registry")
    try:
        data = with_value(spec.to_dict(), parse_path(path), value)
    except LostPathError as error:
        raise ConfigError([Problem("no-such-key", str(error), hint=error.hint)]) from None
    except ValueError as error:
        raise ConfigError([Problem("no-such-key", str(error))]) from None
    checked = Request(spec.origin.registry).check_data(data)
    if checked.spec is None or any(problem.severity == "error" for problem in checked.problems):
        raise ConfigError(checked.problems)
    return checked.spec


def _plain_params(spec: LossSpec[Any]) -> dict[str, Any]:
    return {name: plain(value, f"{name} of {spec.name}") for name, value in spec.params.items()}


def _is_said_by(form: Form, params: Mapping[str, Any]) -> bool:
    """Tell whether terms with what stands beside them say all that the parameters do."""
    has_weight, has_inputs = "weight" in form.term_keys, "inputs" in form.term_keys and "inputs" in params
    wanted = {"terms", *(["weights"] if has_weight else []), *(["inputs"] if has_inputs else [])}
    if params.keys() != wanted:
        return False
    terms = params["terms"].keys()
    if has_weight and _keys(params["weights"]) != terms:
        return False
    return not has_inputs or frozenset() < _keys(params["inputs"]) <= terms


def _keys(value: object) -> frozenset[Any]:
    return frozenset(value) if isinstance(value, Mapping) else frozenset()


def _terms(params: Mapping[str, Any]) -> dict[str, Any]:
    terms = {key: written(term) for key, term in params["terms"].items()}
    for name, key in (("weights", "weight"), ("inputs", "inputs")):
        for term, value in (params.get(name) or {}).items():
            terms[term][key] = plain(value, f"{key} of {term}")
    return terms


def _filled_inside(value: object) -> object:
    if isinstance(value, LossSpec):
        return filled(value)
    if isinstance(value, FrozenDict):
        return FrozenDict({key: _filled_inside(item) for key, item in value.items()})
    if isinstance(value, (list, tuple, frozenset)):
        return type(value)(map(_filled_inside, value))
    return value


def _default(parameter: Parameter, origin: Origin) -> dict[str, object]:
    """Return the default of a parameter under its name, if a config could give it."""
    default = parameter.default
    if default is inspect.Parameter.empty or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return {}
    validation = Validation(origin.registry)
    value = parameter.check(default, (parameter.name,), validation)
    try:
        plain(value)
    except UnwritableError:
        return {}
    return {} if validation.problems else {parameter.name: value}


def _base_class(origin: Origin) -> type | None:
    return origin.registry.base_class


def _with_text_keys(data: Any) -> Any:  # noqa: ANN401  # plain data of any kind
    """Make every key a text, which JSON asks for and sorting needs."""
    if isinstance(data, dict):
        return {f"{key}": _with_text_keys(item) for key, item in data.items()}
    return [_with_text_keys(item) for item in data] if isinstance(data, list) else data
