"""Losses of the collection as curves."""

import json
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional

from lossary_factory._command import lossary

README = Path(__file__).parents[2] / "packages/factory/README.md"


def curves(*arguments):
    """Return what a machine is told of a loss."""
    result = CliRunner().invoke(lossary, ["plot", *arguments, "--format=json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def binary(x):
    return functional.binary_cross_entropy_with_logits(x, torch.zeros_like(x), reduction="none")


def multiclass(x):
    logits = torch.stack([torch.zeros_like(x), x], dim=1)
    return functional.cross_entropy(logits, torch.ones(len(x), dtype=torch.int64), reduction="none")


def residual(x):
    return functional.huber_loss(x, torch.zeros_like(x), reduction="none")


@pytest.mark.parametrize(
    ("arguments", "title", "label", "oracle"),
    [
        (["bce_loss", "--target=0"], "bce_loss where the target is 0", "logit", binary),
        (
            ["cross_entropy_loss"],
            "cross_entropy_loss where the target is 1",
            "logit of class 1, the others being 0",
            multiclass,
        ),
        (["huber_loss"], "huber_loss where the target is 0", "residual", residual),
    ],
)
def test_a_loss_and_its_gradient(arguments, title, label, oracle):
    """Value and gradient over one logit or residual are those of torch."""
    value, gradient = curves(*arguments)
    assert (value["title"], value["x_label"]) == (title, label)
    assert gradient["title"] == f"gradient of {title}"
    x = torch.tensor(value["x"], dtype=torch.float64, requires_grad=True)
    expected = oracle(x)
    (slope,) = torch.autograd.grad(expected.sum(), x)
    assert value["y"] == pytest.approx(expected.tolist())
    assert gradient["y"] == pytest.approx(slope.tolist())


def test_the_loss_of_a_config_with_schedules(tmp_path):
    """``--loss`` draws the loss, with the weights of the beginning; without it the schedules are drawn."""
    path = tmp_path / "loss.yaml"
    path.write_text(
        "sum: {a: {name: l1_loss, weight: {schedule: linear, initial: 2, final: 1, end: 9}}}",
        encoding="utf-8",
    )
    (schedule,) = curves(str(path))
    assert schedule["title"] == "a.weight"
    value, _ = curves(str(path), "--loss", "--from=0", "--to=3")
    assert value["y"] == pytest.approx([2 * x for x in value["x"]])


@pytest.mark.parametrize("name", ["heads", "deep_supervision"])
def test_what_is_no_function_of_one_number(name, tmp_path):
    """It is a wrong call, and the loss's own words say why."""
    path = tmp_path / "loss.yaml"
    content = {"heads": "{a: l1_loss}", "deep_supervision": "{loss: l1_loss}"}[name]
    path.write_text(f"{name}: {content}", encoding="utf-8")
    result = CliRunner().invoke(lossary, ["plot", str(path)])
    assert (result.exit_code, f"{name} is no function of one number" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cross_entropy_loss", "--target=0.5"], "a class is a whole number from 0 to 999, not 0.5"),
        (["cross_entropy_loss", "--target=1e9"], "a class is a whole number from 0 to 999, not 1e+09"),
        (["bce_loss", "--from=10"], "the curves would go from 10 to 6: give --from, --to or both"),
        (["bce_loss", "--target=nan"], "bce_loss is no function of one number"),
    ],
)
def test_targets_and_ends_that_make_no_sense(arguments, message):
    """They are wrong calls, and end before anything is drawn or much memory is taken."""
    result = CliRunner().invoke(lossary, ["plot", *arguments])
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_the_page_shows_what_is_drawn(monkeypatch):
    """The README's drawing is the command's."""
    monkeypatch.setenv("COLUMNS", "60")
    shown = re.search(r"\$ COLUMNS=60 lossary (plot .*)\n((?:.*\n)*?)```", README.read_text(encoding="utf-8"))
    assert shown
    result = CliRunner().invoke(lossary, shown[1].split())
    assert result.output.startswith(shown[2])
