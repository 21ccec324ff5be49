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


def test_a_mean_of_means_is_noticed(monkeypatch):
    """The check fails where parts and processes are averaged as if they counted alike."""
    monkeypatch.setenv("PYTHONPATH", str(Path(engines.__file__).parent))
    with pytest.raises(AssertionError, match=r"is off by 0\.\d+ of the largest"):
        check_training(engines.mean_of_means, engines.make_batch(), ignore=engines.without_labels)
