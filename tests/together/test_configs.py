"""Configs of the real collection: every loss can be named, built, described and written back."""

import pytest
import torch
from click.testing import CliRunner
from torch import nn
from torch.testing import assert_close

from lossary_factory import ConfigError, build, check, to_config, validate
from lossary_factory._command._commands import lossary
from lossary_losses import DiceLoss, FocalLoss, Heads, Loss, WeightedSum, loss_registry

COMPOSITES = {
    "weighted_sum": {"sum": {"a": "dice_loss", "b": {"name": "bce_loss", "weight": 0.5}}},
    "product": {"product": {"a": "dice_loss", "b": "bce_loss"}},
    "heads": {"heads": {"seg": "bce_loss", "depth": {"name": "l1_loss", "weight": 0.1}}},
    "deep_supervision": {"deep_supervision": {"loss": "bce_loss", "weights": [1.0, 0.5]}},
}


@pytest.fixture(params=loss_registry.list())
def config(request):
    """A config that names each loss of the collection, or builds each composite."""
    return COMPOSITES.get(request.param, {"name": request.param})


def test_every_loss_is_built_by_name(config):
    """Without parameters, or with terms, each loss is built."""
    loss = build(config)
    assert isinstance(loss, nn.Module)
    assert isinstance(loss, Loss)


def test_every_loss_is_written_back(config):
    """A built loss gives a config that builds the same loss again."""
    loss = build(config)
    assert repr(build(to_config(loss))) == repr(loss)


@pytest.mark.parametrize("name", loss_registry.list())
def test_every_loss_is_shown(name):
    """The command describes each loss, with an example."""
    result = CliRunner().invoke(lossary, ["show", name])
    assert result.exit_code == 0, result.output
    assert "Example" in result.output


def test_class_weights_from_a_config():
    """A list of numbers becomes the buffer of class weights."""
    loss = build({"name": "dice_loss", "params": {"weight": [0, 1, 2]}})
    assert loss.weight.tolist() == [0.0, 1.0, 2.0]


def test_what_the_constructor_would_refuse_is_a_problem():
    """Options out of their bounds are reported with all other mistakes, before anything is built."""
    problems = check(
        {
            "sum": {
                "a": {"name": "focal_loss", "params": {"gamma": -1, "alpha": 2, "gama": 1}},
                "b": {"name": "dice_loss", "params": {"weight": [1, -1], "empty": "zeros"}},
            }
        }
    )
    assert [(problem.code, problem.path) for problem in problems] == [
        ("out-of-range", "sum.a.params.gamma"),
        ("out-of-range", "sum.a.params.alpha"),
        ("unknown-parameter", "sum.a.params.gama"),
        ("invalid-value", "sum.b.params.weight"),
        ("wrong-type", "sum.b.params.empty"),
    ]


def test_a_config_cannot_hold_a_process_group():
    """What is no matter of configuration is refused like any wrong value."""
    with pytest.raises(ConfigError, match="process_group"):
        validate({"name": "dice_loss", "params": {"process_group": "world"}})


def test_the_whole_grammar(tmp_path):
    """Definitions, heads, sums, schedules and selectors make one loss that trains."""
    path = tmp_path / "loss.yaml"
    path.write_text(
        """\
version: 1
defs:
  soft: {name: focal_loss, params: {gamma: 1.5}}
loss:
  heads:
    seg:
      sum:
        pixel: {use: soft, weight: {schedule: warm_up, final: 1.0, end: 100}}
        region: dice_loss
    depth: {name: l1_loss, weight: 0.2, inputs: {target: target.metres}}
""",
        encoding="utf-8",
    )
    loss = build(path)
    assert isinstance(loss, Heads)
    loss.set_progress(step=50)
    output = {"seg": torch.zeros(1, 1, 4, requires_grad=True), "depth": torch.ones(2)}
    truth = {"seg": torch.ones(1, 1, 4), "metres": torch.zeros(2)}
    by_hand = WeightedSum({"pixel": FocalLoss(gamma=1.5), "region": DiceLoss()}, weights={"pixel": 0.5})
    total = loss(output, truth)
    assert_close(total, by_hand(output["seg"], truth["seg"]) + 0.2)
    total.backward()
    assert output["seg"].grad.isfinite().all()
