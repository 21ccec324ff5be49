from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from lossary_factory import LossSpec, check, load, validate

SUM = {"sum": {"region": {"name": "dice_loss", "weight": 0.7}, "pixel": "focal_loss"}}


@pytest.mark.parametrize(
    "config",
    [
        "dice_loss",
        {"name": "dice_loss"},
        {"name": "DiceLoss", "params": {}},
        {"name": "dice_loss", "params": None},
        {"loss": "dice_loss"},
        {"version": 1, "loss": {"name": "dice_loss"}},
        MappingProxyType({"name": "dice_loss"}),
    ],
)
def test_every_spelling_of_a_loss_means_the_same(losses, config):
    """A name, a node and a document with that node are three spellings of one spec; aliases are resolved."""
    assert validate(config, registry=losses) == LossSpec("dice_loss", {}, losses.get("dice_loss"))


def test_a_sum_is_a_spec_with_terms_and_weights(losses):
    """``{sum: ...}`` becomes the parameters of weighted_sum; a term without a weight weighs one."""
    spec = validate(SUM, registry=losses)
    assert spec.name == "weighted_sum"
    assert spec.params["weights"] == {"region": 0.7, "pixel": 1.0}
    assert {key: term.name for key, term in spec.params["terms"].items()} == {
        "region": "dice_loss",
        "pixel": "focal_loss",
    }


def test_sums_nest(losses):
    """A term may be a sum itself, with a weight of its own."""
    spec = validate({"sum": {"both": {**SUM, "weight": 0.5}, "rest": "dice_loss"}}, registry=losses)
    assert spec.params["weights"] == {"both": 0.5, "rest": 1.0}
    assert spec.params["terms"]["both"].params["weights"] == {"region": 0.7, "pixel": 1.0}


def test_weighted_sum_may_be_named(losses):
    """What the sugar does can be written out, as parameters of a loss like any other."""
    named = {
        "name": "weighted_sum",
        "params": {
            "terms": {"region": {"name": "dice_loss"}, "pixel": "focal_loss"},
            "weights": {"region": 0.7, "pixel": 1},
        },
    }
    assert validate(named, registry=losses) == validate(SUM, registry=losses)


def test_a_parameter_takes_losses(losses):
    """A parameter annotated with the base class takes a node, and a sequence of them a list of nodes."""
    config = {"name": "masked_loss", "params": {"inner": "dice_loss", "others": [{"name": "focal_loss"}]}}
    spec = validate(config, registry=losses)
    assert spec.params["inner"].name == "dice_loss"
    assert [other.name for other in spec.params["others"]] == ["focal_loss"]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".yaml", "loss: {sum: {region: {name: dice_loss, weight: 0.7}, pixel: focal_loss}}"),
        (".yml", "sum:\n  region: {name: dice_loss, weight: 0.7}\n  pixel: focal_loss\n"),
        (".toml", "[loss.sum]\npixel = 'focal_loss'\n[loss.sum.region]\nname = 'dice_loss'\nweight = 0.7\n"),
        (".json", json.dumps({"loss": SUM})),
        (".YAML", json.dumps(SUM)),
    ],
)
def test_every_format_means_the_same(losses, write, suffix, text):
    """YAML, TOML and JSON with the same data give the spec that a mapping gives."""
    assert load(write(f"config{suffix}", text), registry=losses) == validate(SUM, registry=losses)


@pytest.mark.parametrize(
    ("config", "code", "path"),
    [
        ("dise_loss", "unknown-loss", ""),
        ({"name": "os.system"}, "unknown-loss", "name"),
        ({"name": 3}, "wrong-type", "name"),
        (None, "wrong-type", ""),
        ([], "wrong-type", ""),
        ({}, "missing-name", ""),
        ({"loss": None}, "wrong-type", "loss"),
        ({"loss": {}}, "missing-name", "loss"),
        ({"dice_loss": {}}, "missing-name", "dice_loss"),
        ({"params": {"smooth": 1}}, "missing-name", ""),
        ({"name": "dice_loss", "sum": {"a": "dice_loss"}}, "conflicting-keys", "name"),
        ({"name": "dice_loss", "colour": 1}, "unexpected-key", "colour"),
        ({"name": "dice_loss", 1: 2}, "unexpected-key", "[1]"),
        ({"name": "dice_loss", "smooth": 1}, "misplaced-key", "smooth"),
        ({"name": "dice_loss", "smoth": 1}, "misplaced-key", "smoth"),
        ({"name": "dice_loss", "weight": 1}, "misplaced-key", "weight"),
        ({"name": "dice_loss", "prams": {"smooth": 1}}, "unexpected-key", "prams"),
        ({"type": "dice_loss"}, "unexpected-key", "type"),
        ({"_target_": "dice_loss"}, "unexpected-key", "_target_"),
        ({"class_path": "dice_loss"}, "unexpected-key", "class_path"),
        ({"name": "dice_loss", "init_args": {}}, "unexpected-key", "init_args"),
        ({"criterion": "dice_loss"}, "unexpected-key", "criterion"),
        ({"loss": "dice_loss", "smooth": 1}, "misplaced-key", "smooth"),
        ({"loss": "dice_loss", "optimizer": "adam"}, "unexpected-key", "optimizer"),
        ({"loss": "dice_loss", "version": 2}, "unsupported-version", "version"),
        ({"loss": "dice_loss", "version": True}, "unsupported-version", "version"),
        ({"name": "dice_loss", "params": [1]}, "wrong-type", "params"),
        ({"sum": []}, "wrong-type", "sum"),
        ({"sum": {}}, "no-terms", "sum"),
        ({"sum": {"a": None}}, "wrong-type", "sum.a"),
        ({"sum": {"a.b": "dice_loss"}}, "bad-key", "sum.'a.b'"),
        ({"sum": {"": "dice_loss"}}, "bad-key", "sum.''"),
        ({"sum": {2: "dice_loss"}}, "bad-key", "sum[2]"),
        ({"sum": {"a": "dice_loss"}, "params": {}}, "unexpected-key", "params"),
        ({"sum": {"a": {"name": "dice_loss", "weight": -1}}}, "out-of-range", "sum.a.weight"),
        ({"sum": {"a": {"name": "dice_loss", "weight": float("inf")}}}, "not-finite", "sum.a.weight"),
        ({"sum": {"a": {"name": "dice_loss", "weight": True}}}, "wrong-type", "sum.a.weight"),
        ({"sum": {"a": {"name": "dice_loss", "weight": [1, 2]}}}, "wrong-type", "sum.a.weight"),
        ({"sum": {"a": {"name": "dice_loss", "weigth": 2}}}, "unexpected-key", "sum.a.weigth"),
    ],
)
def test_a_malformed_config_has_a_code_and_a_path(problem, config, code, path):
    """Each way to write a config wrongly has one stable code, and the path of what is wrong."""
    found = problem(config)
    assert (found.code, found.path) == (code, path)


def test_all_problems_are_reported_at_once(losses):
    """One wrong term hides nothing in the others, nor does a wrong key hide what stands under it."""
    config = {
        "sum": {
            "one": {"name": "dice_los"},
            "two": {"type": "focal_loss", "params": {"gama": 1}, "weight": -1},
            "three": {"name": "tversky_loss", "params": {"alpha": "x"}},
        }
    }
    assert [(found.code, found.path) for found in check(config, registry=losses)] == [
        ("unknown-loss", "sum.one.name"),
        ("unknown-parameter", "sum.two.params.gama"),
        ("unexpected-key", "sum.two.type"),
        ("wrong-type", "sum.three.params.alpha"),
        ("missing-parameter", "sum.three.params.beta"),
        ("out-of-range", "sum.two.weight"),
    ]


def test_a_registry_without_weighted_sum_cannot_sum(problem, empty, losses):
    """A sum asks for the class that is registered as weighted_sum, and says so where there is none."""
    empty.register(losses.get("dice_loss"), name="dice_loss")
    found = problem({"sum": {"a": "dice_loss"}}, registry=empty)
    assert (found.code, found.path) == ("unavailable-form", "sum")
    assert found.message == "ToyLosses has nothing named 'weighted_sum', which is what builds 'sum'"


def test_weighted_sum_has_to_take_terms(problem, empty, losses):
    """A class of that name with another constructor is no class that sums."""
    empty.register(losses.get("dice_loss"), name="weighted_sum")
    empty.register(losses.get("focal_loss"), name="focal_loss")
    assert problem({"sum": {"a": "focal_loss"}}, registry=empty).code == "unavailable-form"


def test_cyclic_python_data_ends(problem):
    """A mapping that contains itself is refused as too deep."""
    config = {}
    config["sum"] = {"again": config}
    assert problem(config).code == "too-deep"


def test_cyclic_parameters_end(problem):
    """So is a list in a parameter that accepts anything."""
    endless = []
    endless.append(endless)
    assert (
        problem({"name": "masked_loss", "params": {"inner": "dice_loss", "others": endless}}).code
        == "wrong-type"
    )
