"""The command ``lossary`` and its four verbs.

It ends with 0; with 1 where a config or its file is wrong; with 2 where the call is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._api import load
from lossary_factory._collections import installed_registry
from lossary_factory._describe import summary
from lossary_factory._named import instead_of
from lossary_factory._problems import CollectionError, ConfigError
from lossary_factory._suggest import did_you_mean
from lossary_factory._wording import counted

from ._page import page
from ._terminal import columns, dim, failure, fitted, paint, success, width
from ._tree import draw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossary_factory._spec import LossSpec
    from lossary_registry import Registry


class _BadCallError(click.ClickException):
    """A call that click can read and that still makes no sense."""

    exit_code = 2


def _keep_collection(context: click.Context, _option: click.Parameter, name: str | None) -> None:
    """Remember the choice for the whole call, whether it stands before the verb or after it."""
    if name is not None:
        context.find_root().obj = name


_collection = click.option(
    "--collection",
    metavar="NAME",
    expose_value=False,
    callback=_keep_collection,
    help="Use this installed collection, where there are several.",
)
_files = click.argument("files", metavar="FILE...", nargs=-1, required=True)


def _registry() -> Registry[Any]:
    try:
        return installed_registry(click.get_current_context().find_root().obj)
    except CollectionError as error:
        raise _BadCallError(str(error)) from None


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lossary-factory", prog_name="lossary")
@_collection
@click.pass_context
def lossary(context: click.Context) -> None:
    """List losses, describe them, and check the configs that name them."""
    if os.environ.get("NO_COLOR"):
        context.color = False


@lossary.command(name="list")
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Only losses with this tag; may be repeated."
)
@_collection
def list_losses(tags: tuple[str, ...]) -> None:
    """List the losses that a config can name."""
    registry = _registry()
    names = registry.list()
    known = sorted({tag for tags in registry.list_with_tags().values() for tag in tags})
    for tag in tags:
        if tag not in known:
            instead = f"{did_you_mean(tag, known)}the tags are: {', '.join(known)}"
            raise _BadCallError(f"no loss has the tag {tag!r}\n{instead}")
        tagged = registry.filter_by_tag(tag)
        names = [name for name in names if name in tagged]
    rows = columns([name, dim(_tags(name, registry)), _summary(name, registry)] for name in names)
    _echo(fitted(rows, width()))


def _tags(name: str, registry: Registry[Any]) -> str:
    return ", ".join(registry.entry(name).tags)


def _summary(name: str, registry: Registry[Any]) -> str:
    entry = registry.entry(name)
    return summary(entry.load()) if entry.available else dim(f"unavailable: {entry.failure}")


@lossary.command()
@click.argument("name")
@_collection
def show(name: str) -> None:
    """Describe one loss: what it takes, where it comes from, and a config to start with."""
    registry = _registry()
    if name not in registry:
        raise _BadCallError(f"{registry.name} has no loss {name!r}\n{instead_of(name, registry)}")
    entry = registry.entry(name)
    if not entry.available:
        raise _BadCallError(f"{name} cannot be loaded: {entry.failure}")
    _echo(page(entry, registry))


@lossary.command()
@_files
@_collection
def validate(files: tuple[str, ...]) -> None:
    """Check config files, and report all that is wrong with each of them."""
    registry = _registry()
    wrong = problems = 0
    for file in files:
        try:
            spec = load(file, registry=registry)
        except ConfigError as error:  # noqa: PERF203  # every file gets its report
            wrong += 1
            problems += len(error.problems)
            _report(error)
        else:
            click.echo(f"{success('ok')} {file}: {spec.name}")
    good = counted(len(files) - wrong, "correct file")
    if wrong:
        click.echo(failure(f"{good}, {counted(wrong, 'wrong file')} with {counted(problems, 'problem')}"))
        raise SystemExit(1)
    click.echo(success(good))


@lossary.command()
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Build the loss, show what was built, and end.")
@_collection
def build(file: str, dry_run: bool) -> None:
    """Build the loss of a config file, and show it as a tree."""
    if not dry_run:
        raise _BadCallError(
            "a loss that is built here ends with the command: add --dry-run to see what would be built\n"
            "In Python, lossary_factory.build(path) returns the loss."
        )
    registry = _registry()
    try:
        spec = load(file, registry=registry)
    except ConfigError as error:
        _report(error)
        raise SystemExit(1) from None
    _build(spec)
    _echo(draw(spec, registry.base_class))


def _build(spec: LossSpec[Any]) -> None:
    try:
        spec.build()
    except Exception as error:  # noqa: BLE001  # what a constructor raises is the user's to read
        click.echo(f"{paint('code', 'error[constructor]')}: {type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", []):
            click.echo(f"    {note}")
        raise SystemExit(1) from None


def _report(error: ConfigError) -> None:
    for problem in error.problems:
        click.echo(f"{problem.render(paint)}\n")
