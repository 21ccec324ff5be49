"""A config is data from anywhere: nothing in it is run, imported, opened or followed without end."""

from __future__ import annotations

import os
import sys

import pytest

from lossary_factory import check

DEEP = 50_000
BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])
DOUBLING = "".join(f"  a{n}: {{sum: {{x: {{use: a{n - 1}}}, y: {{use: a{n - 1}}}}}}}\n" for n in range(1, 40))
HOSTILE = {
    "python tag.yaml": "loss: !!python/object/apply:os.mkdir [made]",
    "python name.yaml": "loss: {name: !!python/name:os.system ''}",
    "new object.yaml": "!!python/object/new:subprocess.Popen [[touch, made]]",
    "import path.yaml": "loss: {name: os.mkdir, params: {path: made}}",
    "hydra.yaml": "loss: {_target_: os.mkdir, path: made}",
    "hydra args.yaml": "loss: {_target_: os.mkdir, _args_: [made], _recursive_: true}",
    "mmengine.yaml": "loss: {type: os.mkdir, path: made}",
    "mmengine base.yaml": "_base_: [secret.py]\nloss: dice_loss",
    "monai expression.yaml": "loss: {name: dice_loss, params: {smooth: \"$__import__('os').mkdir('made')\"}}",
    "monai reference.yaml": "loss: {name: dice_loss, params: {smooth: '@other::value'}}",
    "jsonargparse.yaml": "loss: {class_path: this, init_args: {}}",
    "keras.json": '{"module": "os", "class_name": "mkdir", "config": {"path": "made"}}',
    "confection.json": '{"@losses": "os.mkdir"}',
    "interpolation.yaml": "loss: {name: dice_loss, params: {smooth: '${oc.env:HOME}'}}",
    "dunder.yaml": "loss: {name: __class__, params: {__init__: 1}}",
    "dunder parameter.yaml": "loss: {name: dice_loss, params: {self: 1, __class__: x}}",
    "selector.yaml": "loss: {heads: {a: {name: dice_loss, inputs: {input: \"input.__import__('os')\"}}}}",
    "part.yaml": "loss: {sum: {a: {name: dice_loss, weight: {schedule: os.mkdir, path: made}}}}",
    "alias bomb.yaml": f"{BOMB}\nloss: dice_loss",
    "alias cycle.yaml": "loss: &a {sum: {x: *a}}",
    "merge bomb.yaml": "a: &a {x: 1}\nb: &b {<<: [" + "*a, " * 20_000 + "*a]}\nloss: dice_loss",
    "doubling.yaml": f"defs:\n  a0: dice_loss\n{DOUBLING}loss: {{use: a39}}",
    "deep.yaml": "[" * DEEP,
    "deep.json": "[" * DEEP + "]" * DEEP,
    "deep duplicate.json": '{"a": 1, "a": ' + "[" * 600 + "]" * 600 + "}",
    "deep.toml": "a = " + "[" * DEEP + "]" * DEEP,
    "deep key.toml": "a" + ".a" * DEEP + " = 1",
    "deep sums.yaml": "loss: " + "{sum: {a: " * 500 + "dice_loss" + "}}" * 500,
    "long line.yaml": "loss: " + "x" * 1_000_000,
    "long number.yaml": "loss: {name: dice_loss, params: {smooth: " + "9" * 100_000 + "}}",
    "long number.json": '{"name": "dice_loss", "params": {"smooth": ' + "9" * 100_000 + "}}",
    "many parameters.yaml": "name: dice_loss\nparams:\n" + "".join(f"  k{n}: 1\n" for n in range(40_000)),
    "many terms.yaml": "sum:\n" + "".join(f"  k{n}: x\n" for n in range(40_000)),
    "many duplicates.yaml": "loss: dice_loss\n" + "k: 1\n" * 40_000,
    "many duplicates.json": '{"loss": "dice_loss"' + ', "k": 1' * 40_000 + "}",
    "many items.yaml": "{name: focal_loss, params: {weight: [" + "x, " * 90_000 + "x]}}",
    "many items.json": '{"name": "focal_loss", "params": {"weight": [' + "1, " * 150_000 + "1]}}",
    "many items.toml": "name = 'focal_loss'\nparams.weight = [" + "1, " * 150_000 + "1]",
    "many keys.yaml": "loss:\n" + "".join(f"  k{n}: 1\n" for n in range(40_000)),
    "nul.yaml": "loss: dice\0loss",
    "escape.json": '{"loss": "dice\\u0000loss\\u001b[2J"}',
    "surrogate.json": '{"loss": "\\ud800"}',
    "include.yaml": "loss: !include /etc/passwd",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_wrong_config(composites, write, tmp_path, name):
    """It ends as a list of problems, with no module imported and no file touched.

    Without our limits, some of them would take hours: this test would not end.
    """
    file = write(name, HOSTILE[name])
    check(write(f"warm{os.path.splitext(name)[1]}", "{}"), registry=composites)  # noqa: PTH122  # loads the parser
    modules, files = set(sys.modules), set(os.listdir(tmp_path))  # noqa: PTH208  # names are enough
    problems = check(file, registry=composites)
    assert problems
    assert all(len(str(problem)) < 2000 for problem in problems)
    assert set(sys.modules) - modules <= {"difflib"}
    assert set(os.listdir(tmp_path)) == files  # noqa: PTH208  # same


def shared(depth):
    """Return a mapping that is small, and large where its shared parts are counted in full."""
    config = "dice_loss"
    for _ in range(depth):
        config = {"sum": {"x": config, "y": config}}
    return config


CYCLE: dict[str, object] = {}
CYCLE["sum"] = {"x": CYCLE, "y": CYCLE}
NUMBERS = [1.0] * 10
for _ in range(8):
    NUMBERS = [NUMBERS] * 10  # type: ignore[list-item]


@pytest.mark.parametrize(
    "config",
    [
        shared(30),
        CYCLE,
        {"name": "open_loss", "params": {"scale": NUMBERS}},
        {"name": "any_loss", "params": {"value": NUMBERS}},
        {"name": "focal_loss", "params": {"weight": [1.0] * 200_000}},
    ],
    ids=["shared terms", "a cycle", "shared numbers", "shared data", "many numbers"],
)
def test_a_mapping_is_as_large_as_its_shared_parts(composites, monkeypatch, config):
    """A part that a mapping holds twice counts twice: what would take for ever is refused."""

    @composites.register(name="any_loss")
    class AnyLoss(composites.base_class):
        def __init__(self, value=None):
            pass

    monkeypatch.setattr("lossary_factory._validation.MOST_VALUES", 10_000)
    refusals = {"too-large", "too-deep", "wrong-type"}  # the last one: numbers where one number is asked
    assert {problem.code for problem in check(config, registry=composites)} & refusals


def test_shared_parts_are_no_mistake(composites):
    """A part may stand anywhere as often as one likes, as in YAML with aliases."""
    assert check(shared(8), registry=composites) == []


def test_a_choice_of_two_losses_is_not_tried_without_end(composites, monkeypatch):
    """What a union of losses tries twice at each level counts twice."""
    monkeypatch.setattr("lossary_factory._validation.MOST_VALUES", 1000)

    class Left(composites.base_class):
        def __init__(self, inner: Left | Right | None = None):
            pass

    class Right(composites.base_class):
        def __init__(self, inner: Left | Right | None = None):
            pass

    for cls in (Left, Right):
        cls.__init__.__annotations__["inner"] = Left | Right | None
        composites.register(cls)
    config = "dice_loss"
    for _ in range(45):
        config = {"name": "Left", "params": {"inner": config}}
    (problem,) = check(config, registry=composites)
    assert problem.code == "too-large"


@pytest.mark.parametrize(
    "text",
    [
        "os.mkdir",
        "loss=\ud800",
        "loss.\ud800=1",
        "loss=[a, \udcff]",
        "loss=!!python/object/apply:os.mkdir [made]",
        "a" + "[0]" * 5000 + "=1",
    ],
)
def test_a_hostile_override_is_a_wrong_config(losses, tmp_path, monkeypatch, text):
    """Overrides are read as carefully as files."""
    monkeypatch.chdir(tmp_path)
    assert check("dice_loss", registry=losses, overrides=[text])
    assert list(tmp_path.iterdir()) == []


def test_endless_problems_end(losses):
    """After a thousand problems the rest is not looked at, and that is said."""
    problems = check({"name": "dice_loss", "params": {f"k{n}": 1 for n in range(2000)}}, registry=losses)
    assert len(problems) == 1001
    assert {problem.code for problem in problems} == {"unknown-parameter", "too-many-problems"}
