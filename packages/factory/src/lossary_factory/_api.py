"""The four functions: check, validate, load and build."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._collections import installed_registry
from ._grammar import read_document, read_node
from ._problems import CollectionError, ConfigError, Problem
from ._reading import SUFFIXES, read
from ._spec import LossSpec
from ._validation import Validation

if TYPE_CHECKING:
    from lossary_registry import Registry

    from ._source import Source

T = TypeVar("T")

Config = str | Mapping[Any, Any]
"""A config: the name of a loss, or a mapping such as YAML, TOML and JSON hold."""

File = str | os.PathLike[str]
"""The path of a config file, whose name ends in .yaml, .yml, .toml or .json."""


@overload
def validate(config: Config, *, registry: Registry[T]) -> LossSpec[T]: ...
@overload
def validate(config: Config, *, registry: None = None) -> LossSpec[Any]: ...
def validate(config: Config, *, registry: Registry[Any] | None = None) -> LossSpec[Any]:
    """Check a config against the constructors of the losses that it names, and build nothing.

    Args:
        config: The name of a loss, a node such as ``{"name": ..., "params": ...}`` or ``{"sum": ...}``,
            or a document ``{"loss": node}``. A text is always a name here; ``load`` reads files.
        registry: Where the names are looked up; the installed collection if None.

    Raises:
        ConfigError: The config is wrong. The error holds everything that is wrong with it.
        CollectionError: No registry was given, and not exactly one collection is installed.
    """
    return _checked(config, registry, source=None, earlier=[])


@overload
def load(path: File, *, registry: Registry[T]) -> LossSpec[T]: ...
@overload
def load(path: File, *, registry: None = None) -> LossSpec[Any]: ...
def load(path: File, *, registry: Registry[Any] | None = None) -> LossSpec[Any]:
    """Read a config file and check it, as ``validate`` does, with the line and column of every problem.

    Raises:
        ConfigError: The file cannot be read, or what it holds is wrong.
        CollectionError: No registry was given, and not exactly one collection is installed.
    """
    document = read(path)
    return _checked(document.data, registry, source=document.source, earlier=document.problems)


@overload
def build(config: LossSpec[T], *, registry: None = None) -> T: ...
@overload
def build(config: Config | File, *, registry: Registry[T]) -> T: ...
@overload
def build(config: Config | File, *, registry: None = None) -> Any: ...  # noqa: ANN401  # the overloads say more
def build(
    config: LossSpec[Any] | Config | File, *, registry: Registry[Any] | None = None
) -> Any:  # overloaded
    """Check a config, then build the loss that it describes.

    Args:
        config: A spec, a mapping, the path of a file, or the name of a loss.
            A text that ends in .yaml, .yml, .toml or .json is a path; any other text is a name.
        registry: Where the names are looked up; the installed collection if None. A spec needs none.

    Raises:
        ConfigError: The config is wrong; nothing was built.
        CollectionError: No registry was given, and not exactly one collection is installed.
        Exception: Whatever a constructor raises, with a note that says for which part of the config.
    """
    if isinstance(config, LossSpec):
        return config.build()
    return _spec_of(config, registry).build()


def check(config: Config | File, *, registry: Registry[Any] | None = None) -> list[Problem]:
    """List everything that is wrong with a config, or with a config file; an empty list is a correct one.

    Takes what ``build`` takes. A wrong config raises nothing: its problems are the result.
    """
    try:
        _spec_of(config, registry)
    except ConfigError as error:
        return list(error.problems)
    except CollectionError as error:
        return [Problem("no-collection", str(error))]
    return []


def _spec_of(config: Config | File, registry: Registry[Any] | None) -> LossSpec[Any]:
    if isinstance(config, os.PathLike) or (isinstance(config, str) and config.lower().endswith(SUFFIXES)):
        return load(config, registry=registry)
    return validate(config, registry=registry)


def _checked(
    config: object, registry: Registry[Any] | None, *, source: Source | None, earlier: list[Problem]
) -> LossSpec[Any]:
    """Check plain data; ``earlier`` are the problems that reading it went past."""
    registry = installed_registry() if registry is None else registry
    validation = Validation(registry, read_node, source)
    spec = read_document(config, validation)
    if spec is not None and not earlier and not validation.problems:
        return spec
    # A value that could not be read is not also of the wrong type.
    known = {_position(problem) for problem in earlier}
    found = [
        problem for problem in validation.problems if _position(problem) not in known or not problem.line
    ]
    raise ConfigError(sorted([*earlier, *found], key=_position))


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0
