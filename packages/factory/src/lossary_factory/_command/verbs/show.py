"""The verb that tells what one loss is, on one page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._collections import registered
from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    echo,
    format_option,
    no_such_loss,
    registry,
)
from lossary_factory._command.example import example_config
from lossary_factory._command.terminal import bold, columns, dim
from lossary_factory._command.tree import default_text
from lossary_factory._command.yaml import yaml_lines
from lossary_factory._export import describe, summary
from lossary_factory._parameters import Constructor, Parameter, StandIn, constructor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_registry import Entry, Registry


@click.command(name="show")
@click.argument("name")
@format_option
@collection_option
def verb(name: str, form: str) -> None:
    """Describe one loss: what it takes, where it comes from, and a config to start with."""
    losses = registry()
    if name not in losses:
        raise no_such_loss(name, losses)
    entry = losses.entry(name)
    if not entry.available:
        raise BadCallError(f"{name} cannot be loaded: {entry.failure}")
    if form == "json":
        click.echo(json.dumps(describe(name, registry=losses), indent=2, ensure_ascii=False))
    else:
        echo(page(entry, losses))


def page(entry: Entry[Any], registry: Registry[Any]) -> Iterator[str]:
    """Yield the lines that describe an entry."""
    loss_class: Any = registered(entry.name, registry)
    yield bold(entry.name)
    if summary(loss_class):
        yield f"  {summary(loss_class)}"
    yield ""
    yield from _facts(entry, loss_class)
    yield ""
    yield from _parameters(constructor_of(loss_class, registry.base_class))
    config = example_config(entry.name, registry)
    if config is not None:
        yield from ("", bold("Example"), *yaml_lines(config, "  "))


def _facts(entry: Entry[Any], loss_class: type) -> list[str]:
    where = ":".join(map(str, entry.where)) if entry.where else entry.distribution
    if issubclass(loss_class, StandIn):
        where = loss_class.origin
    facts = {
        "class": f"{loss_class.__module__}.{loss_class.__qualname__}",
        "aliases": ", ".join(entry.aliases),
        "tags": ", ".join(entry.tags),
        "defined": where,
    }
    return columns([f"  {dim(name)}", text] for name, text in facts.items() if text)


def _parameters(constructor: Constructor) -> Iterator[str]:
    yield bold("Parameters")
    if constructor.obstacle:
        yield f"  It cannot be built from a config: {constructor.obstacle}."
    elif constructor.offered:
        yield from columns(map(_row, constructor.offered))
    else:
        yield "  none"
    if constructor.is_open:
        yield "  The constructor takes more keyword arguments, which a config cannot give."


def _row(parameter: Parameter) -> list[str]:
    default = "required" if parameter.is_required else f"default {default_text(parameter.default)}"
    return [f"  {parameter.name}", parameter.kind.text, dim(default)]
