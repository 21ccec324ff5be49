"""From a loss that was built to the config that builds it."""
# ruff: noqa: ANN401  # the fields of a loss may be anything

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._checker import Checker
from lossary_factory._collections import chosen_registry, parts_of
from lossary_factory._parameters import constructor_of
from lossary_factory._problems import ConfigError, UnwritableError
from lossary_factory._values import plain

if TYPE_CHECKING:
    from lossary_registry import Registry

_MOST_NUMBERS = 10_000
_NARROW = {"float32": ("f", 9), "float16": ("e", 5)}
"""The formats of narrow floats in ``struct``, and how many digits tell any two of them apart."""


def to_config(loss: object, *, registry: Registry[Any] | None = None) -> dict[str, Any]:
    """Write a loss as the config that builds one like it.

    The options are read from the attrs fields of the class; tensors become lists of numbers.
    Validating the result gives the spec that the loss was built from, its defaults filled in.

    Args:
        loss: An object of a registered class that was declared with attrs.
        registry: Where the names are looked up; the installed collection if None.

    Raises:
        UnwritableError: A class is not registered, is not declared with attrs,
            or an option holds what plain data cannot.
        ConfigError: An option was changed to what the constructor does not accept.
        CollectionError: No registry was given, and not exactly one collection is installed.
    """
    writer = _Writer(chosen_registry(registry))
    checked = Checker(writer.registry).check_data(writer.node(loss))
    if checked.spec is None or checked.problems:
        raise ConfigError(checked.problems)
    return checked.spec.to_dict()


@attrs.frozen
class _Writer:
    registry: Registry[Any]

    def node(self, loss: object) -> dict[str, Any]:
        name = _name_of(type(loss), self.registry)
        if name is None:
            raise UnwritableError(f"{self.registry.name} does not have the class {type(loss).__qualname__}")
        params = self.params(loss, name)
        return {"name": name, "params": params} if params else {"name": name}

    def params(self, loss: object, name: str) -> dict[str, Any]:
        """Return what the constructor was given, as far as the fields tell."""
        cls: Any = type(loss)
        parameters = constructor_of(cls, self.registry.base_class).parameters
        fields = {field.alias or field.name: field for field in attrs.fields(cls)} if attrs.has(cls) else {}
        unknown = [parameter for parameter in parameters if parameter not in fields]
        if unknown:
            raise UnwritableError(
                f"{name} does not tell what its {unknown[0]!r} is: its class is not declared with attrs"
            )
        values = {parameter: getattr(loss, fields[parameter].name) for parameter in parameters}
        return {
            parameter: self.value(value, f"{parameter} of {name}")
            for parameter, value in values.items()
            if value is not None or not parameters[parameter].is_for_python
        }

    def value(self, value: Any, place: str) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, enum.Enum):
            return plain(value)
        if _name_of(type(value), self.registry) is not None:
            return self.node(value)
        parts = parts_of(type(value))
        if parts is not None:
            name = _name_of(type(value), parts.registry)
            if name is not None:
                return {parts.keyword: name, **self.params(value, name)}
        return self.container(value, place)

    def container(self, value: Any, place: str) -> Any:
        if hasattr(value, "tolist"):
            return _numbers(value, place)
        # torch's containers of modules are neither mappings nor sequences, but behave alike.
        if isinstance(value, Mapping) or hasattr(value, "items"):
            return {key: self.value(item, f"{place}, {key}") for key, item in value.items()}
        if isinstance(value, Iterable):
            return [self.value(item, place) for item in value]
        raise UnwritableError(
            f"{place} is an object of type {type(value).__name__}, which no config can spell"
        )


def _name_of(cls: type, registry: Registry[Any]) -> str | None:
    """Return the name of a class, without importing what is registered to be imported later."""
    target = f"{cls.__module__}:{cls.__qualname__}"
    for name in registry.list():
        entry = registry.entry(name)
        if entry.target == target and (not entry.is_resolved or entry.load() is cls):
            return name
    return None


def _numbers(array: Any, place: str) -> Any:
    """Return an array as lists of the shortest numbers that give the same array."""
    count = array.numel() if hasattr(array, "numel") else array.size
    if count > _MOST_NUMBERS:
        raise UnwritableError(f"{place} holds {count:,} numbers, too many for a config")
    narrow = _NARROW.get(str(array.dtype).rpartition(".")[2])
    numbers = array.tolist()
    return _shortest(numbers, *narrow) if narrow else numbers


def _shortest(value: Any, form: str, digits: int) -> Any:
    if isinstance(value, list):
        return [_shortest(item, form, digits) for item in value]
    exact = struct.pack(form, value)
    shorter = (float(f"{value:.{count}g}") for count in range(1, digits))
    return next((number for number in shorter if struct.pack(form, number) == exact), value)
