"""The verb that tells what one loss is."""

from __future__ import annotations

import json

import click

from lossary_factory._export import describe
from lossary_factory._grammar import LOSS, instead_of

from ._call import BadCallError, collection_option, echo, format_option, registry
from ._page import page


@click.command()
@click.argument("name")
@format_option
@collection_option
def show(name: str, form: str) -> None:
    """Describe one loss: what it takes, where it comes from, and a config to start with."""
    losses = registry()
    if name not in losses:
        raise BadCallError(f"{losses.name} has no {LOSS} {name!r}\n{instead_of(name, losses)}")
    entry = losses.entry(name)
    if not entry.available:
        raise BadCallError(f"{name} cannot be loaded: {entry.failure}")
    if form == "json":
        click.echo(json.dumps(describe(name, registry=losses), indent=2, ensure_ascii=False))
    else:
        echo(page(entry, losses))
