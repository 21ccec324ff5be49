"""Each engine, and each library that people train with, has the gradients of one batch in one process.

Two processes are spawned, with three parts each that count differently, one of them nothing; see
``docs/examples/exact``.
"""

import sys
from pathlib import Path

import pytest

from lossary_losses.exact import check_training

sys.path.append(str(Path(__file__).parents[2] / "docs/examples/exact"))

import engines
import libraries


@pytest.mark.parametrize("step", [*engines.STEPS, *libraries.STEPS], ids=lambda step: step.__name__)
def test_a_step_is_exact(step, monkeypatch, tmp_path):
    """The gradients in both processes are those of the whole batch in one."""
    monkeypatch.setenv("PYTHONPATH", str(Path(engines.__file__).parent))  # for processes that are spawned
    monkeypatch.chdir(tmp_path)
    check_training(step, engines.make_batch(), ignore=engines.without_labels)


def test_a_forgotten_factor_is_noticed():
    """Without the number of parts that an engine divides by, the check fails."""
    with pytest.raises(AssertionError, match=r"is off by 0\.6"):
        check_training(forgetful, engines.make_batch(), ignore=engines.without_labels)


def forgetful(parts):
    """Divide by the number of parts, as Accelerate and Lightning do, and do not tell the loss."""
    return {name: each / len(parts) for name, each in engines.plain_loop(parts).items()}
