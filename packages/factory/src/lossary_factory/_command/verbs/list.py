"""The verb that lists all losses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._command.call import (
    collection_option,
    echo,
    format_option,
    no_such_tag,
    registry,
    tags_of,
)
from lossary_factory._command.terminal import columns, dim, fitted, width
from lossary_factory._export import describe, summary

if TYPE_CHECKING:
    from lossary_registry import Registry


@click.command(name="list")
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Only losses with this tag; may be repeated."
)
@format_option
@collection_option
def verb(tags: tuple[str, ...], form: str) -> None:
    """List the losses that a config can name."""
    losses = registry()
    names = _tagged(tags, losses)
    if form == "json":
        about = [describe(name, registry=losses) for name in names if losses.entry(name).available]
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
        return
    rows = columns([name, dim(", ".join(losses.entry(name).tags)), _summary(name, losses)] for name in names)
    echo(fitted(rows, width()))


def _tagged(tags: tuple[str, ...], losses: Registry[Any]) -> list[str]:
    names = losses.list()
    known = tags_of(losses)
    for tag in tags:
        if tag not in known:
            raise no_such_tag(tag, losses)
        tagged = losses.filter_by_tag(tag)
        names = [name for name in names if name in tagged]
    return names


def _summary(name: str, losses: Registry[Any]) -> str:
    entry = losses.entry(name)
    return summary(entry.load()) if entry.available else dim(f"unavailable: {entry.failure}")
