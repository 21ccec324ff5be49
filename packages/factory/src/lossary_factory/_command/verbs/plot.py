"""The verb that draws: schedules of weights, and losses as functions of one number."""

from __future__ import annotations

import json
import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._checker import Checker
from lossary_factory._command.building import built, complain, is_module
from lossary_factory._command.call import (
    BadCallError,
    accepted,
    collection_option,
    echo,
    format_option,
    key_option,
    no_such_loss,
    registry,
    set_option,
    write_new,
)
from lossary_factory._command.curves.drawing import FORMATS, Curve, NoCurveError, draw, picture
from lossary_factory._command.curves.of_schedules import schedule_curves
from lossary_factory._reading import SUFFIXES

if TYPE_CHECKING:
    from lossary_factory._command.trial.targets import TargetKind
    from lossary_factory._spec import LossSpec

_NO_MATPLOTLIB = "a picture needs matplotlib\n    pip install 'lossary-factory[plot]' installs it."


@click.command(name="plot")
@click.argument("what", metavar="FILE|NAME")
@click.option(
    "--loss", "is_loss", is_flag=True, help="Draw the loss itself, even where its weights have schedules."
)
@click.option("--from", "first", metavar="NUMBER", type=float, help="Where the curves begin.")
@click.option("--to", "last", metavar="NUMBER", type=float, help="Where the curves end.")
@click.option("--target", metavar="NUMBER", type=float, help="The target: a value, or the class of labels.")
@click.option("--kind", type=click.Choice(["binary", "labels", "values"]), help="What the target holds.")
@click.option("-o", "--output", metavar="FILE", help=f"Draw a picture in a new file, .{', .'.join(FORMATS)}.")
@format_option
@key_option
@set_option
@collection_option
def verb(
    what: str,
    key: str | None,
    overrides: tuple[str, ...],
    output: str | None,
    *,
    form: str,
    **options: Any,  # noqa: ANN401  # those of what is drawn
) -> None:
    """Draw the schedules of a config's weights, or a loss and its gradient over one logit or residual."""
    _require_sense(output, form, options["first"], options["last"])
    losses = registry(described=False)
    checker = Checker(losses, key, overrides)
    if what.lower().endswith(SUFFIXES):
        checked = checker.check_file(what)
    elif what in losses:
        checked = checker.check_data(what)
    else:
        raise no_such_loss(what, losses)
    is_json = form == "json"
    curves = _curves(accepted(checked, to_stderr=is_json), to_stderr=is_json, **options)
    if output is not None:
        write_new(output, _picture(curves, output))
    elif is_json:
        click.echo(json.dumps([_as_data(curve) for curve in curves]))
    else:
        for curve in curves:
            echo((*draw(curve, shutil.get_terminal_size().columns, plain=not _has_braille()), ""))


def _require_sense(output: str | None, form: str, first: float | None, last: float | None) -> None:
    if not all(each is None or math.isfinite(each) for each in (first, last)):
        raise BadCallError("--from and --to must be finite")
    if first is not None and last is not None and first >= last:
        raise BadCallError(f"--from must be less than --to, and {first:g} is not less than {last:g}")
    if output is not None and form == "json":
        raise BadCallError("--output draws a picture, and --format json writes points: choose one")
    if output is not None and _suffix(output) not in FORMATS:
        raise BadCallError(f"{output} must end in .{', .'.join(FORMATS)}")


def _suffix(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _curves(
    spec: LossSpec[Any],
    *,
    to_stderr: bool,
    is_loss: bool,
    first: float | None,
    last: float | None,
    target: float | None,
    kind: TargetKind | None,
) -> list[Curve]:
    """Return the curves of the schedules; those of the loss where there are none, or it is asked for."""
    try:
        if not is_loss and target is None and kind is None:
            curves = _schedules(spec, first, last, to_stderr=to_stderr)
            if curves:
                return curves
        loss = built(spec, to_stderr=to_stderr)
        if not is_module(loss):
            raise BadCallError(f"{spec.name} is no module of torch, and only such losses are drawn")
        from lossary_factory._command.curves.of_losses import loss_curves  # noqa: PLC0415  # needs torch

        return loss_curves(spec, loss, kind=kind, target=target, first=first, last=last)
    except NoCurveError as error:
        raise BadCallError(str(error)) from None


def _schedules(
    spec: LossSpec[Any], first: float | None, last: float | None, *, to_stderr: bool
) -> list[Curve]:
    try:
        return schedule_curves(spec, first, last)
    except NoCurveError:
        raise
    except Exception as error:  # noqa: BLE001  # what a schedule raises is the user's to read
        complain("schedule", error, to_stderr=to_stderr)
        raise SystemExit(1) from None


def _picture(curves: list[Curve], output: str) -> bytes:
    try:
        return picture(curves, _suffix(output))
    except ImportError:
        raise BadCallError(_NO_MATPLOTLIB) from None


def _as_data(curve: Curve) -> dict[str, Any]:
    """Return a curve as plain data, null where it has no finite value."""
    y = [each if math.isfinite(each) else None for each in curve.y]
    return {"title": curve.title, "x_label": curve.x_label, "x": list(curve.x), "y": y}


def _has_braille() -> bool:
    """Tell whether the output can show the characters that the finer drawing is made of."""
    try:
        "\N{BRAILLE PATTERN DOTS-1}\N{BOX DRAWINGS LIGHT VERTICAL}".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
