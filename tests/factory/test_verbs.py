"""The verbs that write: schema and init; and what validate and explain say beside plain reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossary_factory import check, schema, validate
from lossary_factory._command import call, group

BAD = "loss:\n  name: dice_loss\n  params: {smooth: -1}\n"


@pytest.fixture
def lossary(losses, monkeypatch):
    """Return a function that calls the command on the toys."""
    monkeypatch.setattr(call, "installed_registry", lambda _collection: losses)
    monkeypatch.setattr(call, "described_registry", lambda _collection: losses)
    return lambda *arguments: CliRunner().invoke(group.lossary, arguments, prog_name="lossary")


def test_validate_as_json(lossary, write):
    """A machine gets a list of files, each with its problems; the exit code is the same."""
    result = lossary("validate", "--format=json", write("good.yaml", "dice_loss"), write("bad.yaml", BAD))
    good, bad = json.loads(result.output)
    assert result.exit_code == 1
    assert good == {"file": "good.yaml", "correct": True, "problems": []}
    assert (bad["correct"], [problem["line"] for problem in bad["problems"]]) == (False, [3])


def test_validate_as_annotations(lossary, write):
    """GitHub gets a line for each problem, and nothing else."""
    result = lossary("validate", "--format=github", write("good.yaml", "dice_loss"), write("bad.yaml", BAD))
    assert (result.exit_code, result.output) == (
        1,
        "::error file=bad.yaml,line=3,col=20,title=out-of-range::smooth must be >= 0, not -1\n",
    )


def test_validate_within_a_larger_file(lossary, write):
    """``--key`` and ``--set`` are those of ``load``; a warning is shown, and is no failure."""
    file = write("train.yaml", "smooth: 1\nloss: {name: dice_loss}\n")
    result = lossary("validate", file, "--key=loss", "--set=loss.params.smooth=2")
    assert result.exit_code == 0
    assert "train.yaml:1:1: warning[misplaced-key]" in result.output
    assert result.output.endswith("ok train.yaml: dice_loss\n1 correct file\n")


def test_a_key_that_is_no_path_is_a_wrong_call(lossary, write):
    """It cannot be in any file."""
    assert lossary("validate", write("a.yaml", "dice_loss"), "--key=a..b").exit_code == 2


def test_explain_says_where_everything_comes_from(lossary, write, losses):
    """The whole loss, with the line of each value, the defaults, and the fingerprint."""
    file = write(
        "train.yaml", "loss:\n  sum:\n    region:\n      name: dice_loss\n      params:\n        mode: hard\n"
    )
    result = lossary("explain", file, "--set", "loss.sum.region.weight=0.5")
    module = losses.get("dice_loss").__module__
    fingerprint = validate(
        {"sum": {"region": {"name": "dice_loss", "weight": 0.5, "params": {"mode": "hard"}}}}, registry=losses
    ).fingerprint()
    assert (result.exit_code, result.output) == (
        0,
        f"""\
weighted_sum  {module}.WeightedSum  train.yaml:1
└── region: 0.5 \N{MULTIPLICATION SIGN} dice_loss  {module}.DiceLoss  train.yaml:3
        smooth = 1.0  (default)
        mode = hard  train.yaml:6

fingerprint {fingerprint}
""",
    )


def test_explain_of_a_wrong_config_ends_with_one(lossary, write):
    """There is nothing to explain in what cannot be built."""
    result = lossary("explain", write("bad.yaml", BAD))
    assert result.exit_code == 1
    assert result.output.startswith("bad.yaml:3:20: error[out-of-range]")


@pytest.mark.parametrize("verb", ["list", "show"])
def test_machines_get_descriptions(lossary, verb):
    """``--format json`` is what ``describe`` gives."""
    result = lossary(verb, "--format=json", *(["tversky_loss"] if verb == "show" else []))
    found = json.loads(result.output)
    named = found if verb == "show" else next(each for each in found if each["name"] == "tversky_loss")
    assert named["parameters"]["beta"] == {"accepts": "a number", "required": True}


def test_the_schema_is_written(lossary, losses, tmp_path):
    """To the terminal, or to a new file, as JSON."""
    assert json.loads(lossary("schema").output) == schema(registry=losses)
    file = tmp_path / "loss.schema.json"
    assert lossary("schema", "--output", str(file)).exit_code == 0
    assert json.loads(file.read_text()) == schema(registry=losses)


def test_what_is_there_is_not_written_over(lossary, write):
    """A file that somebody wrote is left as it is."""
    file = write("mine.yaml", "dice_loss")
    result = lossary("init", "--output", file)
    assert (result.exit_code, Path(file).read_text()) == (2, "dice_loss")


@pytest.mark.parametrize("task", [[], ["segmentation"], ["binary"]])
def test_a_start_is_correct(lossary, losses, write, task):
    """What ``init`` writes validates as it stands."""
    result = lossary("init", *task)
    assert result.exit_code == 0
    assert check(write("start.yaml", result.output), registry=losses) == []


def test_a_start_is_the_loss_with_the_most_tags(lossary):
    """It serves the most purposes; its parameters are written out, so that they can be changed."""
    assert lossary("init", "binary").output.endswith(
        "\nversion: 1\nloss:\n  name: dice_loss\n  params:\n    smooth: 1.0\n"
    )


def test_an_unknown_task_is_a_wrong_call(lossary):
    """A task is a tag, and the nearest one is named."""
    result = lossary("init", "segmentatoin")
    assert result.exit_code == 2
    assert "did you mean 'segmentation'?" in result.output
