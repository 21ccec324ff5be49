"""The verb that lists all losses."""

from __future__ import annotations

import json
import re
import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    echo,
    format_option,
    no_such_tag,
    registry,
    tags_of,
)
from lossary_factory._command.terminal import bold, columns, dim, width
from lossary_factory._export import describe, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_registry import Registry


@click.command(name="list")
@click.option(
    "--tag",
    "--task",
    "tags",
    metavar="TAG",
    multiple=True,
    help="Only losses with this tag, such as a task; may be repeated.",
)
@click.option(
    "--search", "word", metavar="WORD", help="Only losses whose name, alias, tag or summary has this in it."
)
@click.option("--long", "is_long", is_flag=True, help="On a terminal, show the tags and aliases as well.")
@format_option
@collection_option
def verb(tags: tuple[str, ...], word: str | None, is_long: bool, form: str) -> None:
    """List the losses that a config can name; on a terminal by task, which is the first tag of each."""
    losses = registry()
    names = _tagged(tags, losses)
    if word is not None:
        names = [name for name in names if _mentions(word, name, losses)]
        if not names:
            raise BadCallError(f"no loss{' with these tags' if tags else ''} mentions {word!r}")
    if form == "json":
        about = [describe(name, registry=losses) for name in names if losses.entry(name).available]
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
        return
    room = width()
    if room is not None:
        echo(by_task(names, losses, room, is_long=is_long))
        return
    # One loss a line, for what reads lines.
    echo(columns([name, dim(", ".join(losses.entry(name).tags)), _summary(name, losses)] for name in names))


def by_task(names: list[str], losses: Registry[Any], room: int, *, is_long: bool) -> Iterator[str]:
    """Give the losses under the task of each, their summaries wrapped to a width."""
    tasks: dict[str, list[str]] = {}
    for name in names:
        tasks.setdefault(next(iter(losses.entry(name).tags), "other"), []).append(name)
    indent = max(map(len, names), default=0) + 4
    wrapped = partial(textwrap.wrap, width=max(room - indent, 20))
    for task in sorted(tasks):
        yield bold(task)
        for name in tasks[task]:
            entry = losses.entry(name)
            first, *more = wrapped(click.unstyle(_summary(name, losses))) or [""]
            yield f"  {name:<{indent - 2}}{first}"
            yield from (f"{'':{indent}}{line}" for line in more)
            notes = f"{', '.join(entry.tags)}; also {', '.join(entry.aliases)}" if is_long else ""
            yield from (f"{'':{indent}}{dim(line)}" for line in wrapped(notes))


def _mentions(word: str, name: str, losses: Registry[Any]) -> bool:
    """Tell whether a word is part of a name, or begins one of its tags or of the words of its summary."""
    entry, wanted = losses.entry(name), word.casefold()
    if any(wanted in each.casefold() for each in (name, name.replace("_", " "), *entry.aliases)):
        return True
    said = " ".join([*entry.tags, _summary(name, losses)]).casefold()
    return re.search(rf"(?<!\w){re.escape(wanted)}", said) is not None  # "dice" is no part of "indices"


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
