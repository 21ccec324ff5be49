from __future__ import annotations

import pytest

from lossary_factory import check, load
from lossary_factory._reading.from_toml import find_places

TEXT = """\
version = 1
# the loss
[loss.sum.region]   # a table
name = "dice_loss"
weight = 0.7
params.smooth = 'x'

[loss.sum."pixel"]
name = '''focal_loss'''
params = { gamma = "two", weight = [
    1.0, # first
    "x",
] }
[[other]]
a = 2024-01-01 10:00:00
[[other]]
"b c".d = \"\"\"
text ] = [
\"\"\"
"""


def test_every_key_and_value_has_its_place():
    """Tables, arrays of tables, dotted and quoted keys, inline tables, long arrays: all are found."""
    shown = {}
    for path, place in find_places(TEXT).items():
        span = place.key or place.value
        shown[".".join(map(str, path))] = (TEXT.count("\n", 0, span.start) + 1, TEXT[slice(*span)])
    assert shown == {
        "": (1, ""),
        "version": (1, "version"),
        "loss": (3, "loss"),
        "loss.sum": (3, "sum"),
        "loss.sum.region": (3, "region"),
        "loss.sum.region.name": (4, "name"),
        "loss.sum.region.weight": (5, "weight"),
        "loss.sum.region.params": (6, "params"),
        "loss.sum.region.params.smooth": (6, "smooth"),
        "loss.sum.pixel": (8, '"pixel"'),
        "loss.sum.pixel.name": (9, "name"),
        "loss.sum.pixel.params": (10, "params"),
        "loss.sum.pixel.params.gamma": (10, "gamma"),
        "loss.sum.pixel.params.weight": (10, "weight"),
        "loss.sum.pixel.params.weight.0": (11, "1.0"),
        "loss.sum.pixel.params.weight.1": (12, '"x"'),
        "other": (14, "other"),
        "other.0": (14, "other"),
        "other.0.a": (15, "a"),
        "other.1": (16, "other"),
        "other.1.b c": (17, '"b c"'),
        "other.1.b c.d": (17, "d"),
    }


def test_problems_point_into_the_file(losses, write):
    """A problem in TOML has line and column as one in YAML has."""
    problems = check(write("config.toml", TEXT.partition("[[other]]")[0]), registry=losses)
    assert [(problem.path, problem.line, problem.column) for problem in problems] == [
        ("loss.sum.region.params.smooth", 6, 17),
        ("loss.sum.pixel.params.gamma", 10, 20),
        ("loss.sum.pixel.params.weight[1]", 12, 5),
    ]


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        (
            "[loss]\nname = 'a'\nname = 'b'\n",
            "duplicate-key",
            3,
            "the key 'name' stands here twice, first in line 2",
        ),
        ("[loss]\n[loss]\n", "duplicate-key", 2, "the key 'loss' stands here twice, first in line 1"),
        (
            "loss = {name = 'a', name = 'b'}\n",
            "duplicate-key",
            1,
            "the key 'name' stands here twice, first in line 1",
        ),
        ("loss = \n", "syntax", 1, "Invalid value"),
        ("loss = 'a' 'b'\n", "syntax", 1, "Expected newline or end of document after a statement"),
        ("loss = nothing\n", "syntax", 1, "Invalid value"),
        (f"loss = {'9' * 10_000}\n", "out-of-range", 1, "a number has too many digits"),
        (f"loss = {'[' * 100_000}", "too-deep", 1, "values are nested more than 100 levels deep"),
        (f"loss = {'[' * 150}{']' * 150}", "too-deep", 1, "values are nested more than 100 levels deep"),
        (f"loss = [{'0, ' * 100_001}]", "too-large", 1, "the file holds more than 100,000 values"),
        (f"{'a.' * 100_000}a = 1", "too-deep", 1, "values are nested more than 100 levels deep"),
        (f"x = {{{'a . ' * 100_000}a = 1}}", "too-deep", 1, "values are nested more than 100 levels deep"),
    ],
)
def test_a_text_that_is_not_toml(problem, text, code, line, message):
    """What the parser refuses is one problem with its line; a duplicate key names the first."""
    found = problem(text, suffix=".toml")
    assert (found.code, found.line, found.message) == (code, line, message)


def test_dots_in_values_are_no_nesting(losses, write):
    """A long list of numbers is no long key."""
    numbers = ", ".join(["0.5"] * 500)
    text = f"[loss]\nname = 'focal_loss'\nparams.weight = [{numbers}]\n"
    assert len(load(write("config.toml", text), registry=losses).params["weight"]) == 500


def test_other_ends_of_lines_do_not_move_what_is_wrong(losses, write):
    """TOML ends a line with a newline alone; what else Python takes for an end of a line is text."""
    text = 'a = "\u2028\x85\x0c"\nloss = dice\n'.replace("\x0c", "")
    (problem,) = check(write("loss.toml", text), registry=losses)
    assert (problem.code, problem.line, problem.column) == ("syntax", 2, 8)
