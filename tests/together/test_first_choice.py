"""The command begins where the guide says that one should."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossary_factory import load
from lossary_factory._collections import first_choice_for
from lossary_factory._command import lossary
from lossary_losses import loss_registry

GUIDE = (Path(__file__).parents[2] / "docs/guides/choosing-a-loss.md").read_text(encoding="utf-8")
TASKS = {
    title.lower(): re.findall(r"^\| \[(\w+)\]", section, re.MULTILINE)
    for title, section in re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
}


@pytest.mark.parametrize("task", ["segmentation", "classification", "regression"])
def test_init_writes_the_first_choice_of_the_guide(task, tmp_path):
    """``lossary init TASK`` writes the loss of the first line for the task."""
    file = tmp_path / "loss.yaml"
    result = CliRunner().invoke(lossary, ["init", task, "-o", str(file)])
    assert result.exit_code == 0, result.output
    assert load(file).name == TASKS[task][0]


def test_what_is_a_first_choice_stands_first_in_the_guide():
    """No loss calls itself the first choice that the guide would not begin with; each tag has one at most."""
    tags = [tag for name in loss_registry.list() for tag in first_choice_for(loss_registry.entry(name))]
    assert len(tags) == len(set(tags))
    for name in loss_registry.list():
        entry = loss_registry.entry(name)
        if first_choice_for(entry) and name != "weighted_sum":
            assert any(name in first[:2] for first in TASKS.values())
        assert set(first_choice_for(entry)) <= set(entry.tags)


def test_a_start_of_several_losses_is_one_that_trains(tmp_path):
    """``lossary init composite`` writes a sum of two losses of the same kind of data."""
    file = tmp_path / "loss.yaml"
    assert CliRunner().invoke(lossary, ["init", "composite", "-o", str(file)]).exit_code == 0
    result = CliRunner().invoke(lossary, ["build", "--dry-run", str(file)])
    assert result.exit_code == 0, result.output
