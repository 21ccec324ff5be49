"""The verb that rewrites configs of other tools: by what is known to be equal, and never by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from lossary_factory._checker import Checker
from lossary_factory._command.call import (
    BadCallError,
    collection_option,
    deliver,
    key_option,
    output_option,
    registry,
    report,
)
from lossary_factory._command.terminal import dim
from lossary_factory._command.yaml import flow
from lossary_factory._manifest import described_migrations
from lossary_factory._migration import (
    Finding,
    Foreign,
    Records,
    migrate,
    read_foreign,
    read_records,
    written_lines,
)
from lossary_factory._problems import CollectionError, ConfigError, ConfigPath, counted, parse_path

if TYPE_CHECKING:
    from lossary_factory._migration import Migration


@click.command(name="migrate")
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "library", metavar="LIBRARY", help="Whose names these are, where a config does not say so."
)
@click.option(
    "--accept-changes",
    "accepts",
    is_flag=True,
    help="Write also what becomes another number, with a comment.",
)
@key_option
@output_option
@collection_option
def verb(
    file: str, library: str | None, accepts: bool, key: str | None, output: str | None
) -> None:  # click's
    """Rewrite a config of hydra, MONAI, mmengine and the like, where its losses are known to be equal.

    What is not known, or becomes another number, is reported, and nothing is written.
    """
    losses = registry()
    records = _records()
    if library is not None and library not in records.libraries:
        known = ", ".join(records.libraries) or "none"
        raise BadCallError(f"no records of a library {library!r}\nthere are records of: {known}")
    foreign = _read(file)
    path, data = _at(key, foreign.data)
    library = library or _default_scope(foreign.data)
    migration = migrate(data, losses, records, library=library, source=foreign.source, path=path)
    for note in migration.notes:
        click.echo(dim(f"note: {note}"), err=True)
    _stop_or_warn(migration.findings, accepts=accepts)
    lines = list(written_lines(migration.config, flow))
    _check(migration, losses)
    deliver("".join(f"{line}\n" for line in lines), output)


def _records() -> Records:
    try:
        data = described_migrations(click.get_current_context().find_root().obj)
    except CollectionError as error:
        raise BadCallError(str(error)) from None
    return Records() if data is None else read_records(data)


def _read(file: str) -> Foreign:
    try:
        foreign = read_foreign(file)
    except ConfigError as error:
        report(error.problems, to_stderr=True)
        raise SystemExit(1) from None
    if foreign.problems:
        report(foreign.problems, to_stderr=True)
        click.echo("nothing was written: the file itself is wrong", err=True)
        raise SystemExit(1)
    return foreign


def _at(key: str | None, data: Any) -> tuple[ConfigPath, object]:  # noqa: ANN401  # plain data of any kind
    path = parse_path(key) if key else ()
    try:
        for part in path:
            data = data[part]
    except (TypeError, LookupError):
        raise BadCallError(f"the file has nothing at {key}") from None
    return path, data


def _default_scope(data: object) -> str | None:
    """Return the library whose names mmengine would look up first, if the file says so."""
    scope = data.get("default_scope") if isinstance(data, dict) else None
    return scope if isinstance(scope, str) else None


def _stop_or_warn(findings: list[Finding], *, accepts: bool) -> None:
    """Report what was found, and end unless all of it may be written."""
    if not findings:
        return
    accepted = accepts and all(finding.can_be_accepted for finding in findings)
    problems = [finding.problem for finding in findings]
    if accepted:
        problems = [attrs.evolve(problem, severity="warning", hint="") for problem in problems]
    report(problems, to_stderr=True)
    if not accepted:
        changes = sum(finding.can_be_accepted for finding in findings)
        obstacles = len(findings) - changes
        parts = [f"{counted(obstacles, 'thing')} cannot be migrated"] if obstacles else []
        parts += [f"{counted(changes, 'thing')} would be another number"] if changes else []
        click.echo(f"nothing was written: {', '.join(parts)}", err=True)
        raise SystemExit(1)


def _check(migration: Migration, losses: Any) -> None:  # noqa: ANN401  # a registry
    """Report what is wrong with the result, and end."""
    checked = Checker(losses).check_data(migration.config)
    if not checked.is_correct:
        report(checked.problems, to_stderr=True)
        click.echo("nothing was written: what it would become is wrong", err=True)
        raise SystemExit(1)
    report(checked.problems, to_stderr=True)
