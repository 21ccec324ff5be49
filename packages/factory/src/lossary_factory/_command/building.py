"""Build a loss for a verb, and report what its code raises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lossary_factory._problems import printable_lines

from .terminal import paint

if TYPE_CHECKING:
    from lossary_factory._spec import LossSpec


def built(spec: LossSpec[Any], *, to_stderr: bool) -> Any:  # noqa: ANN401  # whatever was registered
    """Build a loss as it is when a training begins; report what its constructor raises and end."""
    try:
        loss = spec.build()
    except Exception as error:  # noqa: BLE001  # what a constructor raises is the user's to read
        complain("constructor", error, *getattr(error, "__notes__", []), to_stderr=to_stderr)
        raise SystemExit(1) from None
    for module in loss.modules() if is_module(loss) else ():
        if hasattr(module, "set_progress"):
            module.set_progress(step=0, epoch=0)
    return loss


def complain(code: str, error: BaseException | None, *notes: str, to_stderr: bool) -> None:
    """Report what the code of a loss raised."""
    said = printable_lines(f"{type(error).__name__}: {error}")
    click.echo(f"{paint('code', f'error[{code}]')}: {said}", err=to_stderr)
    for note in notes:
        click.echo(f"    {printable_lines(note)}", err=to_stderr)


def is_module(loss: object) -> bool:
    """Tell whether a built loss is a module of torch, which only an imported torch can have made."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(loss, torch.nn.Module)
