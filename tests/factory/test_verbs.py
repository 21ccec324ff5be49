"""The verbs that write: schema and init; and what validate and explain say beside plain reports."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from lossary_factory import check, load, schema, validate
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


def test_a_start_has_what_can_be_changed(lossary):
    """Where nothing is the first choice, the loss with the most tags; its parameters are written out."""
    assert lossary("init", "binary").output.endswith(
        "\nversion: 1\nloss:\n  name: dice_loss\n  params:\n    smooth: 1.0\n"
    )


def test_a_start_is_the_first_choice_for_the_task(lossary, losses):
    """The collection says which that is; what is the first choice for something comes before the rest."""
    for name, tasks in (("one", ["segmentation"]), ("two", ["binary", "other"]), ("odd", 5)):
        losses.register(
            type(name, (losses.base_class,), {}),
            name=name,
            tags=["segmentation", "binary"],
            metadata={"first_choice": tasks},
        )
    assert lossary("init", "segmentation").output.endswith("name: one\n")
    assert lossary("init", "binary").output.endswith("name: two\n")
    assert lossary("init").output.endswith("name: two\n")


def test_a_start_made_of_other_losses(lossary, losses, write):
    """A task whose losses are all made of others begins with a sum of two that are alike."""
    losses.unregister("broken_loss")
    result = lossary("init", "composite")
    assert result.exit_code == 0
    spec = validate(load(write("start.yaml", result.output), registry=losses).to_dict(), registry=losses)
    assert [term.name for term in spec.params["terms"].values()] == ["dice_loss", "focal_loss"]


def test_a_start_that_needs_what_only_its_author_knows(lossary, losses):
    """The error says where to read what is needed."""

    def refuse(_instance, _attribute, _value):
        raise ValueError("ask its author")

    @losses.register(tags=["needy"])
    @attrs.define(slots=False)
    class Needy(losses.base_class):
        table: str = attrs.field(validator=refuse)

    losses.register_lazy("absent", "not_there:Loss", requires=["not_there"], tags=["needy"])
    result = lossary("init", "needy")
    assert result.exit_code == 2
    assert "no loss for needy can be built as it is" in result.output
    assert "lossary show NAME says which: Needy, absent" in result.output


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".toml", ".json"])
@pytest.mark.parametrize("task", ["segmentation", "composite", "odd"])
def test_a_start_is_written_in_the_format_of_its_name(lossary, losses, tmp_path, suffix, task):
    """The end of the name says which format; each says the same, and none names a file that is not there."""

    @losses.register(tags=["odd"])
    class Odd(losses.base_class):
        def __init__(self, text: str = 'a "b"\x9b\n', many: tuple[float, ...] = (1e-5, math.pi)) -> None: ...

    Odd.__init__.__annotations__.update(text=str, many=tuple[float, ...])
    file = tmp_path / f"start{suffix}"
    assert lossary("init", task, "-o", str(file)).exit_code == 0
    assert load(file, registry=losses) == load(tmp_path / f"start{suffix}", registry=losses)
    yaml = tmp_path / "other.yaml"
    yaml.write_text(lossary("init", task).output, encoding="utf-8")
    assert load(file, registry=losses) == load(yaml, registry=losses)
    assert not [
        line for line in file.read_text().splitlines() if re.match(r"# yaml-language-server|#:schema", line)
    ]


@pytest.mark.parametrize("name", ["start", "start.txt", "start.yaml.bak"])
def test_a_start_of_an_unknown_format_is_a_wrong_call(lossary, tmp_path, name):
    """What could not be read again is not written."""
    result = lossary("init", "-o", str(tmp_path / name))
    assert result.exit_code == 2
    assert "must end in .yaml, .yml, .toml or .json, which says what to write" in result.output
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_task_is_a_wrong_call(lossary):
    """A task is a tag, and the nearest one is named."""
    result = lossary("init", "segmentatoin")
    assert result.exit_code == 2
    assert "did you mean 'segmentation'?" in result.output


@pytest.mark.parametrize("override", ["loss", "loss..name=1", "=1"])
@pytest.mark.parametrize("verb", [("validate",), ("explain",), ("build", "--dry-run")])
def test_an_override_that_is_none_is_a_wrong_call(lossary, write, verb, override):
    """What does not read PATH=VALUE is no mistake of any config; a path that leads nowhere is one."""
    result = lossary(*verb, write("loss.yaml", "dice_loss"), "--set", override)
    assert result.exit_code == 2
    assert lossary(*verb, "loss.yaml", "--set", "loss.sum.a.b=1").exit_code == 1
