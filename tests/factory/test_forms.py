"""The keys of the grammar that build losses out of losses, beside ``sum``."""

from __future__ import annotations

import json

import pytest

from lossary_factory import build, check, load, validate

HEADS = {
    "heads": {
        "seg": "dice_loss",
        "depth": {
            "name": "called_loss",
            "weight": 0.2,
            "inputs": {"input": "input.depth[0].x", "target": "target[-1]", "mask": "batch"},
        },
    }
}


@pytest.fixture
def found(composites):
    """Return a function that gives the code, path and message of a config's problems."""

    def found(config):
        return [(each.code, each.path, each.message) for each in check(config, registry=composites)]

    return found


def test_a_product_has_terms_and_no_weights(composites):
    """``{product: ...}`` becomes the terms of the class of that name."""
    spec = validate({"product": {"a": "dice_loss", "b": {"sum": {"c": "focal_loss"}}}}, registry=composites)
    assert spec.name == "product"
    assert {key: term.name for key, term in spec.params["terms"].items()} == {
        "a": "dice_loss",
        "b": "weighted_sum",
    }
    assert spec.params.keys() == {"terms"}


def test_a_factor_has_no_weight(found):
    """A weight in a product would mean nothing that a reader could guess."""
    (problem,) = found({"product": {"a": {"name": "dice_loss", "weight": 2}}})
    assert problem[:2] == ("misplaced-key", "product.a.weight")


def test_heads_have_weights_and_inputs(composites):
    """Each head is a term; one without a weight weighs one, and inputs are kept for those that have some."""
    loss = build(HEADS, registry=composites)
    assert loss.weights == {"seg": 1.0, "depth": 0.2}
    assert loss.inputs == {"depth": {"input": "input.depth[0].x", "target": "target[-1]", "mask": "batch"}}


def test_heads_without_inputs_leave_them_to_the_class(composites):
    """What no head gives is not given."""
    assert "inputs" not in validate({"heads": {"a": "dice_loss"}}, registry=composites).params


@pytest.mark.parametrize(
    ("inputs", "code", "path", "message"),
    [
        ("input.x", "wrong-type", "", "inputs must be a mapping of selectors, not 'input.x'"),
        ({"input": 3}, "bad-selector", ".input", "a selector is text such as input.depth, not 3"),
        (
            {"input": "pred.x"},
            "bad-selector",
            ".input",
            "a selector begins with input, target or batch, not 'pred.x'",
        ),
        (
            {"input": "input.a b"},
            "bad-selector",
            ".input",
            "a selector goes on with .name or [index] after 'input', not 'input.a b'",
        ),
        (
            {"input": "input.__import__('os')"},
            "bad-selector",
            ".input",
            "a selector goes on with .name or [index] after 'input', not \"input.__import__('os')\"",
        ),
        (
            {"prediction": "input"},
            "unknown-argument",
            ".prediction",
            "called_loss is not called with 'prediction'",
        ),
        ({1: "input"}, "bad-key", "[1]", "an argument is a word, not 1"),
    ],
)
def test_wrong_inputs(found, inputs, code, path, message):
    """An input goes to an argument that the loss has, and comes from where a selector can point."""
    assert found({"heads": {"a": {"name": "called_loss", "inputs": inputs}}}) == [
        (code, f"heads.a.inputs{path}", message)
    ]


def test_arguments_that_are_not_known_are_not_judged(found):
    """A loss whose ``forward`` is not there, or takes anything, is called with whatever the config says."""
    assert found({"heads": {"a": {"name": "dice_loss", "inputs": {"whatever": "input"}}}}) == []


def test_inputs_are_for_heads(found):
    """A term of a sum gets what the sum gets."""
    (problem,) = found({"sum": {"a": {"name": "dice_loss", "inputs": {"input": "input.x"}}}})
    assert problem[:2] == ("unexpected-key", "sum.a.inputs")


def test_deep_supervision_holds_parameters(composites):
    """What stands under the key are the parameters of the class of that name."""
    config = {
        "deep_supervision": {"loss": {"sum": {"a": "dice_loss"}}, "weights": [1, 0.5], "target": "same"}
    }
    loss = build(config, registry=composites)
    assert type(loss.loss).__name__ == "WeightedSum"
    assert (loss.weights, loss.target) == ([1.0, 0.5], "same")


def test_deep_supervision_is_checked_like_any_loss(found):
    """Its parameters have the place of its key."""
    assert [each[:2] for each in found({"deep_supervision": {"target": "smae", "los": "dice_loss"}})] == [
        ("wrong-type", "deep_supervision.target"),
        ("unknown-parameter", "deep_supervision.los"),
    ]


@pytest.mark.parametrize("form", ["sum", "product", "heads"])
@pytest.mark.parametrize(
    ("terms", "code"), [({}, "no-terms"), (["dice_loss"], "wrong-type"), (None, "wrong-type")]
)
def test_terms_are_a_mapping_of_one_or_more(found, form, terms, code):
    """Every form of terms refuses a list and an empty mapping."""
    assert [each[:2] for each in found({form: terms})] == [(code, form)]


@pytest.mark.parametrize("form", ["product", "heads", "deep_supervision"])
def test_a_registry_may_lack_a_form(losses, form):
    """A form asks for its class, and says so where the registry has none."""
    (problem,) = check({form: {"loss": "dice_loss"}}, registry=losses)
    assert problem.code == "unavailable-form"
    assert problem.message == f"ToyLosses has nothing named {form!r}, which is what builds {form!r}"


def test_two_forms_at_once(found):
    """A loss is one thing."""
    assert [each[:2] for each in found({"sum": {"a": "dice_loss"}, "product": {"a": "dice_loss"}})] == [
        ("conflicting-keys", "product")
    ]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (
            ".yaml",
            (
                "loss:\n  heads:\n    seg: dice_loss\n    depth: {name: called_loss, weight: 0.2, "
                "inputs: {input: 'input.depth[0].x', target: 'target[-1]', mask: batch}}\n"
            ),
        ),
        (
            ".toml",
            (
                "[loss.heads]\nseg = 'dice_loss'\n[loss.heads.depth]\nname = 'called_loss'\nweight = 0.2\n"
                "inputs = {input = 'input.depth[0].x', target = 'target[-1]', mask = 'batch'}\n"
            ),
        ),
        (".json", json.dumps(HEADS)),
    ],
)
def test_every_format_has_the_forms(composites, write, suffix, text):
    """YAML, TOML and JSON with the same heads give the spec that a mapping gives."""
    assert load(write(f"config{suffix}", text), registry=composites) == validate(HEADS, registry=composites)


@pytest.mark.parametrize(
    ("params", "code", "path", "words"),
    [
        ({"terms": {}}, "no-terms", "params.terms", "weighted_sum needs at least one term"),
        ({"terms": {"a.b": "dice_loss"}}, "bad-key", "params.terms.'a.b'", "without a dot"),
        ({"terms": {"": "dice_loss"}}, "bad-key", "params.terms.''", "without a dot"),
        (
            {"terms": {"region": "dice_loss"}, "weights": {"regoin": 1}},
            "unknown-term",
            "params.weights.regoin",
            "did you mean 'region'? the terms are: region",
        ),
        (
            {"terms": {"a": "dice_loss"}, "weights": {"a": -1}},
            "out-of-range",
            "params.weights.a",
            "a must be >= 0, not -1",
        ),
    ],
)
def test_a_sum_that_is_named_is_checked_like_one_with_a_key(composites, params, code, path, words):
    """What would only fail when the sum is built is a problem of the config already."""
    (problem,) = check({"name": "weighted_sum", "params": params}, registry=composites)
    assert (problem.code, problem.path) == (code, path)
    assert words in f"{problem.message}\n{problem.hint}"


def test_inputs_belong_to_heads(composites):
    """The inputs of a head that is not there are a mistake."""
    inputs = {"sge": {"input": "input.seg"}}
    config = {"name": "heads", "params": {"terms": {"seg": "dice_loss"}, "inputs": inputs}}
    (problem,) = check(config, registry=composites)
    assert (problem.code, problem.path) == ("unknown-term", "params.inputs.sge")


def test_parameters_that_a_use_replaces_fit_the_terms(composites):
    """A definition may name a sum, and a use other weights."""
    defs = {"base": {"name": "weighted_sum", "params": {"terms": {"a": "dice_loss"}}}}
    config = {"defs": defs, "loss": {"use": "base", "params": {"weights": {"b": 1}}}}
    (problem,) = check(config, registry=composites)
    assert (problem.code, problem.path) == ("unknown-term", "loss.params.weights.b")


def test_a_sum_without_weights_is_written(composites):
    """That there are none may be said: what is written reads back."""
    spec = validate(
        {"name": "weighted_sum", "params": {"terms": {"a": "dice_loss"}, "weights": None}},
        registry=composites,
    )
    assert validate(spec.to_dict(), registry=composites) == spec
