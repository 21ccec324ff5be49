"""The verbs that tell what all losses are: list and schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._export import describe, schema, summary
from lossary_factory._problems import did_you_mean

from ._call import BadCallError, collection_option, deliver, echo, format_option, output_option, registry
from ._terminal import columns, dim, fitted, width

if TYPE_CHECKING:
    from lossary_registry import Registry


@click.command(name="list")
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Only losses with this tag; may be repeated."
)
@format_option
@collection_option
def list_losses(tags: tuple[str, ...], form: str) -> None:
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
    known = sorted({tag for tags in losses.list_with_tags().values() for tag in tags})
    for tag in tags:
        if tag not in known:
            instead = f"{did_you_mean(tag, known)}the tags are: {', '.join(known)}"
            raise BadCallError(f"no loss has the tag {tag!r}\n{instead}")
        tagged = losses.filter_by_tag(tag)
        names = [name for name in names if name in tagged]
    return names


def _summary(name: str, losses: Registry[Any]) -> str:
    entry = losses.entry(name)
    return summary(entry.load()) if entry.available else dim(f"unavailable: {entry.failure}")


@click.command(name="schema")
@output_option
@collection_option
def write_schema(output: str | None) -> None:
    """Write a JSON Schema, with which editors complete and check configs."""
    deliver(json.dumps(schema(registry=registry()), separators=(",", ":")) + "\n", output)
