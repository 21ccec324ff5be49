"""The command ``lossary`` and its verbs.

It ends with 0; with 1 where a config or its file is wrong; with 2 where the call is.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from lossary_factory._problems import CollectionError, did_you_mean

from .call import BadCallError, collection_option

_VERBS = ("list", "show", "validate", "explain", "build", "plot", "init", "migrate", "schema")


class _Verbs(click.Group):
    """Imports a verb when it is called: what the others need would take longer than most answers."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # same
        if cmd_name not in _VERBS:
            return None
        verb: click.Command = importlib.import_module(f"{__package__}.verbs.{cmd_name}").verb
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        verb = args[0]
        if verb not in _VERBS and not verb.startswith("-"):
            meant = f"{did_you_mean(verb, _VERBS)}the verbs are: {', '.join(_VERBS)}"
            raise click.UsageError(f"there is no verb {verb!r}\n{meant}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        try:
            return super().invoke(ctx)
        except CollectionError as error:  # that its manifest is damaged shows when it is looked into
            raise BadCallError(str(error)) from None


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="lossary-factory", prog_name="lossary")
@collection_option
@click.pass_context
def lossary(context: click.Context) -> None:
    """List losses, describe them, and check the configs that name them."""
    if os.environ.get("NO_COLOR"):
        context.color = False
