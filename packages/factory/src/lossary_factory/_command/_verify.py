"""The verbs that read configs: validate, build and explain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._checking import Request
from lossary_factory._wording import counted

from ._call import BadCallError, collection_option, echo, key_option, registry, report, set_option
from ._terminal import dim, failure, paint, success
from ._tree import draw

if TYPE_CHECKING:
    from lossary_factory._checking import Checked
    from lossary_factory._spec import LossSpec


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="For people, for machines, or as annotations of GitHub.",
)
@key_option
@set_option
@collection_option
def validate(files: tuple[str, ...], form: str, key: str | None, overrides: tuple[str, ...]) -> None:
    """Check config files, and report all that is wrong with each of them."""
    request = Request(registry(), key, overrides)
    found = {file: request.check_file(file) for file in files}
    if form == "json":
        click.echo(json.dumps([_as_data(file, checked) for file, checked in found.items()], indent=2))
    elif form == "github":
        echo(problem.to_github() for checked in found.values() for problem in checked.problems)
    else:
        _print(found)
    if not all(map(_is_correct, found.values())):
        raise SystemExit(1)


def _is_correct(checked: Checked) -> bool:
    return checked.spec is not None and all(problem.severity != "error" for problem in checked.problems)


def _as_data(file: str, checked: Checked) -> dict[str, Any]:
    problems = [problem.to_dict() for problem in checked.problems]
    return {"file": file, "correct": _is_correct(checked), "problems": problems}


def _print(found: dict[str, Checked]) -> None:
    for file, checked in found.items():
        report(checked.problems)
        if checked.spec is not None and _is_correct(checked):
            click.echo(f"{success('ok')} {file}: {checked.spec.name}")
    wrong = [checked for checked in found.values() if not _is_correct(checked)]
    problems = sum(problem.severity == "error" for checked in wrong for problem in checked.problems)
    good = counted(len(found) - len(wrong), "correct file")
    if wrong:
        bad = f"{counted(len(wrong), 'wrong file')} with {counted(problems, 'problem')}"
        click.echo(failure(f"{good}, {bad}"))
    else:
        click.echo(success(good))


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Build the loss, show what was built, and end.")
@key_option
@set_option
@collection_option
def build(file: str, key: str | None, overrides: tuple[str, ...], *, dry_run: bool) -> None:
    """Build the loss of a config file, and show it as a tree."""
    if not dry_run:
        raise BadCallError(
            "a loss that is built here ends with the command: add --dry-run to see what would be built\n"
            "In Python, lossary_factory.build(path) returns the loss."
        )
    losses = registry(described=False)
    spec = _accepted(Request(losses, key, overrides).check_file(file))
    try:
        spec.build()
    except Exception as error:  # noqa: BLE001  # what a constructor raises is the user's to read
        click.echo(f"{paint('code', 'error[constructor]')}: {type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", []):
            click.echo(f"    {note}")
        raise SystemExit(1) from None
    echo(draw(spec, losses.base_class))


@click.command()
@click.argument("file", metavar="FILE")
@key_option
@set_option
@collection_option
def explain(file: str, key: str | None, overrides: tuple[str, ...]) -> None:
    """Show the whole loss that a config file means, with where each value comes from."""
    losses = registry()
    spec = _accepted(Request(losses, key, overrides).check_file(file))
    echo(draw(spec, losses.base_class, with_places=True))
    click.echo(f"\n{dim('fingerprint')} {spec.fingerprint()}")


def _accepted(checked: Checked) -> LossSpec[Any]:
    """Return the spec of a correct config; report a wrong one and end."""
    report(checked.problems)
    if checked.spec is None or not _is_correct(checked):
        raise SystemExit(1)
    return checked.spec
