"""The CPU time of a call of ``lossary`` against that of a bare interpreter: best of several, as a ratio.

    python tests/benchmarks/factory/time_command.py

CPU time of the child, not the clock: a busy machine makes the latter useless. Bytecode has to be written, as
installers do; the first round does it.
"""
# ruff: noqa: S603, T201  # the subprocesses are this interpreter, and a script prints

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 15
CONFIG = "loss: {sum: {region: dice_loss, pixel: {name: focal_loss, weight: 0.3, params: {gamma: 1}}}}\n"


def cpu_time(*arguments: str) -> float:
    """Return the least CPU time, in milliseconds, that the interpreter takes with arguments."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1000 * min(times)


def main() -> None:
    """Print a line for each call."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "loss.yaml")
        config.write_text(CONFIG, encoding="utf-8")
        bare = cpu_time("-c", "pass")
        print(f"{'bare interpreter':<28} {bare:6.1f} ms")
        for code in ("import attrs", "import click", "import yaml"):
            print(f"{code:<28} {cpu_time('-c', code):6.1f} ms")
        for call in (["list"], ["show", "focal_loss"], ["validate", str(config)], ["schema"]):
            time = cpu_time("-m", "lossary_factory", *call)
            print(f"{'lossary ' + call[0]:<28} {time:6.1f} ms  {time / bare:5.1f} x")


if __name__ == "__main__":
    main()
