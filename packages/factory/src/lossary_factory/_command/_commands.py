"""The command ``lossary`` and its verbs.

It ends with 0; with 1 where a config or its file is wrong; with 2 where the call is.
"""

from __future__ import annotations

import os

import click

from ._browse import list_losses, show, write_schema
from ._call import collection_option
from ._start import init, migrate
from ._verify import build, explain, validate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lossary-factory", prog_name="lossary")
@collection_option
@click.pass_context
def lossary(context: click.Context) -> None:
    """List losses, describe them, and check the configs that name them."""
    if os.environ.get("NO_COLOR"):
        context.color = False


for verb in (list_losses, show, write_schema, validate, build, explain, init, migrate):
    lossary.add_command(verb)
