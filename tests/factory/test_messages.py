"""The exact text of representative errors: what people read is part of the interface."""

from __future__ import annotations

import json

import pytest

from lossary_factory import ConfigError, Problem, load, validate

TEXT = """\
loss:
  sum:
    region: {name: dice_los, weight: 0.7}
    pixel:
      name: focal_loss
      gamma: 2.0
      params: {gama: 2.0, reduction: avg}
    whole:
      _target_: monai.losses.TverskyLoss
"""

REPORT = """\
6 problems in train.yaml

train.yaml:3:20: error[unknown-loss]: ToyLosses has no loss 'dice_los'
    at loss.sum.region.name
    3 |     region: {name: dice_los, weight: 0.7}
      |                    ^^^^^^^^
    did you mean 'dice_loss'? ToyLosses has: broken_loss, dice_loss, focal_loss, masked_loss, open_loss, \
tversky_loss, weighted_sum

train.yaml:6:7: error[misplaced-key]: 'gamma' is a parameter of focal_loss and stands outside 'params'
    at loss.sum.pixel.gamma
    6 |       gamma: 2.0
      |       ^^^^^
    write params: {gamma: 2.0}

train.yaml:7:16: error[unknown-parameter]: focal_loss has no parameter 'gama'
    at loss.sum.pixel.params.gama
    7 |       params: {gama: 2.0, reduction: avg}
      |                ^^^^
    did you mean 'gamma'? focal_loss takes: gamma, alpha, weight, reduction

train.yaml:7:38: error[wrong-type]: reduction must be 'none', 'mean' or 'sum', not 'avg'
    at loss.sum.pixel.params.reduction
    7 |       params: {gama: 2.0, reduction: avg}
      |                                      ^^^

train.yaml:9:7: error[unexpected-key]: a loss is chosen with 'name', not '_target_'
    at loss.sum.whole._target_
    9 |       _target_: monai.losses.TverskyLoss
      |       ^^^^^^^^
    write 'name:' in its place

train.yaml:9:17: error[unknown-loss]: ToyLosses has no loss 'monai.losses.TverskyLoss'
    at loss.sum.whole._target_
    9 |       _target_: monai.losses.TverskyLoss
      |                 ^^^^^^^^^^^^^^^^^^^^^^^^
    did you mean 'tversky_loss'? ToyLosses has: broken_loss, dice_loss, focal_loss, masked_loss, open_loss, \
tversky_loss, weighted_sum
    a config names what is registered; it never imports"""


def test_a_report_of_a_file(losses, write):
    """A file's problems come in the order of its lines, each with its place, its line and its mend."""
    with pytest.raises(ConfigError) as caught:
        load(write("train.yaml", TEXT), registry=losses)
    assert str(caught.value) == REPORT


def test_a_report_of_a_mapping(losses):
    """A config that came from no file has paths, and no lines."""
    with pytest.raises(ConfigError) as caught:
        validate({"name": "focal_loss", "params": {"gamma": -1}}, registry=losses)
    assert str(caught.value) == (
        "1 problem in the config\n\nerror[out-of-range]: gamma must be >= 0, not -1\n    at params.gamma"
    )


@pytest.mark.parametrize(
    ("config", "message", "hint"),
    [
        (
            {"name": "tversky_loss", "params": {"alpha": 1}},
            "tversky_loss needs the parameter 'beta'",
            "write beta under 'params'; it must be a number",
        ),
        (
            {"dice_loss": {"smooth": 1}},
            "'dice_loss' is the name of a loss, and stands here as a key",
            "write {name: dice_loss, params: {...}}",
        ),
        (
            {"model": {}, "optimizer": {}},
            "the config names no loss: it has neither 'loss' nor 'name'",
            "it has: model, optimizer; a loss is written {name: ..., params: ...} or {sum: ...}",
        ),
        (
            {"name": "focal_loss", "weight": [1, 2]},
            "a 'weight' has no meaning here",
            (
                "only a term of a sum, or of heads, has one: {sum: {KEY: {name: ..., weight: ...}}}\n"
                "the parameter of focal_loss with this name stands under 'params'"
            ),
        ),
        (
            {"sum": {"a": {"name": "dice_loss", "params": {"weight": 2}}}},
            "dice_loss has no parameter 'weight'",
            (
                "dice_loss takes: smooth, mode\n"
                "as a key of the loss itself, 'weight' stands beside 'params', not under it"
            ),
        ),
        (
            {"name": "dice_loss", "params": [1]},
            "params must be a mapping of parameters of dice_loss, not a list",
            "write each by its name, such as {NAME: value}; dice_loss takes: smooth, mode",
        ),
        (
            {"sum": ["dice_loss"]},
            "sum must be a mapping of terms, not a list",
            "give each loss a key: write sum: {dice: dice_loss}",
        ),
        (
            {"name": "dice_loss", "parms": {}},
            "there is no key 'parms' here",
            "did you mean 'params'? the keys here are: name, params",
        ),
        (
            "FocalLos",
            "ToyLosses has no loss 'FocalLos'",
            (
                "did you mean 'focal_loss'? ToyLosses has: broken_loss, dice_loss, focal_loss, masked_loss, "
                "open_loss, tversky_loss, weighted_sum"
            ),
        ),
    ],
)
def test_a_message_says_what_is_wrong_and_its_hint_what_to_do(problem, config, message, hint):
    """The message is one sentence; the hint names the mend, and the alternatives where there are some."""
    found = problem(config)
    assert (found.message, found.hint) == (message, hint)


def test_an_empty_list_of_parameters_is_said(problem, losses):
    """A loss without parameters does not list them."""

    @losses.register(name="bare_loss")
    class Bare(losses.base_class):
        def __init__(self) -> None:
            pass

    assert problem({"name": "bare_loss", "params": {"size": 1}}).hint == "bare_loss takes no parameters"


def test_enormous_values_are_not_repeated(problem):
    """A message stays short, whatever the config holds."""
    for value in ("x" * 10**6, 10**5000, [0] * 10**5, {"x" * 10**6: 1}):
        assert len(str(problem({"name": "focal_loss", "params": {"gamma": value}}))) < 300
    assert len(str(problem({"name": "focal_loss", "params": {"x" * 10**6: 1}}))) < 400


def test_a_problem_without_a_place():
    """A problem with neither file nor path is one line."""
    assert str(Problem("some-code", "something is wrong")) == "error[some-code]: something is wrong"


def test_problems_as_json(losses, write):
    """A machine gets every part of a problem by name."""
    with pytest.raises(ConfigError) as caught:
        load(write("train.yaml", "loss: dice_los\n"), registry=losses)
    (problem,) = json.loads(caught.value.to_json())
    assert problem.pop("hint").startswith("did you mean 'dice_loss'? ")
    assert problem == {
        "code": "unknown-loss",
        "message": "ToyLosses has no loss 'dice_los'",
        "path": "loss",
        "file": "train.yaml",
        "line": 1,
        "column": 7,
        "line_text": "loss: dice_los",
        "caret": "      ^^^^^^^^",
        "severity": "error",
    }


def test_problems_as_annotations():
    """GitHub gets one line for each problem, whatever characters it holds."""
    problem = Problem("code", "50% wrong:\nhere", hint="try, again", file="a,b:c.yaml", line=2, column=3)
    bare = Problem("other", "odd", severity="warning")
    assert ConfigError([problem, bare]).to_github() == (
        "::error file=a%2Cb%3Ac.yaml,line=2,col=3,title=code::50%25 wrong:%0Ahere%0Atry, again\n"
        "::warning title=other::odd"
    )


def test_names_of_files_do_not_act_on_the_terminal(losses, write):
    """A file may be called anything: no form of a report holds a control character of its name."""
    with pytest.raises(ConfigError) as caught:
        load(write("a\x1b[2J\x9b\nb.yaml", "loss: dise_loss"), registry=losses)
    for text in (str(caught.value), caught.value.to_github()):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert str(caught.value).startswith("1 problem in a\N{REPLACEMENT CHARACTER}[2J")
    spec = load(write("c\x1b.yaml", "loss: broken_loss"), registry=losses)
    with pytest.raises(RuntimeError) as raised:
        spec.build()
    assert "\x1b" not in str(getattr(raised.value, "__notes__", raised.value))
