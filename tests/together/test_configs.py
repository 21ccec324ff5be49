"""Configs of the real collection: every loss can be named, built, described and written back."""

import pytest
import torch
from click.testing import CliRunner
from torch import nn
from torch.testing import assert_close

from lossary_factory import ConfigError, build, check, to_config, validate
from lossary_factory._command import lossary
from lossary_losses import DiceLoss, FocalLoss, Heads, Loss, Masked, WeightedSum, loss_registry

COMPOSITES = {
    "weighted_sum": {"sum": {"a": "dice_loss", "b": {"name": "bce_loss", "weight": 0.5}}},
    "product": {"product": {"a": "dice_loss", "b": "bce_loss"}},
    "heads": {"heads": {"seg": "bce_loss", "depth": {"name": "l1_loss", "weight": 0.1}}},
    "deep_supervision": {"deep_supervision": {"loss": "bce_loss", "weights": [1.0, 0.5]}},
    "permutation_invariant": {"permutation_invariant": {"loss": "si_sdr_loss"}},
    "matched": {
        "matched": {
            "terms": {"boxes": "giou_loss", "labels": "cross_entropy_loss"},
            "weights": {"boxes": 2.0},
            "costs": {"boxes": "giou_loss"},
            "unmatched": {"labels": 1},
        }
    },
    "masked": {"name": "masked", "params": {"loss": {"name": "l1_loss"}, "ignore_index": 255}},
}
COUNTED = {"class_counts": [900, 90, 10]}
WITH_PARAMETERS = {
    "class_balanced_loss": COUNTED,
    "ldam_loss": COUNTED,
    "logit_adjusted_loss": COUNTED,
    "dr_grpo_loss": {"max_length": 1024},
    "denoising_loss": {"prediction": "noise"},
    "keypoint_similarity_loss": {"sigmas": [0.1, 0.2]},
}
NEEDING = {name: {"name": name, "params": params} for name, params in WITH_PARAMETERS.items()}


@pytest.fixture(params=loss_registry.list())
def config(request):
    """A config that names each loss of the collection, with what it cannot do without."""
    return {**COMPOSITES, **NEEDING}.get(request.param, {"name": request.param})


def test_every_loss_is_built_by_name(config):
    """Without parameters, or with terms or counts, each loss is built."""
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


def test_a_mask_around_a_loss():
    """Any loss of the collection, wrapped, leaves out what a config says."""
    loss = build({"name": "masked", "params": {"loss": {"name": "l1_loss"}, "ignore_index": 255}})
    assert isinstance(loss, Masked)
    assert_close(loss(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 255.0])), torch.tensor(3.0))
    nested = {"name": "masked", "params": {"loss": COMPOSITES["weighted_sum"], "ignore_index": 255}}
    target = torch.tensor([[[1.0, 255.0, 0.0]]])
    assert build(nested)(torch.zeros(1, 1, 3), target).isfinite()
    problems = check({"name": "masked", "params": {"loss": {"name": "l1_los"}, "ignore_nan": "yes"}})
    assert [(problem.code, problem.path) for problem in problems] == [
        ("unknown-loss", "params.loss.name"),
        ("wrong-type", "params.ignore_nan"),
    ]


def test_the_variance_of_a_head():
    """A head's loss finds what it takes beyond input and target by selectors."""
    inputs = {"input": "input.mean", "target": "target.metres", "var": "input.variance"}
    loss = build({"heads": {"depth": {"name": "gaussian_nll_loss", "inputs": inputs}}})
    output = {"mean": torch.tensor([1.0, 2.0]), "variance": torch.tensor([1.0, 4.0])}
    truth = torch.tensor([1.0, 4.0])
    expected = torch.nn.GaussianNLLLoss()(output["mean"], truth, output["variance"])
    assert_close(loss(output, {"metres": truth}), expected)


def test_a_shape_of_minus_infinity(tmp_path):
    """A config may hold the one infinity that a loss has a meaning for, and no other."""
    path = tmp_path / "loss.yaml"
    path.write_text("loss: {name: adaptive_robust_loss, params: {alpha: -.inf}}\n", encoding="utf-8")
    loss = build(path)
    assert loss.alpha == -float("inf")
    assert build(to_config(loss)).alpha == loss.alpha
    for value in (float("inf"), float("nan"), True, "low"):
        assert check({"name": "adaptive_robust_loss", "params": {"alpha": value}})


def test_bounds_of_counts_and_channels():
    """What is out of its bounds is a problem before anything is built."""
    codes = {
        problem.path: problem.code
        for problem in check(
            {
                "sum": {
                    "a": {"name": "ldam_loss", "params": {"class_counts": [3, 0]}},
                    "b": {"name": "ldam_loss"},
                    "c": {"name": "quantile_loss", "params": {"quantile": [0.1, 1]}},
                    "d": {"name": "adaptive_robust_loss", "params": {"learned": True, "channels": 0}},
                }
            }
        )
    }
    assert codes == {
        "sum.a.params.class_counts": "invalid-value",
        "sum.b.params.class_counts": "missing-parameter",
        "sum.c.params.quantile": "invalid-value",
        "sum.d.params.channels": "out-of-range",
    }
