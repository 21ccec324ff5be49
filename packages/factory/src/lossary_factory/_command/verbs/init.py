"""The verb that writes a config to start with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._collections import first_choice_for, registered
from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    deliver,
    no_such_tag,
    output_option,
    registry,
)
from lossary_factory._command.example import example_config
from lossary_factory._command.formats import WRITERS
from lossary_factory._composites import COMPOSITES
from lossary_factory._parameters import constructor_of
from lossary_factory._problems import either, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lossary_registry import Registry


@click.command(name="init")
@click.argument("task", required=False)
@output_option
@collection_option
def verb(task: str | None, output: str | None) -> None:
    """Write a config to start with, for a task such as segmentation (any tag will do)."""
    write = _writer(output)
    losses = registry()
    config = _start(losses.list() if task is None else _of_task(task, losses), task, losses)
    deliver(write({"version": 1, **config}), output)


def _writer(output: str | None) -> Callable[[Mapping[str, Any]], str]:
    if output is None:
        return WRITERS[".yaml"]
    suffix = os.path.splitext(output)[1].lower()  # noqa: PTH122  # pathlib is slow
    if suffix not in WRITERS:
        raise BadCallError(f"{output} must end in {either(WRITERS)}, which says what to write")
    return WRITERS[suffix]


def _start(names: list[str], task: str | None, losses: Registry[Any]) -> dict[str, object]:
    """Return a config of the loss to begin with; one made of others only where there is nothing else."""
    simple = _simple(names, losses)
    others = sorted(name for name in names if losses.entry(name).available)
    for name in sorted(simple or others, key=lambda name: _rank(name, task, losses), reverse=True):
        config = example_config(name, losses)
        if config is not None:
            return config
        if name in simple:
            return {"loss": name}
    needy = (
        f": each needs parameters of your own\nlossary show NAME says which: {listing(names)}"
        if names
        else ""
    )
    raise BadCallError(f"no loss for {task or 'a start'} can be built as it is{needy}")


def _rank(name: str, task: str | None, losses: Registry[Any]) -> tuple[bool, int, int]:
    """Say how much speaks for a loss: to be the first choice, for this task or for others, then its tags."""
    entry = losses.entry(name)
    tasks = first_choice_for(entry)
    return task in tasks, len(tasks), len(entry.tags)


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
