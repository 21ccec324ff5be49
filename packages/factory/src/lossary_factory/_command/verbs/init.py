"""The verb that writes a config to start with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lossary_factory._collections import registered
from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    deliver,
    no_such_tag,
    output_option,
    registry,
)
from lossary_factory._command.example import example_config
from lossary_factory._command.yaml import yaml_lines
from lossary_factory._composites import COMPOSITES
from lossary_factory._parameters import constructor_of

if TYPE_CHECKING:
    from lossary_registry import Registry

_HEAD = """\
# Check this file with: lossary validate FILE
# For completion in editors: lossary schema --output loss.schema.json, and this line:
# yaml-language-server: $schema=loss.schema.json
"""


@click.command(name="init")
@click.argument("task", required=False)
@output_option
@collection_option
def verb(task: str | None, output: str | None) -> None:
    """Write a config to start with, for a task such as segmentation (any tag will do)."""
    losses = registry()
    names = _simple(losses.list() if task is None else _of_task(task, losses), losses)
    if not names:
        raise BadCallError(f"no loss for {task or 'a start'} can be built without parameters of your own")
    name = max(names, key=lambda name: len(losses.entry(name).tags))  # what serves the most purposes
    lines = yaml_lines({"version": 1, **(example_config(name, losses) or {"loss": name})})
    deliver(_HEAD + "".join(f"{line}\n" for line in lines), output)


def _of_task(task: str, losses: Registry[Any]) -> list[str]:
    names = losses.filter_by_tag(task)
    if not names:
        raise no_such_tag(task, losses)
    return names


def _simple(names: list[str], losses: Registry[Any]) -> list[str]:
    """Keep the losses that need no parameters, in alphabetical order."""
    there = sorted(name for name in names if losses.entry(name).available and name not in COMPOSITES)
    constructors = {name: constructor_of(registered(name, losses), losses.base_class) for name in there}
    return [
        name
        for name, constructor in constructors.items()
        if not constructor.required and not constructor.obstacle
    ]
