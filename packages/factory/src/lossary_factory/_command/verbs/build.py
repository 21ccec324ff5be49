"""The verb that builds a loss, and tries it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import attrs
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
    registry,
    set_option,
)
from lossary_factory._command.terminal import bold, columns, dim, failure
from lossary_factory._command.tree import draw
from lossary_factory._problems import show_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_factory._command.trial.data import Data
    from lossary_factory._command.trial.run import Trial
    from lossary_factory._command.trial.targets import TargetKind
    from lossary_factory._spec import LossSpec

_OWN_DATA = "for other data: --target binary, labels or values, --input B,C,..., or --data FILE with your own"


def _read_shape(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[int, ...] | None:
    if text is None:
        return None
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise click.BadParameter(f"{text!r} is no shape; write it like 2,3,64,64")
    return tuple(map(int, words))


@click.command(name="build")
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Build the loss, try it once, show both, and end.")
@click.option(
    "--input",
    "shape",
    metavar="B,C,...",
    callback=_read_shape,
    help="The shape of made-up inputs, such as 2,3,64,64.",
)
@click.option(
    "--target",
    "kind",
    type=click.Choice(["binary", "labels", "values"]),
    help="What made-up targets hold; by the loss's tags if not given.",
)
@click.option(
    "--data",
    metavar="FILE",
    help="A .pt or .npz file with the tensors 'input' and 'target', in place of made-up ones.",
)
@format_option
@key_option
@set_option
@collection_option
def verb(
    file: str,
    key: str | None,
    overrides: tuple[str, ...],
    *,
    shape: tuple[int, ...] | None,
    kind: TargetKind | None,
    data: str | None,
    form: str,
    dry_run: bool,
) -> None:
    """Build the loss of a config file, show it as a tree, and try it forward and backward."""
    if not dry_run:
        raise BadCallError(
            "a loss that is built here ends with the command: add --dry-run to see what would be built\n"
            "In Python, lossary_factory.build(path) returns the loss."
        )
    if data is not None and (shape or kind):
        raise BadCallError("--data brings its own shapes: it cannot stand beside --input or --target")
    losses = registry(described=False)
    spec = accepted(Checker(losses, key, overrides).check_file(file), to_stderr=form == "json")
    loss = built(spec, to_stderr=form == "json")
    if form == "text":
        echo(draw(spec, losses.base_class))
    if is_module(loss):
        _try(spec, loss, _chosen(spec, kind, shape, data), form)
    elif form == "json":
        click.echo(json.dumps({"name": spec.name, "config": spec.to_dict(), "trial": None}, indent=2))


def _chosen(
    spec: LossSpec[Any], kind: TargetKind | None, shape: tuple[int, ...] | None, path: str | None
) -> Iterator[Data]:
    """Yield the data to try a loss on, the likeliest first."""
    from lossary_factory._command.trial.data import NoDataError, made_up, read_data  # noqa: PLC0415  # needs torch

    try:
        if path is None:
            yield from made_up(spec, kind=kind, shape=shape)
        else:
            yield read_data(path, spec)
    except NoDataError as error:
        raise BadCallError(str(error)) from None


def _try(spec: LossSpec[Any], loss: Any, choices: Iterator[Data], form: str) -> None:  # noqa: ANN401  # a module
    """Run a loss on the first data that it takes, and show what it gave."""
    from lossary_factory._command.trial.data import MADE_UP  # noqa: PLC0415  # needs torch
    from lossary_factory._command.trial.run import TrialError, run  # noqa: PLC0415  # same

    failures: list[tuple[TrialError, Data]] = []
    for data in choices:
        try:
            trial = run(spec, loss, data)
        except TrialError as error:  # noqa: PERF203  # the next kind of data may do
            failures.append((error, data))
        else:
            _show(spec, data, trial, form)
            return
    first, data = failures[0]
    notes = [f"on {data.origin}: {_in_words(data)}", *([_OWN_DATA] if data.origin == MADE_UP else [])]
    complain(first.stage, first.__cause__, *notes, to_stderr=form == "json")
    raise SystemExit(1)


def _in_words(data: Data) -> str:
    return ", ".join(f"{name} {_flat(shape)}" for name, shape in data.shapes().items())


def _flat(shapes: object) -> str:
    if isinstance(shapes, dict):
        return "{" + ", ".join(f"{name}: {_flat(each)}" for name, each in shapes.items()) + "}"
    return f"[{', '.join(map(_flat, shapes))}]" if isinstance(shapes, list) else str(shapes)


def _show(spec: LossSpec[Any], data: Data, trial: Trial, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(_as_data(spec, data, trial), indent=2))
    else:
        click.echo(f"\n{bold('Tried')} on {data.origin}: {_in_words(data)}")
        echo(_table(trial))
        times = f"{1e3 * trial.forward_seconds:.2g} ms, backward {1e3 * trial.backward_seconds:.2g} ms"
        click.echo(dim(f"forward {times}"))
    if not trial.is_finite:
        click.echo(failure("error[not-finite]: the value or the gradient has a NaN or an infinity"), err=True)
        raise SystemExit(1)


def _table(trial: Trial) -> list[str]:
    rows = [[dim(title) for title in ("", "value", "weight", "gradient")]]
    rows += [
        [show_key(term.name), _number(term.value), _number(term.weight), _number(term.gradient_norm)]
        for term in trial.terms
    ]
    several = f" (sum of {trial.shape})" if trial.shape else ""
    return columns([*rows, [f"total{several}", _number(trial.value), "", _number(trial.gradient_norm)]])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _as_data(spec: LossSpec[Any], data: Data, trial: Trial) -> dict[str, Any]:
    about = attrs.asdict(trial, value_serializer=lambda _trial, _field, value: _for_json(value))
    return {"name": spec.name, "config": spec.to_dict(), "data": data.shapes(), "trial": about}


def _for_json(value: object) -> object:
    """Return null for a number that JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
