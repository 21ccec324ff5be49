"""An example config for a loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lossary_factory._api import check
from lossary_factory._collections import first_choice_for, registered
from lossary_factory._composites import COMPOSITES, SUM
from lossary_factory._parameters import constructor_of

if TYPE_CHECKING:
    from lossary_registry import Registry


def example_config(name: str, registry: Registry[Any]) -> dict[str, object] | None:
    """Return a correct config with a loss's needs and those of its defaults that can be written.

    None where no such config can be made up, because the constructor wants what only its author knows.
    """
    simple = _simple(name, registry)
    if name == SUM.name:
        other = _simple(simple, registry, like=simple)
        chosen = (("first", simple, 0.7), ("second", other, 0.3))
        terms = {key: {"name": term, "weight": weight} for key, term, weight in chosen}
        config: dict[str, object] = {"loss": {"sum": terms}}
    else:
        params = _example_params(name, simple, registry)
        config = {"loss": {"name": name, "params": params} if params else {"name": name}}
    return None if check(config, registry=registry) else config


def _simple(name: str, registry: Registry[Any], *, like: str = "") -> str:
    """Return another loss that needs no parameters: the best known, or the one most like a loss."""

    def rank(other: str) -> int:
        entry = registry.entry(other)
        tags = first_choice_for(entry) if not like else {*entry.tags} & {*registry.entry(like).tags}
        return -len(tags)

    for other in sorted(registry.list(), key=rank):
        if other != name and other not in COMPOSITES and registry.entry(other).available:
            constructor = constructor_of(registered(other, registry), registry.base_class)
            if not constructor.required and not constructor.obstacle:
                return other
    return name


def _example_params(name: str, simple: str, registry: Registry[Any]) -> dict[str, object]:
    constructor = constructor_of(registered(name, registry), registry.base_class)
    return {
        parameter.name: parameter.kind.example(simple) if parameter.is_required else parameter.default
        for parameter in constructor.parameters.values()
        if parameter.is_required or _is_plain(parameter.default)
    }


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))
