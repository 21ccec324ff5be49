"""The verb that writes the JSON Schema of all losses."""

from __future__ import annotations

import json

import click

from lossary_factory._command.call import collection_option, deliver, output_option, registry
from lossary_factory._export import schema


@click.command(name="schema")
@output_option
@collection_option
def verb(output: str | None) -> None:
    """Write a JSON Schema, with which editors complete and check configs."""
    deliver(json.dumps(schema(registry=registry()), separators=(",", ":")) + "\n", output)
