"""The verb that checks configs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._checker import Checker
from lossary_factory._command.call import collection_option, echo, key_option, registry, report, set_option
from lossary_factory._command.terminal import failure, success
from lossary_factory._problems import counted, printable

if TYPE_CHECKING:
    from lossary_factory._spec import Checked


@click.command(name="validate")
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
def verb(files: tuple[str, ...], form: str, key: str | None, overrides: tuple[str, ...]) -> None:
    """Check config files, and report all that is wrong with each of them."""
    checker = Checker(registry(), key, overrides)
    found = {file: checker.check_file(file) for file in files}
    if form == "json":
        click.echo(json.dumps([_as_data(file, checked) for file, checked in found.items()], indent=2))
    elif form == "github":
        echo(problem.to_github() for checked in found.values() for problem in checked.problems)
    else:
        _print(found)
    if not all(checked.is_correct for checked in found.values()):
        raise SystemExit(1)


def _as_data(file: str, checked: Checked) -> dict[str, Any]:
    problems = [problem.to_dict() for problem in checked.problems]
    return {"file": file, "correct": checked.is_correct, "problems": problems}


def _print(found: dict[str, Checked]) -> None:
    for file, checked in found.items():
        report(checked.problems)
        if checked.spec is not None and checked.is_correct:
            click.echo(f"{success('ok')} {printable(file)}: {checked.spec.name}")
    wrong = [checked for checked in found.values() if not checked.is_correct]
    problems = sum(problem.severity == "error" for checked in wrong for problem in checked.problems)
    good = counted(len(found) - len(wrong), "correct file")
    if wrong:
        bad = f"{counted(len(wrong), 'wrong file')} with {counted(problems, 'problem')}"
        click.echo(failure(f"{good}, {bad}"))
    else:
        click.echo(success(good))
