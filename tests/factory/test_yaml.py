from __future__ import annotations

import math
import sys

import pytest
import yaml

from lossary_factory import build, check
from lossary_factory._problems.source import Source
from lossary_factory._reading import from_yaml
from lossary_factory._reading.complaints import Complaints


def read(text):
    complaints = Complaints(Source("config.yaml", text, from_yaml.find_places))
    data = from_yaml.parse(text, complaints)
    assert complaints.problems == []
    return data


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request, monkeypatch):
    """Run every test with libyaml and without it."""
    monkeypatch.setattr(
        from_yaml, "_Parser", getattr(yaml, {"C": "CSafeLoader", "Python": "SafeLoader"}[request.param])
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("+1.", 1.0),
        ("3", 3),
        ("-0", 0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("2024-01-01", "2024-01-01"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("+", "+"),
        ("...x", "...x"),
        ("=", "="),
        ("1e", "1e"),
        ("0b1", "0b1"),
        ("|\n  text\n", "text\n"),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    """Plain scalars are read by the core schema of YAML 1.2; quoted ones are text."""
    (result,) = read(f"key: {text}").values()
    assert result == value
    assert type(result) is type(value)


def test_nan_is_a_number():
    """``.nan`` is read as such; it is up to the parameter to refuse it."""
    assert math.isnan(read("[.nan]")[0])


def test_aliases_are_copies():
    """What an alias stands for is not shared with its anchor."""
    data = read("a: &x {b: [1]}\nc: *x\n")
    assert data == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert data["a"]["b"] is not data["c"]["b"]


def test_merges_give_way_to_what_is_said():
    """``<<`` fills in what the mapping does not have; the first of several mappings wins."""
    data = read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n")
    assert data["c"] == {"x": 3, "y": 1, "z": 2}


def test_a_quoted_merge_key_is_a_key():
    """Only the plain ``<<`` merges."""
    assert read("'<<': 1") == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("loss: [", "syntax", 1, 8),
        ("loss:\n\tname: dice_loss", "syntax", 2, 1),
        ("loss: dice_loss\n---\nloss: dice_loss", "several-documents", 2, 1),
        ("loss: *nothing", "syntax", 1, 7),
        ("loss: &a [*a]", "alias-cycle", 1, 11),
        ("loss: &a {b: {c: *a}}", "alias-cycle", 1, 18),
        ("? [a]\n: b", "bad-key", 1, 3),
        ("? {a: 1}\n: b", "bad-key", 1, 3),
        ("loss: a\x01b", "syntax", 1, 8),
        ("[" * 200_000, "too-deep", 1, 101),
        ("- " * 200_000, "too-deep", 1, 201),
        ("{a: " * 100_000, "too-deep", 1, 401),
        ("\n".join(" " * depth + "a:" for depth in range(400)), "too-deep", 101, 101),
    ],
)
def test_a_text_that_makes_no_sense(problem, text, code, line, column):
    """A text that cannot be read to its end is one problem, where it stops making sense."""
    found = problem(text, suffix=".yaml")
    assert (found.code, found.line) == (code, line), found
    assert abs(found.column - column) <= 1, found.column


def test_tabs_are_explained(problem):
    """Of all mistakes in YAML the most common one gets a sentence of its own."""
    assert problem("loss:\n\tname: x", suffix=".yaml").hint == "YAML is indented with spaces, never with tabs"


def test_duplicate_keys_name_the_first_line(problem):
    """A key that stands twice is refused; the first of the two counts."""
    found = problem("loss:\n  name: dice_loss\n  params: {}\n  name: focal_loss\n", suffix=".yaml")
    assert (found.code, found.path, found.line, found.column) == ("duplicate-key", "loss.name", 4, 3)
    assert found.message == "the key 'name' stands here twice, first in line 2"


def test_reading_goes_on_after_a_duplicate_key(losses, write):
    """What is wrong elsewhere in the file is reported with it, the first value of the key included."""
    text = "loss:\n  name: focal_loss\n  params: {alpha: 2, alpha: 3, gama: 1}\n"
    problems = check(write("config.yaml", text), registry=losses)
    assert [(problem.code, problem.column) for problem in problems] == [
        ("out-of-range", 19),
        ("duplicate-key", 22),
        ("unknown-parameter", 32),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss: !!python/object/apply:os.system ['true']", "!!python/object/apply:os.system"),
        ("loss: {name: !!python/name:os.system dice_loss}", "!!python/name:os.system"),
        ("loss: {!!str name: dice_loss}", "!!str"),
        ("loss: !custom dice_loss", "!custom"),
    ],
)
def test_tags_are_refused(losses, write, text, shown):
    """Whatever a tag asks for, it is not done."""
    before = set(sys.modules)
    problems = check(write("config.yaml", text), registry=losses)
    assert problems[0].code == "tag-not-allowed"
    assert problems[0].message == f"the tag '{shown}' is not allowed: a config is plain data"
    assert set(sys.modules) == before


def test_an_alias_bomb_is_refused_at_once(problem):
    """Aliases count in full, so that nine lines cannot stand for a billion values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]"
        for last, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert problem("\n".join(lines), suffix=".yaml").code == "too-large"


def test_an_endless_number_is_a_problem(problem):
    """Python refuses to read more than some thousands of digits."""
    found = problem(f"loss: {{name: focal_loss, params: {{gamma: {'9' * 100_000}}}}}", suffix=".yaml")
    assert (found.code, found.path) == ("out-of-range", "loss.params.gamma")
    assert len(str(found)) < 1000


@pytest.mark.parametrize(
    ("text", "path", "line", "column", "caret"),
    [
        ("loss:\n  name: dice_loss\n  params:\n    smoth: 1\n", "loss.params.smoth", 4, 5, "^^^^^"),
        ("loss:\n  name: dice_loss\n  params:\n    smooth: 'x'\n", "loss.params.smooth", 4, 13, "^^^"),
        ("loss:\n  name: dice_loss\n  params: [1,\n    2]\n", "loss.params", 3, 11, "^^^"),
        ("loss: {name: tversky_loss, params: {alpha: 1}}", "loss.params.beta", 1, 28, "^^^^^^"),
        ("loss: {name: focal_loss, params: {weight: [1, x]}}", "loss.params.weight[1]", 1, 47, "^"),
        ("loss:\n  <<: {name: focal_loss}\n  weight: 2", "loss.weight", 3, 3, "^^^^^^"),
        ("loss: {<<: {name: focal_los}}", "loss.name", 1, 19, "^^^^^^^^^"),
        ("# \U0001f600\nloss: {name: '\U0001f600'}", "loss.name", 2, 14, "^^^"),
    ],
)
def test_the_caret_is_under_what_is_wrong(problem, text, path, line, column, caret):  # noqa: PLR0917  # one column of the table each
    """A wrong key is marked, or a wrong value; of what is missing, the place where it should be."""
    found = problem(text, suffix=".yaml")
    assert (found.path, found.line, found.column, found.caret.strip()) == (path, line, column, caret)


def test_a_very_long_line_is_cropped(problem):
    """A line too wide for any terminal is shown around its mistake."""
    found = problem(f"loss: {{name: focal_loss, params: {{weight: [{'1, ' * 5000}x]}}}}", suffix=".yaml")
    assert len(found.line_text) <= 120
    assert found.line_text[found.caret.index("^")] == "x"


def test_control_characters_are_not_printed(problem):
    """A file cannot send commands to the terminal that shows it."""
    found = problem('loss: "\\e]0;x" # \u009b2J', suffix=".yaml")
    assert "\x1b" not in str(found)
    assert "\x9b" not in str(found)


def test_numbers_as_people_write_them(losses, write):
    """``1e-3`` is a number, so it can be a parameter."""
    config = write("config.yaml", "loss: {name: dice_loss, params: {smooth: 1e-3}}")
    assert build(config, registry=losses).smooth == 0.001


ANCHORED = """\
shared: &shared
  gamma: "2"
  gama: 1
  alpha: &alpha 7
train:
  loss:
    sum:
      a: {name: focal_loss, params: *shared}
      b: {name: focal_loss, params: {<<: *shared}}
      c: {name: focal_loss, params: {<<: [*shared], alpha: 0.5}}
      d: {name: focal_loss, params: {alpha: *alpha, gamme: *alpha}}
"""


def test_what_is_wrong_in_an_anchored_value_is_shown_once_where_it_is_written(losses, write):
    """There it has to be mended, whatever uses it; a wrong key beside an alias is shown beside the alias."""
    problems = check(write("a.yaml", ANCHORED), registry=losses, key="train.loss")
    assert [(problem.line, problem.column, problem.code) for problem in problems] == [
        (2, 10, "wrong-type"),
        (3, 3, "unknown-parameter"),
        (4, 10, "out-of-range"),
        (11, 53, "unknown-parameter"),
    ]


def test_what_an_anchored_value_lacks_is_shown_at_its_own_key(losses, write):
    """Nothing is missing at the alias: the value that it stands for is too short."""
    text = "sum:\n  a: &a {name: tversky_loss, params: {alpha: 1}}\n  b: *a\n"
    (problem,) = check(write("a.yaml", text), registry=losses)
    assert (problem.code, problem.line) == ("missing-parameter", 2)
