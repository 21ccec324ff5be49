"""What all verbs of the command share: its errors, its options, and the collection that it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lossary_factory._collections import installed_registry
from lossary_factory._grammar import LOSS, instead_of
from lossary_factory._manifest import described_registry
from lossary_factory._problems import (
    CollectionError,
    Problem,
    counted,
    did_you_mean,
    parse_path,
    printable,
    printable_lines,
)

from .terminal import paint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossary_factory._spec import Checked, LossSpec
    from lossary_registry import Registry


class BadCallError(click.ClickException):
    """A call that click can read and that still makes no sense."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(printable_lines(message))


def _keep_collection(context: click.Context, _option: click.Parameter, name: str | None) -> None:
    """Remember the choice for the whole call, whether it stands before the verb or after it."""
    if name is not None:
        context.find_root().obj = name


def _check_path(_context: click.Context, _option: click.Parameter, path: str | None) -> str | None:
    if path is None:
        return None
    try:
        parse_path(path)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return path


def _check_overrides(
    _context: click.Context, _option: click.Parameter, overrides: tuple[str, ...]
) -> tuple[str, ...]:
    for override in overrides:
        path, sign, _ = override.partition("=")
        if not sign:
            raise click.BadParameter(f"{override!r} is no PATH=VALUE, such as loss.sum.region.weight=0.5")
        try:
            parse_path(path.strip())
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return overrides


collection_option = click.option(
    "--collection",
    metavar="NAME",
    expose_value=False,
    callback=_keep_collection,
    help="Use this installed collection, where there are several.",
)
key_option = click.option(
    "--key", metavar="PATH", callback=_check_path, help="Where the config stands in a larger file."
)
set_option = click.option(
    "--set",
    "overrides",
    metavar="PATH=VALUE",
    multiple=True,
    callback=_check_overrides,
    help="Put a value in the place of another; may be repeated.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people or for machines.",
)
output_option = click.option(
    "-o", "--output", metavar="FILE", help="Write to a new file, and not to the terminal."
)


def registry(*, described: bool = True) -> Registry[Any]:
    """Return the registry of the collection that was chosen, without its classes where it is described."""
    find = described_registry if described else installed_registry
    try:
        return find(click.get_current_context().find_root().obj)
    except CollectionError as error:
        raise BadCallError(str(error)) from None


def tags_of(losses: Registry[Any]) -> list[str]:
    """Return every tag that some loss has, in alphabetical order."""
    return sorted({tag for tags in losses.list_with_tags().values() for tag in tags})


def no_such_tag(tag: str, losses: Registry[Any]) -> BadCallError:
    """Return the error for a tag that no loss has."""
    known = tags_of(losses)
    instead = f"{did_you_mean(tag, known)}the tags are: {', '.join(known)}"
    return BadCallError(f"no loss has the tag {tag!r}\n{instead}")


def no_such_loss(name: str, losses: Registry[Any]) -> BadCallError:
    """Return the error for a name that no loss has."""
    return BadCallError(f"{losses.name} has no {LOSS} {name!r}\n{instead_of(name, losses)}")


def echo(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)


def report(problems: Iterable[Problem], *, to_stderr: bool = False) -> None:
    """Print problems as people read them."""
    for problem in problems:
        click.echo(f"{problem.render(paint)}\n", err=to_stderr)


def deliver(text: str, output: str | None) -> None:
    """Print a text, or write it to a file that is not there yet."""
    if output is None:
        click.echo(text, nl=False)
    else:
        write_new(output, text.encode())


def write_new(output: str, content: bytes) -> None:
    """Write a file that is not there yet."""
    try:
        with open(output, "xb") as stream:  # noqa: PTH123  # plain names in messages
            stream.write(content)
    except FileExistsError:
        raise BadCallError(f"{output} is there already, and is left as it is") from None
    except OSError as error:
        raise BadCallError(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {printable(output)} ({counted(len(content), 'byte')})", err=True)


def accepted(checked: Checked, *, to_stderr: bool = False) -> LossSpec[Any]:
    """Return the spec of a correct config; report a wrong one and end."""
    report(checked.problems, to_stderr=to_stderr)
    if checked.spec is None or not checked.is_correct:
        raise SystemExit(1)
    return checked.spec
