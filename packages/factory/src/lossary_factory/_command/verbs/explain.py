"""The verb that shows what a config means."""

from __future__ import annotations

import click

from lossary_factory._checker import Checker
from lossary_factory._command.call import accepted, collection_option, echo, key_option, registry, set_option
from lossary_factory._command.terminal import dim
from lossary_factory._command.tree import draw


@click.command(name="explain")
@click.argument("file", metavar="FILE")
@key_option
@set_option
@collection_option
def verb(file: str, key: str | None, overrides: tuple[str, ...]) -> None:
    """Show the whole loss that a config file means, with where each value comes from."""
    losses = registry()
    spec = accepted(Checker(losses, key, overrides).check_file(file))
    echo(draw(spec, losses.base_class, with_places=True))
    click.echo(f"\n{dim('fingerprint')} {spec.fingerprint()}")
