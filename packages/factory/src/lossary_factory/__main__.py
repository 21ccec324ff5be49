"""Run the command: ``lossary``, or ``python -m lossary_factory``."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Answer one call of the command."""
    from ._command import lossary  # noqa: PLC0415  # click is imported only to answer a call

    if sys.stdout is None:  # closed by who called
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # until the process ends
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character still gets the rest of the line.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        lossary(prog_name="lossary")
    except OSError as error:  # such as a full disk; a pipe that was closed is no error
        sys.stdout = None  # what it still holds would fail again at the end
        print(f"Error: the answer cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
