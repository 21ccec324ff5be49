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
        ["a mapping of terms", "give each loss a key: sum: {first: ..., second: ...}"],
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
