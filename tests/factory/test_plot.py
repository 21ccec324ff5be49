"""``lossary plot``: schedules as curves, drawn with characters. What needs torch is tested elsewhere."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from lossary_factory import _collections
from lossary_factory._command import call, group
from lossary_factory._command.curves.drawing import Curve, draw, spaced
from lossary_factory._command.verbs import plot as verb

CONFIG = """\
loss:
  sum:
    a: {name: broken_loss, weight: {schedule: linear, final: 0.5, end: 8}}
    b: {name: dice_loss, weight: 2}
    c:
      name: masked_loss
      params:
        inner: {sum: {d: {name: dice_loss, weight: {schedule: linear, final: 1, end: 40, unit: epoch}}}}
"""


@pytest.fixture
def plot(losses, monkeypatch):
    """Return a function that calls the verb on the toys."""
    monkeypatch.setattr(call, "installed_registry", lambda _collection: losses)
    monkeypatch.setenv("COLUMNS", "60")
    return lambda *arguments: CliRunner().invoke(group.lossary, ["plot", *arguments], prog_name="lossary")


@pytest.fixture
def schedules():
    """Return the registry of the toy schedules, to add some for one test."""
    (entry,) = _collections._part_entries()
    with entry.load().isolated():
        yield entry.load()


def rows(result):
    """Return the lines of one drawing that the curve is on, without what stands left of the bar."""
    assert result.exit_code == 0, result.output
    return [line.partition("|")[2] for line in result.output.splitlines() if "|" in line]


def test_each_schedule_is_a_curve(plot, write):
    """Machines get the points of each, under the name of its term, from nothing to a little after its end."""
    result = plot(write("loss.yaml", CONFIG), "--format=json")
    a, d = json.loads(result.output)
    assert (a["title"], a["x_label"]) == ("a.weight", "steps")
    assert (d["title"], d["x_label"]) == ("c.inner.d.weight", "epochs")
    assert (a["x"][0], a["x"][-1]) == (0, pytest.approx(8.8, rel=1e-2))
    assert a["y"] == [0.5 * min(x / 8, 1) for x in a["x"]]
    assert d["x"][-1] == pytest.approx(44, rel=1e-2)


def test_ends_are_chosen(plot, write):
    """``--from`` and ``--to`` are the ends of all curves."""
    found = json.loads(plot(write("loss.yaml", CONFIG), "--from=2", "--to=6", "--format=json").output)
    assert [(curve["x"][0], curve["x"][-1]) for curve in found] == [(2, 6), (2, 6)]


def test_a_drawing_fits_the_terminal(plot, write):
    """No line is longer than the terminal is wide, and each drawing names its ends."""
    lines = plot(write("loss.yaml", CONFIG)).output.splitlines()
    assert max(map(len, lines)) == 60
    assert lines[0] == "a.weight"
    assert lines[1].startswith("0.5 ")
    assert lines[8].startswith("  0 ")
    assert lines[10].split() == ["0", "steps", "8.8"]


def test_a_terminal_without_braille(plot, write, monkeypatch):
    """Where the finer characters cannot be shown, a drawing is made of ASCII."""
    monkeypatch.setattr(verb, "_has_braille", lambda: False)
    result = plot(write("loss.yaml", CONFIG), "--to=8")
    assert result.output.isascii()
    drawn = rows(result)[:8]
    assert [line.find("*") for line in drawn] == sorted((line.find("*") for line in drawn), reverse=True)
    assert drawn[-1].startswith("*")


def test_a_schedule_without_end_asks_for_one(plot, write, schedules):
    """It is a wrong call, and the message says what to add."""

    @schedules.register(name="wave")
    @attrs.frozen(kw_only=True)
    class Wave(schedules.base_class):
        def at(self, progress):
            return math.sin(progress) ** 2

    file = write("loss.yaml", "sum: {a: {name: dice_loss, weight: {schedule: wave}}}")
    result = plot(file)
    assert (result.exit_code, "a.weight changes without end" in result.output) == (2, True)
    assert plot(file, "--to=10").exit_code == 0


def test_a_schedule_that_raises_is_reported(plot, write, schedules):
    """What a schedule of one's own raises is told without a traceback, and ends with one."""

    @schedules.register(name="late")
    @attrs.frozen(kw_only=True)
    class Late(schedules.base_class):
        def at(self, progress):
            raise RuntimeError("not yet")

    result = plot(write("loss.yaml", "sum: {a: {name: dice_loss, weight: {schedule: late}}}"))
    assert (result.exit_code, result.output) == (1, "error[schedule]: RuntimeError: not yet\n")


def test_a_wrong_config_ends_with_one(plot, write):
    """Its problems are reported; machines get nothing on the output that is no JSON."""
    file = write("bad.yaml", "dise_loss")
    assert (plot(file).exit_code, plot(file, "--format=json").stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dise_loss"], "did you mean 'dice_loss'?"),
        (["dice_loss"], "dice_loss is no module of torch"),
        (["loss.yaml", "--from=2", "--to=1"], "--from must be less than --to"),
        (["loss.yaml", "--to=nan"], "--from and --to must be finite"),
        (["loss.yaml", "--output=loss.gif"], "loss.gif must end in .png, .svg, .pdf"),
        (["loss.yaml", "--output=loss.png", "--format=json"], "choose one"),
    ],
)
def test_calls_that_make_no_sense(plot, write, arguments, message):
    """They end with two, and say why."""
    write("loss.yaml", CONFIG)
    result = plot(*arguments)
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_without_matplotlib_the_extra_is_named(plot, write, monkeypatch):
    """A picture needs it, and the message says how to get it; no file is made."""
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = plot(write("loss.yaml", CONFIG), "--output=loss.png")
    assert (result.exit_code, "pip install 'lossary-factory[plot]'" in result.output) == (2, True)
    assert not Path("loss.png").exists()


def test_a_straight_line_is_drawn_straight():
    """Every column of dots has its dot where the line is, computed by hand for two rows of eight dots."""
    x = spaced(0, 7, 8)
    title, upper, lower, frame, ends = draw(Curve("line", "x", x, x), 25, 2)
    assert title == "line"
    assert (upper[:3], lower[:3]) == ("7 │", "0 │")
    dots = upper[3:].ljust(22) + lower[3:].ljust(22)
    assert dots[0] == " "
    assert ord(dots[22]) - 0x2800 == 0x40 | 0x80  # the lowest row, both columns
    assert ord(dots[21]) - 0x2800 == 0x01 | 0x08  # the highest row, both columns
    assert frame == "  └" + "─" * 22
    assert ends == "   0" + "x".center(20) + "7"


@pytest.mark.parametrize("y", [[math.nan] * 3, [1.0] * 3, [math.inf, 1.0, -math.inf], [1e300, -1e300, 0.0]])
def test_odd_heights_are_drawn(y):
    """A level line, gaps and enormous heights make a drawing of the same size."""
    lines = list(draw(Curve("odd", "x", spaced(0, 1, 3), tuple(y)), 40, 4, plain=True))
    assert len(lines) == 7
    assert max(map(len, lines)) <= 40


def test_json_has_null_for_what_is_not_finite(plot, write, schedules):
    """JSON knows neither NaN nor infinity."""

    @schedules.register(name="pole")
    @attrs.frozen(kw_only=True)
    class Pole(schedules.base_class):
        def at(self, progress):
            return math.inf if progress < 1 else 1.0

    file = write("loss.yaml", "sum: {a: {name: dice_loss, weight: {schedule: pole}}}")
    (curve,) = json.loads(plot(file, "--to=2", "--format=json").output)
    assert curve["y"][0] is None
    assert curve["y"][-1] == 1
