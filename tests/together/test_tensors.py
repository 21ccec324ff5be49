"""Parameters that are tensors: a config writes the numbers, and the constructor gets the tensor."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from lossary_factory import build, check, describe, make_manifest, schema, to_config, validate
from lossary_factory._manifest.read import read_manifest
from lossary_registry import Registry

REGISTRY: Registry[nn.Module] = Registry(nn.Module, "OfTorch")
REGISTRY.register(nn.CrossEntropyLoss)
REGISTRY.register(nn.BCEWithLogitsLoss)


@REGISTRY.register
class Weighted(nn.Module):
    def __init__(self, weight: Tensor | None = None, scale: float | Tensor = 1.0) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = scale


def weighted(value):
    return {"name": "Weighted", "params": {"weight": value}}


@pytest.mark.parametrize(
    ("written", "tensor"),
    [
        ([0.2, 0.8], torch.tensor([0.2, 0.8])),
        ((1, 2.5), torch.tensor([1.0, 2.5])),
        ([1, 2], torch.tensor([1, 2])),
        ([[1.0, 2.0], [3.0, 4.0]], torch.tensor([[1.0, 2.0], [3.0, 4.0]])),
        ([True, False], torch.tensor([True, False])),
        (0.5, torch.tensor(0.5)),
        ([], torch.tensor([])),
        ([[], []], torch.empty(2, 0)),
        (torch.tensor([7.0]), torch.tensor([7.0])),
    ],
)
def test_numbers_become_a_tensor(written, tensor):
    """As ``torch.tensor`` makes it: whole numbers stay whole, others are of torch's default type."""
    loss = build(weighted(written), registry=REGISTRY)
    assert loss.weight.dtype == tensor.dtype
    assert torch.equal(loss.weight, tensor)


@pytest.mark.parametrize(
    ("written", "code", "path", "words"),
    [
        (
            "abc",
            "wrong-type",
            "params.weight",
            "weight must be a tensor (a number, or lists of numbers) or null, not 'abc'",
        ),
        ({"a": 1}, "wrong-type", "params.weight", "not a mapping"),
        ([0.2, "0.8"], "wrong-type", "params.weight[1]", "weight[1] must be a number, not '0.8'"),
        ([0.2, None], "wrong-type", "params.weight[1]", "not null"),
        (
            [[1, 2], [3]],
            "invalid-value",
            "params.weight[1]",
            "[0] is a list of 2 values, and [1] is a list of 1",
        ),
        ([[1, 2], 3], "invalid-value", "params.weight[1]", "and [1] is a number"),
        ([[[1], [2]], [[3, 4], [5, 6]]], "invalid-value", "params.weight[1]", "must be equally long"),
        ([1.0, math.inf], "not-finite", "params.weight[1]", "must be finite"),
        ([1, 1 << 63], "out-of-range", "params.weight[1]", "too large for a whole number in a tensor"),
        ([1, 10**400], "out-of-range", "params.weight[1]", "too large for a number"),
        ([True, 2], "wrong-type", "params.weight", "numbers beside true or false"),
    ],
)
def test_what_no_tensor_can_be_made_of_is_refused(written, code, path, words):
    """All else is a wrong config, before anything is built."""
    problem = check(weighted(written), registry=REGISTRY)[0]
    assert (problem.code, problem.path) == (code, path)
    assert words in problem.message


def test_losses_of_torch_are_built_from_a_config():
    """Their class weights can be given."""
    config = {"name": "CrossEntropyLoss", "params": {"weight": [0.2, 0.8], "label_smoothing": 0.1}}
    loss = build(config, registry=REGISTRY)
    assert torch.equal(loss.weight, torch.tensor([0.2, 0.8]))
    assert loss(torch.zeros(3, 2), torch.tensor([0, 1, 1])).isfinite()
    loss = build({"name": "BCEWithLogitsLoss", "params": {"pos_weight": [2.0]}}, registry=REGISTRY)
    assert torch.equal(loss.pos_weight, torch.tensor([2.0]))


def test_a_spec_of_a_tensor_is_a_value():
    """It compares, hashes, pickles, is written as it was read, and gives a new tensor each time."""
    spec = validate(weighted([1, 2.5]), registry=REGISTRY)
    again = validate(weighted([1.0, 2.5]), registry=REGISTRY)
    assert spec == again
    assert hash(spec) == hash(again)
    assert spec.fingerprint() == again.fingerprint()
    assert spec.to_dict() == {"name": "Weighted", "params": {"weight": [1.0, 2.5]}}
    assert copy.deepcopy(spec) == pickle.loads(pickle.dumps(spec)) == spec
    first, second = spec.build(), spec.build()
    first.weight.zero_()
    assert torch.equal(second.weight, torch.tensor([1.0, 2.5]))
    changed = spec.replace("params.weight", [3.0])
    assert changed.to_dict()["params"]["weight"] == [3.0]


def test_beside_a_number_a_number_stays_one():
    """Where a parameter takes a number or a tensor, a number is no tensor, and a list is one."""
    assert type(build({"name": "Weighted", "params": {"scale": 2}}, registry=REGISTRY).scale) is float
    loss = build({"name": "Weighted", "params": {"scale": [2.0, 3.0]}}, registry=REGISTRY)
    assert torch.equal(loss.scale, torch.tensor([2.0, 3.0]))


def test_a_tensor_is_described():
    """Descriptions, schema and manifest say that it takes numbers."""
    about = describe("Weighted", registry=REGISTRY)["parameters"]
    assert about["weight"]["accepts"] == "a tensor (a number, or lists of numbers) or null"
    json.dumps(schema(registry=REGISTRY))
    manifest = json.loads(json.dumps(make_manifest(REGISTRY, version="1")))
    described = read_manifest(manifest, "", lambda: REGISTRY)
    for value in ([0.2, 0.8], "abc", [[1, 2], [3]], None, torch.ones(2)):
        assert check(weighted(value), registry=described) == check(weighted(value), registry=REGISTRY)


def test_the_tensors_of_the_collection_are_written_back():
    """What takes a list of numbers or a tensor keeps doing so."""
    config = {"name": "cross_entropy_loss", "params": {"weight": [0.25, 0.75]}}
    assert to_config(build(config))["params"]["weight"] == [0.25, 0.75]
