"""From a registry to its manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._collections import chosen_registry, first_choice_for, registered
from lossary_factory._export import summary
from lossary_factory._parameters import Constructor, Parameter, Unsaid, constructor_of
from lossary_factory._parameters.kinds import Kind, Part
from lossary_factory._problems import UnwritableError
from lossary_factory._values import plain

from .values import encode, target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_registry import Registry

FORMAT = 2


def make_manifest(registry: Registry[Any], *, version: str) -> dict[str, Any]:
    """Describe all losses of a registry that can be loaded, so that configs can be checked without them.

    Args:
        registry: The registry that an entry point of the group ``lossary.registries`` offers.
        version: The version of the distribution; the manifest of another version is not used.

    Returns:
        Plain data for ``lossary-manifest.json``, which belongs into the folder of the package that the
        entry point names. Write it with ``json.dumps``, and let a test compare file and registry.
    """
    registry = chosen_registry(registry)
    writer = _Writer(registry.base_class)
    losses = writer.entries(registry)
    parts: dict[str, Any] = {}
    while new := [part for part in writer.parts if part not in parts]:  # a part may be made of others
        for keyword in new:
            part = writer.parts[keyword]
            parts[keyword] = {"registry": part.name, "base": _base(part), "entries": writer.entries(part)}
    return {
        "format": FORMAT,
        "version": version,
        "registry": registry.name,
        "base": _base(registry),
        "losses": losses,
        "parts": parts,
    }


def _base(registry: Registry[Any]) -> str:
    return target(registry.base_class or object)


@attrs.define
class _Writer:
    base_class: type | None
    parts: dict[str, Registry[Any]] = attrs.field(factory=dict)
    """The registries that the parameters refer to, by key word."""

    def entries(self, registry: Registry[Any]) -> list[dict[str, Any]]:
        return [self.entry(name, registry) for name in registry.list() if registry.entry(name).available]

    def entry(self, name: str, registry: Registry[Any]) -> dict[str, Any]:
        entry = registry.entry(name)
        cls: Any = registered(name, registry)
        return {
            "name": name,
            "class": entry.target,
            "kinds": [target(base) for base in getattr(cls, "__mro__", ())[:-1]],
            "summary": summary(cls),
            "aliases": list(entry.aliases),
            "deprecated": {old: [why.since, why.use] for old, why in entry.deprecated.items()},
            "tags": list(entry.tags),
            "first_choice": list(first_choice_for(entry)),
            **self.constructor(constructor_of(cls, self.base_class)),
        }

    def constructor(self, constructor: Constructor) -> dict[str, Any]:
        return {
            "open": constructor.is_open,
            "obstacle": constructor.obstacle,
            "arguments": None if constructor.arguments is None else list(constructor.arguments),
            "parameters": {
                name: self.parameter(parameter) for name, parameter in constructor.parameters.items()
            },
        }

    def parameter(self, parameter: Parameter) -> dict[str, Any]:
        for kind in _inside(parameter.kind):
            if isinstance(kind, Part):
                self.parts[kind.keyword] = kind.registry
        about: dict[str, Any] = {"check": encode(parameter.kind), "rule": parameter.rule is not None}
        if not parameter.is_required:
            about["default"] = _default(parameter.default)
        return about


def _default(default: object) -> dict[str, Any]:
    """Return a default as plain data, or what is to be said of one that is none."""
    if isinstance(default, Unsaid):
        return {"left": "to the constructor"}
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return {"made": "anew"}
    try:
        return {"json": json.dumps(plain(default))}
    except UnwritableError:
        return {"object": type(default).__name__}


def _inside(kind: Any) -> Iterator[Kind]:  # noqa: ANN401  # fields of kinds may be anything
    """Yield a kind and all kinds inside it."""
    if isinstance(kind, tuple):
        for item in kind:
            yield from _inside(item)
    elif isinstance(kind, Kind):
        yield kind
        cls: Any = type(kind)
        for field in attrs.fields(cls):
            yield from _inside(getattr(kind, field.name))
