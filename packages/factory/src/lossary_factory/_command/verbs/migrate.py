"""The verb that rewrites configs of other tools: a class that is named by its path becomes a loss's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import click

from lossary_factory._checker import Checker
from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    deliver,
    key_option,
    output_option,
    registry,
    report,
)
from lossary_factory._command.terminal import dim
from lossary_factory._command.yaml import yaml_lines
from lossary_factory._composites import OF_TERMS
from lossary_factory._problems import ConfigError, nearest, parse_path, show_key
from lossary_factory._reading import read

if TYPE_CHECKING:
    from lossary_registry import Registry

_NAMES = ("_target_", "type", "class_path", "class_name", "name")
"""Where hydra and MONAI, mmengine and the origin, jsonargparse, keras, and we ourselves name a class."""

_PARAMS = ("params", "init_args", "kwargs", "config")
_LISTS = ("components", "losses", "terms")
_ABOUT_THE_CALL = {"_recursive_", "_convert_", "_partial_", "_mode_", "_requires_", "_disabled_", "_desc_"}


@attrs.define
class Migration:
    """Rewrites a config of another tool.

    Attributes:
        registry: Where the new names are looked up.
        notes: What somebody should look at, because it may have meant something else.
    """

    registry: Registry[Any]
    notes: list[str] = attrs.field(factory=list)

    def document(self, data: object) -> dict[str, Any]:
        """Return the config with the grammar's keys."""
        if isinstance(data, Mapping) and "loss" in data and not any(key in data for key in _NAMES):
            data = data["loss"]
        return {"version": 1, "loss": self.node(data)}

    def node(self, node: object) -> Any:  # noqa: ANN401  # what is no config stays as it is
        """Return one loss."""
        if isinstance(node, str):
            return self.name(node)
        if isinstance(node, list):
            return self.sum(node, None)
        if not isinstance(node, Mapping):
            return node
        components = next((node[key] for key in _LISTS if isinstance(node.get(key), list)), None)
        if components is not None:
            return self.sum(components, node.get("weights"))
        key = next((key for key in _NAMES if isinstance(node.get(key), str)), None)
        return self.forms(node) if key is None else self.named(node, key)

    def named(self, node: Mapping[Any, Any], key: str) -> dict[str, Any]:
        nested = next((name for name in _PARAMS if isinstance(node.get(name), Mapping)), None)
        # Beside parameters of its own, or in our own grammar, it is the weight of a term.
        beside = {"weight"} if "weight" in node and (nested or key == "name") else set()
        given = dict(node[nested]) if nested else {}
        for name, value in node.items():
            if name not in {key, nested, "loss_weight", *beside, *_ABOUT_THE_CALL}:
                given[name] = value
        new: dict[str, Any] = {"name": self.name(node[key])}
        if "loss_weight" in node or beside:
            new["weight"] = node.get("loss_weight", node.get("weight"))
        if given:
            new["params"] = {name: self.value(value) for name, value in given.items()}
        return new

    def forms(self, node: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return a node of our own grammar, with what is inside rewritten."""
        return {
            key: {name: self.node(term) for name, term in value.items()}
            if key in OF_TERMS and isinstance(value, Mapping)
            else value
            for key, value in node.items()
        }

    def value(self, value: object) -> object:
        """Return the value of a parameter; a loss among them is recognized by how it is chosen."""
        is_node = isinstance(value, Mapping) and any(isinstance(value.get(key), str) for key in _NAMES[:-1])
        return self.node(value) if is_node else value

    def sum(self, components: list[Any], weights: object) -> dict[str, Any]:
        """Return parallel lists as named terms."""
        terms: dict[str, Any] = {}
        for number, component in enumerate(components):
            new = self.node(component)
            term = {"name": new} if isinstance(new, str) else new
            if isinstance(weights, list) and number < len(weights) and isinstance(term, dict):
                term["weight"] = weights[number]
            terms[self.key(term, terms)] = term
        self.note_total(weights)
        return {"sum": terms}

    def note_total(self, weights: object) -> None:
        given = weights if isinstance(weights, list) else []
        numbers = [weight for weight in given if isinstance(weight, (int, float))]
        if numbers and not math.isclose(sum(numbers), 1):
            self.notes.append(
                f"the weights add up to {sum(numbers):g}, and are used as they are: "
                "some tools divide them by their sum"
            )

    def key(self, term: object, taken: Mapping[str, object]) -> str:
        """Make a key of the name of a loss."""
        name = term.get("name") if isinstance(term, dict) else None
        stem = name.removesuffix("_loss") if isinstance(name, str) else "term"
        stem = stem.replace(".", "_") or "term"
        number = 1
        while (key := stem if number == 1 else f"{stem}_{number}") in taken:
            number += 1
        return key

    def name(self, written: str) -> str:
        """Return the canonical name that is meant by a name or an import path."""
        word = written.rpartition(".")[2]
        aliases = {
            alias: name for name in self.registry.list() for alias in self.registry.entry(name).names()
        }
        known = written if written in aliases else nearest(word, aliases)
        if known is None:
            self.notes.append(f"{self.registry.name} has nothing like {show_key(written)}")
            return word
        canonical = aliases[known]
        if known != word:
            self.notes.append(f"{show_key(written)} was taken for {canonical}")
        return canonical


@click.command(name="migrate")
@click.argument("file", metavar="FILE")
@key_option
@output_option
@collection_option
def verb(file: str, key: str | None, output: str | None) -> None:
    """Rewrite a config of hydra, mmengine, MONAI and the like; what may be meant otherwise is noted."""
    losses = registry()
    migration = Migration(losses)
    try:
        data = read(file).data
    except ConfigError as error:
        report(error.problems)
        raise SystemExit(1) from None
    config = migration.document(_at(key, data))
    deliver("".join(f"{line}\n" for line in yaml_lines(config)), output)
    for note in migration.notes:
        click.echo(dim(f"note: {note}"), err=True)
    checked = Checker(losses).check_data(config)
    report(checked.problems, to_stderr=True)
    if not checked.is_correct:
        raise SystemExit(1)


def _at(key: str | None, data: Any) -> object:  # noqa: ANN401  # plain data of any kind
    try:
        for part in parse_path(key) if key else ():
            data = data[part]
    except (TypeError, LookupError):
        raise BadCallError(f"the file has nothing at {key}") from None
    return data
