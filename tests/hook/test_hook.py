"""The hook of this repository, installed by pre-commit into a repository of somebody else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGS = {
    "loss.yaml": "loss: {sum: {a: dice_loss, b: {name: focal_loss, weight: 0.5, params: {gamma: 2}}}}\n",
    "loss_wrong.yaml": "loss: {name: focal_loss, params: {gama: 2}}\n",
}


def call(*command, cwd):
    """Run a program, and return its exit code and what it prints."""
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - git and pre-commit
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What ``pre-commit try-repo`` says in a repository with a correct config and a wrong one."""
    place = tmp_path_factory.mktemp("somewhere else")
    git = shutil.which("git")
    assert call(git, "init", "--quiet", cwd=place) == (0, "")
    for name, text in CONFIGS.items():
        (place / name).write_text(text, encoding="utf-8")
    assert call(git, "add", ".", cwd=place)[0] == 0
    command = ("pre-commit", "try-repo", str(ROOT), "lossary-validate", "--all-files", "--verbose")
    code, printed = call(*command, cwd=place)
    assert code == 1, printed
    return printed


def test_it_tells_right_from_wrong(output):
    """The correct config is said to be so, the wrong one with its place and mend."""
    assert "ok loss.yaml: " in output
    assert "loss_wrong.yaml:1:35: error[unknown-parameter]: focal_loss has no parameter 'gama'" in output
    assert "1 correct file, 1 wrong file with 1 problem" in output
