"""The mistakes that people make with configs: each is named, placed, and told how to mend."""

from __future__ import annotations

import attrs
import pytest

from lossary_factory import ConfigError, build, check

MISTAKES = {
    "a misspelled name": (
        "loss:\n  name: focl_loss",
        ("unknown-loss", "loss.name", 2, 9),
        ["'focl_loss'", "did you mean 'focal_loss'?", "dice_loss"],
    ),
    "a misspelled parameter": (
        "loss:\n  name: focal_loss\n  params: {gama: 2.0}",
        ("unknown-parameter", "loss.params.gama", 3, 12),
        ["focal_loss has no parameter 'gama'", "did you mean 'gamma'?", "focal_loss takes: gamma, alpha"],
    ),
    "text for a number": (
        'loss:\n  name: focal_loss\n  params: {gamma: "2"}',
        ("wrong-type", "loss.params.gamma", 3, 19),
        ["gamma must be a number >= 0, not '2'", "write 2, without quotes"],
    ),
    "a number out of its bounds": (
        "loss:\n  name: focal_loss\n  params: {alpha: 1.5}",
        ("out-of-range", "loss.params.alpha", 3, 19),
        ["alpha must be <= 1, not 1.5"],
    ),
    "a word that is no choice": (
        "loss:\n  name: focal_loss\n  params: {reduction: avg}",
        ("wrong-type", "loss.params.reduction", 3, 23),
        ["reduction must be 'none', 'mean' or 'sum', not 'avg'"],
    ),
    "a parameter that is missing": (
        "loss:\n  name: tversky_loss\n  params: {alpha: 0.3}",
        ("missing-parameter", "loss.params.beta", 3, 3),
        ["tversky_loss needs the parameter 'beta'", "write beta under 'params'; it must be a number"],
    ),
    "a parameter outside params": (
        "loss: {name: focal_loss, gamma: 2.0}",
        ("misplaced-key", "loss.gamma", 1, 26),
        ["'gamma' is a parameter of focal_loss and stands outside 'params'", "write params: {gamma: 2.0}"],
    ),
    "a weight among the parameters": (
        "loss:\n  sum:\n    a: {name: dice_loss, params: {weight: 0.5}}",
        ("unknown-parameter", "loss.sum.a.params.weight", 3, 35),
        ["dice_loss has no parameter 'weight'", "'weight' stands beside 'params', not under it"],
    ),
    "a negative weight": (
        "loss:\n  sum:\n    a: {name: dice_loss, weight: -1}",
        ("out-of-range", "loss.sum.a.weight", 3, 34),
        ["weight must be >= 0, not -1"],
    ),
    "a list of terms": (
        "loss:\n  sum:\n    - dice_loss\n    - focal_loss",
        ("wrong-type", "loss.sum", 3, 5),
        ["a mapping of terms", "write sum: {dice: dice_loss, focal: focal_loss}"],
    ),
    "a list of terms of several forms": (
        "loss:\n  sum: [dice_loss, {name: focal_loss}, {type: FocalLoss, weight: 2, params: {gamma: 1}}, x]",
        ("wrong-type", "loss.sum", 2, 8),
        [
            "write sum: {dice: dice_loss, focal: {name: focal_loss}, focal_3: {name: FocalLoss,",
            "weight: 2, params: {...}}, x: x}",
        ],
    ),
    "a list of losses": (
        "loss: [dice_loss, focal_loss]",
        ("wrong-type", "loss", 1, 7),
        ["write {sum: {dice: dice_loss, focal: focal_loss}}"],
    ),
    "one loss in the place of terms": (
        "loss:\n  sum: dice_loss",
        ("wrong-type", "loss.sum", 2, 8),
        ["write sum: {dice: dice_loss}"],
    ),
    "a list under a key of its own": (
        "loss:\n  sum:\n    terms: [dice_loss, focal_loss]\n    weights: [1, 2]",
        ("unexpected-key", "loss.sum.terms", 3, 5),
        ["write sum: {dice: dice_loss, focal: focal_loss}"],
    ),
    "weights beside the terms": (
        "loss:\n  sum: {a: dice_loss, b: focal_loss}\n  weights: {a: 0.7, b: 0.3}",
        ("misplaced-key", "loss.weights", 3, 3),
        ["'weights' has no meaning beside 'sum'", "write sum: {a: {name: ..., weight: 0.7}}"],
    ),
    "weights beside the terms of a term": (
        "loss:\n  sum:\n    a: {sum: {b: dice_loss}, weights: [0.7]}",
        ("misplaced-key", "loss.sum.a.weights", 3, 30),
        ["write sum: {b: {name: ..., weight: 0.7}}"],
    ),
    "a weight among the terms": (
        "loss:\n  sum: {a: dice_loss, weight: 0.5}",
        ("wrong-type", "loss.sum.weight", 2, 31),
        ["a weight stands inside the term that it is for: {KEY: {name: ..., weight: 0.5}}"],
    ),
    "a number in brackets": (
        "loss: {name: focal_loss, params: {gamma: [2]}}",
        ("wrong-type", "loss.params.gamma", 1, 42),
        ["write 2, without brackets"],
    ),
    "null for the word none": (
        "loss: {name: focal_loss, params: {reduction: null}}",
        ("wrong-type", "loss.params.reduction", 1, 46),
        ["write 'none'"],
    ),
    "an interpolated name": (
        "loss: ${loss_name}",
        ("unknown-loss", "loss", 1, 7),
        ["nothing is interpolated here"],
    ),
    "an interpolated value": (
        "loss: {name: focal_loss, params: {gamma: '${a.gamma}'}}",
        ("wrong-type", "loss.params.gamma", 1, 42),
        ["nothing is interpolated here"],
    ),
    "a loss deep in another file": (
        "lr: 1\nmodel: {arch: {name: unet}, loss: {name: dice_loss}}",
        ("missing-name", "", 1, 1),
        ["it may stand at model.loss: choose it by key='model.loss' in Python, or --key model.loss"],
    ),
    "a version of the future": (
        "version: 2\nloss: dice_loss",
        ("unsupported-version", "version", 1, 10),
        ["write version: 1"],
    ),
    "the name of an anchor without its star": (
        "defs: {a: &a {name: dice_loss}}\nloss: {name: dice_loss, params: {<<: a}}",
        ("bad-merge", "loss.params.'<<'", 2, 34),
        ["write <<: *a"],
    ),
    "an import path": (
        "loss: {_target_: torch.nn.BCELoss}",
        ("unexpected-key", "loss._target_", 1, 8),
        ["'_target_'", "'name'"],
    ),
    "a key twice": (
        "loss:\n  name: dice_loss\n  name: focal_loss",
        ("duplicate-key", "loss.name", 3, 3),
        ["'name'", "line 2"],
    ),
    "a broken line": (
        "loss:\n  name: dice_loss\n  params: {smooth: 1",
        ("syntax", "", 3, 21),
        [],
    ),
    "a schedule that nobody has": (
        "loss:\n  sum:\n    a: {name: dice_loss, weight: {schedule: liner, final: 1}}",
        ("unknown-schedule", "loss.sum.a.weight.schedule", 3, 45),
        ["'liner'", "did you mean 'linear'?", "piecewise"],
    ),
    "a deep mistake": (
        "sum:\n  a:\n    name: masked_loss\n    params:\n      inner: {name: dice_loss, params: {smoth: 1}}",
        ("unknown-parameter", "sum.a.params.inner.params.smoth", 5, 41),
        ["did you mean 'smooth'?"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_placed_and_mended(losses, write, mistake):
    """Its code, its path, the line and column, the line itself, what was wrong, and what would be right."""
    text, (code, path, line, column), words = MISTAKES[mistake]
    problems = check(write("loss.yaml", text), registry=losses)
    problem = problems[0]
    assert (problem.code, problem.path, problem.file) == (code, path, "loss.yaml")
    assert (problem.line, problem.column) == (line, column)
    assert problem.line_text.strip() == text.split("\n")[line - 1].strip()
    for word in words:
        assert word in f"{problem.message}\n{problem.hint}"


def test_independent_mistakes_are_told_at_once(losses, write):
    """Four mistakes are four problems, in the order of the file, and nothing was built."""

    @losses.register(name="counted_loss")
    @attrs.define(slots=False)
    class Counted(losses.base_class):
        def __attrs_post_init__(self):
            pytest.fail("was built")

    text = """\
loss:
  sum:
    good: counted_loss
    name: {name: dise_loss}
    parameter: {name: dice_loss, params: {smoth: 1}}
    type: {name: focal_loss, params: {gamma: two}}
    range: {name: focal_loss, params: {gamma: -1}}
"""
    with pytest.raises(ConfigError) as raised:
        build(write("loss.yaml", text), registry=losses)
    assert [(problem.code, problem.line) for problem in raised.value.problems] == [
        ("unknown-loss", 4),
        ("unknown-parameter", 5),
        ("wrong-type", 6),
        ("out-of-range", 7),
    ]


ONE_PROBLEM_EACH = {
    "terms under a key of their own": (
        "loss:\n  sum:\n    terms: {a: dice_loss, b: focal_loss}\n    weights: {a: 1, b: 2}",
        ("unexpected-key", "loss.sum.terms", 3, 5),
        ["'sum' holds the terms themselves", "write sum: {KEY: {name: ..., weight: ...}}"],
    ),
    "params beside the loss": (
        "loss:\n  name: focal_loss\nparams: {gamma: 2}",
        ("misplaced-key", "params", 3, 1),
        ["'params' stands beside 'loss'", "write it under 'loss'"],
    ),
    "a parameter beside the loss": (
        "loss:\n  name: focal_loss\ngamma: 2",
        ("misplaced-key", "gamma", 3, 1),
        ["'gamma' is a parameter of focal_loss", "write params: {gamma: 2} under 'loss'"],
    ),
    "a loss in the place of parameters": (
        "loss:\n  deep_supervision: {name: dice_loss, params: {smooth: 2}}",
        ("missing-parameter", "loss.deep_supervision", 2, 3),
        ["'deep_supervision' holds parameters, and the loss is one", "write deep_supervision: {loss: ...}"],
    ),
    "a name in the place of parameters": (
        "loss:\n  deep_supervision: dice_loss",
        ("missing-parameter", "loss.deep_supervision", 2, 3),
        ["'deep_supervision' holds parameters", "write deep_supervision: {loss: dice_loss}"],
    ),
    "a name as a key": (
        "loss:\n  sum:\n    a:\n      dice_loss: {smooth: 1}",
        ("missing-name", "loss.sum.a.dice_loss", 4, 7),
        ["'dice_loss' is the name of a loss, and stands here as a key", "{name: dice_loss, params: {...}}"],
    ),
    "a key without a value": (
        "loss:\n  sum:\n    dice_loss:",
        ("wrong-type", "loss.sum.dice_loss", 3, 15),
        ["not null", "write dice_loss: dice_loss"],
    ),
    "a bare weight": (
        "loss:\n  sum:\n    dice_loss: 0.5",
        ("wrong-type", "loss.sum.dice_loss", 3, 16),
        ["not 0.5", "write dice_loss: {name: dice_loss, weight: 0.5}"],
    ),
    "a colon without a space, at a name": (
        "loss:\n  name:focal_loss",
        ("unknown-loss", "loss", 2, 3),
        ["'name:focal_loss'", "after the colon of a key comes a space"],
    ),
    "a colon without a space, at a parameter": (
        "loss:\n  name: focal_loss\n  params:\n    gamma:2",
        ("wrong-type", "loss.params", 4, 5),
        ["'gamma:2'", "after the colon of a key comes a space"],
    ),
    "a schedule that is chosen like a loss": (
        "loss:\n  sum:\n    a: {name: dice_loss, weight: {name: linear, final: 1}}",
        ("unexpected-key", "loss.sum.a.weight.name", 3, 35),
        ["write 'schedule:' in its place"],
    ),
    "a schedule whose parameters stand like those of a loss": (
        "loss:\n  sum:\n    a: {name: dice_loss, weight: {schedule: linear, params: {final: 1}}}",
        ("misplaced-key", "loss.sum.a.weight.params", 3, 53),
        ["stand beside 'schedule', not under 'params'", "write {schedule: linear, final: ...}"],
    ),
    "the weight of another tool": (
        "loss: {name: dice_loss, loss_weight: 2}",
        ("misplaced-key", "loss.loss_weight", 1, 25),
        ["a 'loss_weight' has no meaning here", "only a term of a sum, or of heads, has one"],
    ),
    "the weight of another tool, in a term": (
        "loss: {sum: {a: {name: dice_loss, loss_weight: 2}}}",
        ("unexpected-key", "loss.sum.a.loss_weight", 1, 35),
        ["how much a term counts is its 'weight', not 'loss_weight'", "write 'weight:' in its place"],
    ),
}


@pytest.mark.parametrize("mistake", ONE_PROBLEM_EACH)
def test_one_mistake_is_one_problem(composites, write, mistake):
    """What follows from a mistake is not a problem of its own."""
    text, (code, path, line, column), words = ONE_PROBLEM_EACH[mistake]
    (problem,) = check(write("loss.yaml", text), registry=composites)
    assert (problem.code, problem.path, problem.line, problem.column) == (code, path, line, column)
    for word in words:
        assert word in f"{problem.message}\n{problem.hint}"


@pytest.mark.parametrize("key", ["criterion", "objective", "loss_fn"])
def test_what_other_tools_call_the_loss_beside_it(losses, key):
    """Beside ``loss`` it is one key too many, and no misspelling of any other."""
    (problem,) = check({"loss": "dice_loss", key: "focal_loss"}, registry=losses)
    assert (problem.code, problem.path) == ("unexpected-key", key)
    assert problem.message == f"there is no key '{key}' here"


@pytest.mark.parametrize("key", ["_target_", "type", "class_path", "nam"])
def test_a_config_of_another_tool_is_not_taken_for_two_losses(composites, key):
    """Beside what chooses a loss, ``reduction`` is no misspelled ``product``."""
    config = {"loss": {"reduction": "mean", key: "focal_loss"}}
    problems = check(config, registry=composites)
    assert [(problem.code, problem.path) for problem in problems] == [
        ("misplaced-key", "loss.reduction"),
        ("unexpected-key", f"loss.{key}"),
    ]
    assert problems[0].hint == "write params: {reduction: 'mean'}"


def test_parameters_that_lost_their_indentation_are_warned_of(losses):
    """Within a larger file ``params`` beside the loss is not an error, and is probably not meant."""
    config = {"train": {"loss": {"name": "focal_loss"}, "params": {"gamma": 2}, "epochs": 3}}
    (problem,) = check(config, registry=losses, key="train.loss")
    assert (problem.code, problem.path, problem.severity) == ("misplaced-key", "train.params", "warning")
    config["train"]["params"] = {"gamma": 2, "lr": 1}  # of something else
    assert check(config, registry=losses, key="train.loss") == []


@pytest.mark.parametrize(
    ("asked", "guess"),
    [
        ("ce", "cross_entropy_loss"),
        ("gce", "generalized_cross_entropy_loss"),
        ("BCEWithLogitsLoss", "bce_loss"),
        ("torch.nn.BCEWithLogitsLoss", "bce_loss"),
        ("dice_coefficient", "dice_loss"),
        ("bce", "bce_loss"),
    ],
)
def test_abbreviations_and_longer_names_are_understood(losses, asked, guess):
    """The letters with which the words of a name begin stand for it, and so does what begins as it does."""
    for name in ("bce_loss", "cross_entropy_loss", "generalized_cross_entropy_loss"):
        losses.register(type(name, (losses.base_class,), {}), name=name)
    (problem,) = check(asked, registry=losses)
    assert problem.hint.startswith(f"did you mean {guess!r}?")


@pytest.mark.parametrize("version", [2, True, None, "1", [1], {}, b"1"])
def test_another_version_is_refused(problem, version):
    """Whatever stands there is compared without trusting how it compares."""
    assert problem({"version": version, "loss": "dice_loss"}).code == "unsupported-version"
