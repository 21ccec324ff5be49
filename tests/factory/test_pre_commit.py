"""The hooks for pre-commit: which files they take, and what they say of them."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement

from lossary_factory._command import call, group

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
HOOKS = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}


@pytest.fixture(params=HOOKS.values(), ids=HOOKS)
def hook(request):
    """Each of the hooks."""
    return request.param


def test_the_hook_installs_what_is_there(hook):
    """What is installed beside the clone are its packages, each in its place."""
    for path in hook.get("additional_dependencies", []):
        assert not path.startswith("./") or (ROOT / path / "pyproject.toml").is_file()


def test_the_hook_installs_all_but_torch():
    """What its packages depend on is listed, since pip takes none by itself: all but torch."""
    listed = HOOKS["lossary-validate"]["additional_dependencies"]
    needed = {
        Requirement(line).name.lower()
        for path in (ROOT / "packages").glob("*/pyproject.toml")
        for line in tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
        if not line.startswith("lossary-")
    }
    foreign = {Requirement(line).name.lower() for line in listed if line[0] not in "-."}
    assert listed[0] == "--no-deps"
    assert foreign == needed - {"torch"} | {"colorama"}  # which click needs on Windows


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [
        ("loss.yaml", True),
        ("configs/losses.yml", True),
        ("configs/loss_of_mine.toml", True),
        ("configs/loss/dice.yaml", True),
        ("configs/training.yaml", False),
        ("glossary.yaml", False),
        ("lossless.yaml", False),
        ("loss.py", False),
        ("loss.schema.json", False),
        ("gloss/any.yaml", False),
    ],
)
def test_which_files_it_takes(hook, path, is_taken):
    """Unless the user says otherwise: what is named after losses, or lies in a folder of them."""
    assert bool(re.search(hook["files"], path)) is is_taken


def test_good_and_bad_files_at_once(hook, losses, write, monkeypatch):
    """Called as pre-commit calls it, with options and several files, it reports the bad ones and fails."""
    monkeypatch.setattr(call, "described_registry", lambda _collection: losses)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "lossary"
    files = [
        write(name, f"train: {{loss: {loss}}}")
        for name, loss in [("a.yaml", "dice_loss"), ("b.yaml", "dise_loss")]
    ]
    bad = CliRunner().invoke(group.lossary, [*arguments, "--key", "train.loss", *files])
    assert bad.exit_code == 1
    assert "ok a.yaml: dice_loss" in bad.output
    assert "b.yaml:1:15: error[unknown-loss]" in bad.output
    assert bad.output.endswith("1 correct file, 1 wrong file with 1 problem\n")
    good = CliRunner().invoke(group.lossary, [*arguments, "--key", "train.loss", files[0]])
    assert good.exit_code == 0
