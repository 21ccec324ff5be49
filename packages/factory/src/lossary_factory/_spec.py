"""A validated config, ready to be built: it writes itself as plain data, and changes by path."""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import attrs

from ._collections import installed_registry
from ._composites import OF_PARAMETERS, Composite, composite_of
from ._parameters import Parameter, constructor_of
from ._problems import (
    ConfigError,
    ConfigWarning,
    LostPathError,
    Origin,
    Problem,
    UnwritableError,
    parse_path,
    with_value,
)
from ._validation import EnoughError, Validation
from ._values import FrozenDict, Unbuilt, built, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_registry import Registry


T = TypeVar("T")


@attrs.frozen
class LossSpec(Unbuilt, Generic[T]):
    """A loss that was checked against its constructor and can be built any number of times.

    Specs are values: they do not change, they compare, and they can be keys of a dict.
    A sum is a spec like any other: its ``params`` hold the ``terms`` and the ``weights``.

    Attributes:
        name: The name under which the loss is registered; aliases are resolved.
        params: What the config gives to the constructor, nested losses as specs.
        loss_class: The class that was registered when the config was checked, and that will be built.
    """

    name: str
    params: Mapping[str, object]
    loss_class: type[T]
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    def build(self) -> T:
        """Call the constructor.

        Raises:
            Exception: Whatever the constructor raises, with a note that says for which part of the config.
        """
        arguments = {name: built(value) for name, value in self.params.items()}
        try:
            return self.loss_class(**arguments)
        except Exception as error:
            _add_note(error, f"while building {self.name} at {self.origin or 'an unknown place'}")
            raise

    def __deepcopy__(self, _memo: object) -> LossSpec[T]:
        return self  # nothing in it changes

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:  # noqa: ANN401  # pydantic's
        from ._pydantic import spec_schema  # noqa: PLC0415  # only pydantic asks, so it is installed

        return spec_schema(LossSpec, _of_installed)

    @classmethod
    def __get_pydantic_json_schema__(cls, _core_schema: object, _handler: object) -> dict[str, Any]:  # same
        return {"title": "A loss", "anyOf": [{"type": "string"}, {"type": "object"}]}

    def children(self) -> Iterator[tuple[tuple[Any, ...], LossSpec[Any]]]:
        """Yield the losses and parts directly inside, after the parameter and the keys that lead to each."""
        for name, value in self.params.items():
            yield from _specs_in(value, (name,))

    def to_dict(self, *, defaults: bool = False) -> dict[str, Any]:
        """Write the spec as a config of plain data, which gives an equal spec when it is validated.

        Args:
            defaults: Write the parameters that the config left out as well, as far as plain data can.

        Raises:
            UnwritableError: A parameter holds an object that a config in Python gave it.
        """
        spec = self.with_defaults() if defaults else self
        composite = composite_of(spec.name)
        if composite is not None and _is_said_by(composite, spec.params):
            return {composite.key: _terms(spec.params)}
        if spec.name in OF_PARAMETERS:
            return {spec.name: _plain_params(spec)}
        return {"name": spec.name, "params": _plain_params(spec)} if spec.params else {"name": spec.name}

    def with_defaults(self) -> LossSpec[T]:
        """Return the spec whose ``params`` hold the defaults of the constructors as well.

        Left out are those defaults that a config could not give: objects, and what is made anew each time.
        """
        params = {name: _filled(value) for name, value in self.params.items()}
        if self.origin is not None:
            parameters = constructor_of(self.loss_class, self.origin.registry.base_class).parameters
            for name, parameter in parameters.items():
                if parameter.is_for_python:  # what says that there is none says what leaving it out says
                    if name in params and params[name] is None is parameter.default:
                        del params[name]
                elif name not in params:
                    params.update(_default(parameter, self.origin))
        return attrs.evolve(self, params=FrozenDict(params))

    def fingerprint(self, *, defaults: bool = True) -> str:
        """Return a SHA-256 in hexadecimal that is the same for all configs that mean the same.

        Args:
            defaults: Count the defaults in: a release that changes one changes the fingerprint.
                Without them it stands for what the config itself says.
        """
        import hashlib  # noqa: PLC0415  # slow, and only for this

        data = _with_text_keys(self.to_dict(defaults=defaults))
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def replace(self, path: str, value: object) -> LossSpec[T]:
        """Return a spec with another value at a path in ``to_dict()``, checked like any config.

        Example:
            ``spec.replace("sum.region.weight", 0.5)``, ``spec.replace("params.gamma", 3)``

        Raises:
            ConfigError: The path leads nowhere, or the value does not fit there; it may use the names that
                the config was allowed to use.
        """
        if self.origin is None:
            raise ValueError("a spec that no config gave cannot be changed: it does not know its registry")
        try:
            data = with_value(self.to_dict(), parse_path(path), value)
        except LostPathError as error:
            raise ConfigError([Problem("no-such-key", str(error), hint=error.hint)]) from None
        except ValueError as error:
            raise ConfigError([Problem("no-such-key", str(error))]) from None
        checked = checked_config(data, self.origin.registry, self.origin.allowed)
        if checked.spec is None or not checked.is_correct:
            raise ConfigError(checked.problems)
        return checked.spec


@attrs.frozen
class PartSpec(LossSpec[T]):
    """A checked part of a loss, such as a schedule: chosen by a key word of its own.

    Attributes:
        keyword: The key that chooses it, such as ``schedule``.
    """

    keyword: str = attrs.field(kw_only=True)

    def to_dict(self, *, defaults: bool = False) -> dict[str, Any]:
        """Write the part as a config of plain data, as ``LossSpec.to_dict`` writes a loss."""
        spec = self.with_defaults() if defaults else self
        return {self.keyword: self.name, **_plain_params(spec)}


class Checked(NamedTuple):
    """What a config is: a spec where it is correct, and what was found."""

    spec: LossSpec[Any] | None
    problems: list[Problem]

    @property
    def is_correct(self) -> bool:
        """Whether the config can be used, warnings or not."""
        return self.spec is not None and all(problem.severity != "error" for problem in self.problems)

    def accepted(self) -> LossSpec[Any]:
        """Return the spec of a correct config; warn of what the caller of the caller should know.

        Raises:
            ConfigError: The config is wrong.
        """
        spec, problems = self
        if not problems and spec is not None:
            return spec
        if spec is None or not self.is_correct:
            raise ConfigError(problems)
        for problem in problems:
            # The frame that called validate, load or build.
            warnings.warn(str(problem), ConfigWarning, stacklevel=3)
        return spec


def checked_config(config: object, registry: Registry[Any], allowed: frozenset[str] | None = None) -> Checked:
    """Check plain data, and nothing else but that."""
    validation = Validation(registry, allowed=allowed)
    return Checked(validation.read_config(config), validation.problems)


def _of_installed(config: object) -> LossSpec[Any]:
    return checked_config(config, installed_registry()).accepted()


def _specs_in(value: object, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], LossSpec[Any]]]:
    if isinstance(value, LossSpec):
        yield keys, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _specs_in(item, (*keys, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _specs_in(item, (*keys, index))


def _plain_params(spec: LossSpec[Any]) -> dict[str, Any]:
    return {name: plain(value, f"{name} of {spec.name}") for name, value in spec.params.items()}


def _is_said_by(composite: Composite, params: Mapping[str, Any]) -> bool:
    """Tell whether terms with what stands beside them say all that the parameters do."""
    has_weight, has_inputs = (
        "weight" in composite.term_keys,
        "inputs" in composite.term_keys and "inputs" in params,
    )
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
    terms = {key: term.to_dict() for key, term in params["terms"].items()}
    for name, key in (("weights", "weight"), ("inputs", "inputs")):
        for term, value in (params.get(name) or {}).items():
            terms[term][key] = plain(value, f"{key} of {term}")
    return terms


def _filled(value: object) -> object:
    if isinstance(value, LossSpec):
        return value.with_defaults()
    if isinstance(value, FrozenDict):
        return FrozenDict({key: _filled(item) for key, item in value.items()})
    if isinstance(value, (list, tuple, frozenset)):
        return type(value)(map(_filled, value))
    return value


def _default(parameter: Parameter, origin: Origin) -> dict[str, object]:
    """Return the default of a parameter under its name, if a config could give it."""
    default = parameter.default
    if default is inspect.Parameter.empty or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return {}
    validation = Validation(origin.registry)
    try:
        value = parameter.kind(default, (parameter.name,), validation)
        plain(value)
    except (EnoughError, UnwritableError):
        return {}
    return {} if validation.problems else {parameter.name: value}


def _with_text_keys(data: Any) -> Any:  # noqa: ANN401  # plain data of any kind
    """Make every key a text, which JSON asks for and sorting needs."""
    if isinstance(data, dict):
        return {f"{key}": _with_text_keys(item) for key, item in data.items()}
    return [_with_text_keys(item) for item in data] if isinstance(data, list) else data


def _add_note(error: Exception, note: str) -> None:
    if sys.version_info >= (3, 11):
        error.add_note(note)
        return
    # Python 3.10 shows no notes: the message itself carries it, where it is a plain one.
    vars(error).setdefault("__notes__", []).append(note)
    if len(error.args) == 1 and isinstance(error.args[0], str) and not isinstance(error, KeyError):
        error.args = (f"{error.args[0]}\n{note}",)
