"""Run the command: ``lossary``, or ``python -m lossary_factory``."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Answer one call of the command."""
    from ._command._commands import lossary  # noqa: PLC0415  # click is imported only to answer a call

    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character still gets the rest of the line.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    lossary(prog_name="lossary")


if __name__ == "__main__":
    main()
