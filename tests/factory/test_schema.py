"""The JSON Schema accepts what the validator accepts, and underlines what it refuses."""

from __future__ import annotations

import json
import re

import pytest

from lossary_factory import check, schema

TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
ACCEPTED = [
    "dice_loss",
    "FocalLoss",
    {"name": "dice_loss", "params": {"smooth": 2, "mode": "HARD"}},
    {"name": "dice_loss", "params": {}},
    {"name": "DiceLoss", "params": {"smooth": 2}},
    {"name": "dice_loss", "params": None},
    {"name": "grouped_loss", "params": {"scale": 2, "group": None}},
    {"defs": {"a": "dice_loss"}, "loss": {"use": "a", "params": None}},
    {"name": "FocalLoss", "params": {"gamma": 1}},
    {"name": "focal_loss", "params": {"alpha": None, "weight": [1, 0.5], "reduction": "sum"}},
    {"name": "tversky_loss", "params": {"alpha": 1, "beta": 2.5}},
    {"name": "masked_loss", "params": {"inner": {"name": "dice_loss"}, "others": ["dice_loss"]}},
    {"sum": {"a": "dice_loss", "b": {"sum": {"c": "dice_loss"}, "weight": 2}}},
    {"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "linear", "final": 1, "unit": "epoch"}}}},
    {"product": {"a": "dice_loss"}},
    {"heads": {"a": {"name": "called_loss", "inputs": {"input": "input.a[0]"}, "weight": 0}}},
    {"deep_supervision": {"loss": "dice_loss", "weights": [1, 0.5]}},
    {"version": 1, "defs": {"a": "dice_loss"}, "loss": {"use": "a", "params": {"smooth": 1}}},
]
REFUSED = [
    "dise_loss",
    3,
    {},
    {"name": "dise_loss"},
    {"name": "dice_loss", "parms": {}},
    {"name": "dice_loss", "smooth": 1},
    {"name": "dice_loss", "params": {"smoth": 1}},
    {"name": "dice_loss", "params": {"smooth": -1}},
    {"name": "dice_loss", "params": {"smooth": "1"}},
    {"name": "dice_loss", "params": {"mode": "medium"}},
    {"name": "focal_loss", "params": {"alpha": 2}},
    {"name": "FocalLoss", "params": {"alpha": 2}},
    {"name": "FocalLoss", "params": {"gama": 2}},
    {"name": "focal_loss", "params": 1},
    {"name": "focal_loss", "params": [1]},
    {"name": "focal_loss", "params": "gamma"},
    {"name": "tversky_loss", "params": None},
    {"name": "grouped_loss", "params": {"group": 1}},
    "Tversky",
    {"name": "focal_loss", "params": {"weight": [None]}},
    {"name": "tversky_loss", "params": {"alpha": 1}},
    {"name": "tversky_loss"},
    {"name": "masked_loss", "params": {"inner": {"nam": "dice_loss"}}},
    {"sum": {}},
    {"sum": ["dice_loss"]},
    {"sum": {"a": {"name": "dice_loss", "weight": -1}}},
    {"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "liner"}}}},
    {"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "linear"}}}},
    {"sum": {"a": "dice_loss"}, "product": {"a": "dice_loss"}},
    {"heads": {"a": {"name": "called_loss", "inputs": {"input": "pred.a"}}}},
    {"deep_supervision": {"weights": [1]}},
    {"loss": "dice_loss", "version": 2},
    {"loss": "dice_loss", "optimizer": "adam"},
]


class Group: ...


@pytest.fixture(autouse=True)
def more(composites):
    """Register a loss with what only Python can give, and another name for one that needs parameters."""

    @composites.register(name="grouped_loss")
    class GroupedLoss(composites.base_class):
        def __init__(self, scale: float = 1.0, group: Group | None = None) -> None: ...

    composites.register(composites.get("tversky_loss"), name="tversky_loss", aliases=["Tversky"], force=True)


def fits(value, rule, root):
    """Judge a value by as much of JSON Schema as the factory writes."""
    if "$ref" in rule:
        target = root
        for step in rule["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return fits(value, target, root)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    properties = rule.get("properties", {})
    patterns = {
        key: each
        for pattern, each in rule.get("patternProperties", {}).items()
        for key in (value if isinstance(value, dict) else ())
        if re.search(pattern, key)
    }
    return all(
        [
            not kinds
            or any(
                isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
                for kind in kinds
            ),
            "const" not in rule or value == rule["const"],
            "enum" not in rule or any(value == one and type(value) is type(one) for one in rule["enum"]),
            "oneOf" not in rule or sum(fits(value, one, root) for one in rule["oneOf"]) == 1,
            "anyOf" not in rule or any(fits(value, one, root) for one in rule["anyOf"]),
            not is_number or value >= rule.get("minimum", value),
            not is_number or value <= rule.get("maximum", value),
            not is_number or "exclusiveMinimum" not in rule or value > rule["exclusiveMinimum"],
            not isinstance(value, str) or bool(re.search(rule.get("pattern", ""), value)),
            not isinstance(value, list) or all(fits(item, rule.get("items", {}), root) for item in value),
            not isinstance(value, dict)
            or (
                set(rule.get("required", [])) <= value.keys()
                and len(value) >= rule.get("minProperties", 0)
                and all(
                    fits(item, properties[key], root)
                    if key in properties
                    else fits(item, patterns[key], root)
                    if key in patterns
                    else rule.get("additionalProperties", {}) is not False
                    and fits(item, rule.get("additionalProperties", {}), root)
                    for key, item in value.items()
                )
            ),
        ]
    )


@pytest.mark.parametrize("config", ACCEPTED)
def test_the_schema_accepts_what_is_correct(composites, config):
    """No correct config is underlined, and each is of exactly one kind."""
    assert check(config, registry=composites) == []
    rules = schema(registry=composites)
    assert fits(config, rules, rules)


@pytest.mark.parametrize("config", REFUSED)
def test_the_schema_refuses_what_is_wrong(composites, config):
    """Typos, wrong types, values out of range and missing parameters are underlined."""
    assert check(config, registry=composites)
    rules = schema(registry=composites)
    assert not fits(config, rules, rules)


def test_a_loss_is_a_branch_with_its_name(composites):
    """An editor offers the parameters of the loss whose name or alias stands there, with their defaults."""
    rules = schema(registry=composites)
    assert {"$ref": "#/$defs/loss.dice_loss"} in rules["$defs"]["node"]["oneOf"]
    branch = rules["$defs"]["loss.dice_loss"]
    assert branch["properties"]["name"] == {"const": "dice_loss", "description": "Overlap of two masks."}
    assert {"$ref": "#/$defs/loss.DiceLoss"} in rules["$defs"]["node"]["oneOf"]
    alias = rules["$defs"]["loss.DiceLoss"]["properties"]
    assert alias["name"]["const"] == "DiceLoss"
    assert alias["params"] == {"$ref": "#/$defs/loss.dice_loss/properties/params"}
    smooth = branch["properties"]["params"]["properties"]["smooth"]
    assert smooth == {"type": "number", "minimum": 0, "default": 1.0}


def test_what_losses_have_in_common_is_written_once(composites):
    """A second loss with the same parameter refers to what the first refers to; a third has its own."""

    def with_default(number):
        class Other(composites.base_class):
            def __init__(self, temperature: float = number) -> None: ...

        return Other

    for name, number in (("one", 0.123456789), ("two", 0.123456789), ("three", 0.987654321)):
        composites.register(with_default(number), name=name)
    definitions = schema(registry=composites)["$defs"]
    one, two, three = (
        definitions[f"loss.{name}"]["properties"]["params"]["properties"]["temperature"]
        for name in ("one", "two", "three")
    )
    assert one == two == {"$ref": "#/$defs/1.temperature"}
    assert three == {"type": "number", "default": 0.987654321}


def test_the_schema_is_json(composites):
    """Defaults that JSON cannot hold, such as an infinity, are left out."""
    text = json.dumps(schema(registry=composites), allow_nan=False)
    assert json.loads(text)["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_a_loss_that_cannot_be_loaded_is_left_out(composites):
    """What is not installed is not offered."""
    composites.register_lazy("missing_loss", "not_there:Missing", requires=["not_there"])
    assert "loss.missing_loss" not in schema(registry=composites)["$defs"]


def test_a_bare_name_is_for_losses_that_need_nothing(losses):
    """A loss with a parameter that must be given is no complete config by its name alone."""
    jsonschema = pytest.importorskip("jsonschema")
    judge = jsonschema.Draft7Validator(schema(registry=losses))
    for name in losses.list():
        assert judge.is_valid({"loss": name}) is (check(name, registry=losses) == [])


def test_what_only_python_can_give_is_not_offered(composites):
    """It may be null, and is no property that an editor would complete."""
    params = schema(registry=composites)["$defs"]["loss.grouped_loss"]["properties"]["params"]
    assert list(params["properties"]) == ["scale"]
    assert params["patternProperties"] == {"^(?:group)$": {"type": "null"}}
