"""From a manifest to a registry of classes that stand for those which it describes."""

from __future__ import annotations

import contextlib
import functools
import json
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._collections import FIRST_CHOICE, part_registry, registered
from lossary_factory._parameters import UNSAID, Constructor, Parameter, Rule, StandIn, constructor_of
from lossary_factory._problems import CollectionError
from lossary_factory._validation import EnoughError, Validation
from lossary_factory._values import plain
from lossary_registry import Deprecated, Registry

from .values import Decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


Data = dict[str, Any]


def read_manifest(manifest: Data, origin: str, load: Callable[[], Registry[Any]]) -> Registry[Any]:
    """Return a registry with the names, tags and parameters of a manifest.

    Args:
        manifest: What ``make_manifest`` returned.
        origin: The distribution that it describes.
        load: Loads the real registry, for what only its code can check.
    """
    reader = _Reader(origin, load)
    for keyword, part in manifest["parts"].items():
        reader.parts[keyword] = Registry(reader.kind(part["base"]), part["registry"])
    for keyword, part in manifest["parts"].items():
        reader.fill(reader.parts[keyword], part["entries"], keyword)
    registry: Registry[Any] = Registry(reader.kind(manifest["base"]), manifest["registry"])
    reader.fill(registry, manifest["losses"], "")
    return registry


@attrs.define
class _Reader:
    origin: str
    load: Callable[[], Registry[Any]]
    parts: dict[str, Registry[Any]] = attrs.field(factory=dict)
    kinds: dict[str, type] = attrs.field(factory=dict)
    """What stands for a class that is no entry but the base of some, by where that is defined."""

    def kind(self, target: str) -> type:
        if target not in self.kinds:
            name = target.rpartition(":")[2].rpartition(".")[2]
            self.kinds[target] = type(name, (StandIn,), {"stands_for": target})
        return self.kinds[target]

    def fill(self, registry: Registry[Any], entries: list[Data], keyword: str) -> None:
        base: Any = registry.base_class
        for entry in entries:
            module, _, qualname = entry["class"].partition(":")
            members = {
                "__doc__": entry["summary"],
                "__module__": module,
                "__qualname__": qualname,
                "stands_for": entry["class"],
                "kinds": frozenset(entry["kinds"]),
                "origin": self.origin,
                "make_constructor": staticmethod(functools.partial(self.constructor, entry, keyword)),
            }
            stand_in = type(qualname.rpartition(".")[2], (base,), members)
            deprecated = {
                old: Deprecated(since=why[0], use=why[1]) for old, why in entry["deprecated"].items()
            }
            aliases = {alias: deprecated.get(alias) for alias in entry["aliases"]}
            registry.register(
                stand_in,
                name=entry["name"],
                tags=entry["tags"],
                aliases=aliases,
                deprecated=deprecated.get(entry["name"]),
                metadata={FIRST_CHOICE: tuple(entry["first_choice"])},
            )

    def constructor(self, entry: Data, keyword: str) -> Constructor:
        """Decode what a constructor takes, which is done for those losses only that a config names."""
        try:
            return self.decoded(entry, keyword)
        except Exception as error:
            what = f"the manifest of {self.origin} does not say what {entry.get('name')} takes"
            raise CollectionError(
                f"{what}\n    {type(error).__name__}: {error}\n    Install it again."
            ) from error

    def decoded(self, entry: Data, keyword: str) -> Constructor:
        decoder = Decoder(self.kind, self.parts)
        parameters: Mapping[str, Parameter] = {
            name: Parameter(
                name,
                decoder.decode(about["check"]),
                **({"default": _default(about["default"])} if "default" in about else {}),
                rule=self.rule(entry["name"], name, keyword) if about["rule"] else None,
            )
            for name, about in entry["parameters"].items()
        }
        arguments = entry["arguments"]
        return Constructor(
            parameters, entry["open"], entry["obstacle"], None if arguments is None else tuple(arguments)
        )

    def rule(self, entry: str, name: str, keyword: str) -> Rule:
        """Return what asks the real class: its validator says more than a file can hold."""

        def rule(value: object) -> None:
            registry = self.load()
            entries = part_registry(keyword) if keyword else registry
            real = constructor_of(registered(entry, entries), registry.base_class).parameters[name]
            validation = Validation(registry)
            with contextlib.suppress(EnoughError):  # what was found until then is enough
                real.read(plain(value), (name,), validation)
            if validation.problems:
                raise ValueError(validation.problems[0].message)

        return rule


def _default(data: Data) -> Any:  # noqa: ANN401  # a default is anything
    if "json" in data:
        return json.loads(data["json"])
    if "left" in data:
        return UNSAID
    if "made" in data:
        return attrs.Factory(object)
    return type(data["object"], (), {})()
