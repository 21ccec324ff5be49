"""The four functions: check, validate, load and build."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._checker import Checker
from ._problems import CollectionError, ConfigError, Problem, make_problem, show
from ._reading import SUFFIXES
from ._spec import Checked, LossSpec

if TYPE_CHECKING:
    from lossary_registry import Registry

T = TypeVar("T")
E = TypeVar("E")

Config = str | Mapping[Any, Any]
"""A config: the name of a loss, or a mapping such as YAML, TOML and JSON hold."""

File = str | os.PathLike[str]
"""The path of a config file, whose name ends in .yaml, .yml, .toml or .json."""

Names = Collection[str]
Overrides = Sequence[str]


@overload
def validate(
    config: Config,
    *,
    registry: Registry[T],
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[T]: ...
@overload
def validate(
    config: Config,
    *,
    registry: None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[Any]: ...
def validate(
    config: Config,
    *,
    registry: Registry[Any] | None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[Any]:
    """Check a config against the constructors of the losses that it names, and build nothing.

    Args:
        config: The name of a loss, a node such as ``{"name": ..., "params": ...}`` or ``{"sum": ...}``,
            or a document ``{"loss": node}``. A text is always a name here; ``load`` reads files.
        registry: Where the names are looked up; the installed collection if None.
        key: Where the config stands in a larger mapping, such as ``"train.loss"``. What stands beside it is
            not judged; a parameter of the loss that stands there gets a ``ConfigWarning``.
        overrides: Values to put in the place of others, such as ``"loss.sum.region.weight=0.5"``.
            The value is read as YAML; a path that leads nowhere is an error.
        allow: The names that the config may use, aliases resolved; all if None. What the keys of the grammar
            stand for, such as ``sum``, is always allowed: it combines nothing but what is allowed.

    Raises:
        ConfigError: The config is wrong. The error holds everything that is wrong with it.
        CollectionError: No registry was given, and not exactly one collection is installed.
        UnknownNameError: ``allow`` has a name that nobody registered.
        ValueError: ``key`` is no path.
    """
    return Checker(registry, key, overrides, allow).check_data(config).accepted()


@overload
def load(
    path: File,
    *,
    registry: Registry[T],
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[T]: ...
@overload
def load(
    path: File,
    *,
    registry: None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[Any]: ...
def load(
    path: File,
    *,
    registry: Registry[Any] | None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> LossSpec[Any]:
    """Read a config file and check it, as ``validate`` does, with the line and column of every problem.

    The arguments are those of ``validate``.

    Raises:
        ConfigError: The file cannot be read, or what it holds is wrong.
        CollectionError: No registry was given, and not exactly one collection is installed.
        UnknownNameError: ``allow`` has a name that nobody registered.
    """
    return Checker(registry, key, overrides, allow).check_file(path).accepted()


@overload
def build(config: LossSpec[Any], *, expect: type[E]) -> E: ...
@overload
def build(
    config: Config | File,
    *,
    expect: type[E],
    registry: Registry[Any] | None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> E: ...
@overload
def build(config: LossSpec[T]) -> T: ...
@overload
def build(
    config: Config | File,
    *,
    registry: Registry[T],
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> T: ...
@overload
def build(
    config: Config | File,
    *,
    registry: None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> Any: ...  # noqa: ANN401  # the overloads say more
def build(
    config: LossSpec[Any] | Config | File,
    *,
    expect: type[Any] | None = None,
    registry: Registry[Any] | None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> Any:  # overloaded
    """Check a config, then build the loss that it describes.

    Args:
        config: A spec, a mapping, the path of a file, or the name of a loss.
            A text that ends in .yaml, .yml, .toml or .json is a path; any other text is a name.
        expect: The class that the loss has to be of; a loss of another class is a wrong config.
        registry: Where the names are looked up; the installed collection if None.
        key: As for ``validate``.
        overrides: As for ``validate``.
        allow: As for ``validate``. A spec was checked already, and takes none of these four.

    Raises:
        ConfigError: The config is wrong; nothing was built.
        TypeError: A spec came with what says how a config is to be read, or ``expect`` is no class.
        CollectionError: No registry was given, and not exactly one collection is installed.
        UnknownNameError: ``allow`` has a name that nobody registered.
        Exception: Whatever a constructor raises, with a note that says for which part of the config.
    """
    if expect is not None and not isinstance(expect, type):
        raise TypeError(f"expect is the class that the loss has to be of, not {show(expect)}")
    if isinstance(config, LossSpec):
        if registry is not None or key is not None or overrides or allow is not None:
            raise TypeError(
                "a spec was checked already: pass registry, key, overrides and allow to what makes it, "
                "validate or load"
            )
        spec = config
    else:
        spec = _checked(config, Checker(registry, key, overrides, allow)).accepted()
    if expect is None:
        return spec.build()
    kind: object = spec.loss_class
    if isinstance(kind, type) and not issubclass(kind, expect):
        raise _unexpected(spec, expect)
    loss = spec.build()
    if not isinstance(loss, expect):  # a function was registered, and only now is it known what it makes
        raise _unexpected(spec, expect)
    return loss


def check(
    config: Config | File,
    *,
    registry: Registry[Any] | None = None,
    key: str | None = None,
    overrides: Overrides = (),
    allow: Names | None = None,
) -> list[Problem]:
    """List everything that is wrong with a config, or with a config file; an empty list is a correct one.

    Takes what ``build`` takes. A wrong config raises nothing: its problems are the result,
    and so are those of severity ``warning``, with which a config can be used.
    """
    try:
        return _checked(config, Checker(registry, key, overrides, allow)).problems
    except CollectionError as error:
        return [Problem("no-collection", str(error))]


def _checked(config: Config | File, checker: Checker) -> Checked:
    if isinstance(config, dict):  # to ask for a path takes longer
        return checker.check_data(config)
    if isinstance(config, os.PathLike) or (isinstance(config, str) and config.lower().endswith(SUFFIXES)):
        return checker.check_file(config)
    return checker.check_data(config)


def _unexpected(spec: LossSpec[Any], expected: type) -> ConfigError:
    message = f"{spec.name} is no {expected.__name__}, which is what was expected"
    origin = spec.origin
    location = source = None
    if origin is not None and origin.source is not None:
        source = origin.source.file
        location = origin.source.locate(origin.path, at_key=True)
    path = () if origin is None else origin.path
    return ConfigError([make_problem("wrong-kind", message, path=path, file=source, location=location)])
