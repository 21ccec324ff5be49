"""Constructors with ``**options``: what may be given has to be declared, and is then checked."""

from __future__ import annotations

import json
import sys
from typing import Any, ClassVar, Literal, TypedDict

import pytest
from click.testing import CliRunner

from lossary_factory import build, check, describe, make_manifest, schema, validate
from lossary_factory._command import call, group
from lossary_factory._manifest.read import read_manifest
from lossary_registry import Registry

if sys.version_info >= (3, 11):
    from typing import NotRequired, Required, Unpack
else:
    from typing_extensions import NotRequired, Required, Unpack


class Loss:
    """The base of the classes here."""

    def __init__(self, **options: Any) -> None:
        self.options = options


class Base(TypedDict):
    scale: float


class Options(Base, total=False):
    mode: Literal["fast", "exact"]
    steps: Required[int]


class Total(TypedDict):
    scale: float
    mode: NotRequired[str]


class ByTypedDict(Loss):
    """Says with a type what it takes."""

    def __init__(self, weight: float = 1.0, **options: Unpack[Options]) -> None:
        super().__init__(weight=weight, **options)


class ByTotal(Loss):
    def __init__(self, **options: Unpack[Total]) -> None:
        super().__init__(**options)


class ByAttribute(Loss):
    """Says with an attribute what it takes, and inherits a constructor that says nothing."""

    config_parameters: ClassVar = {"scale": "float | None", "inner": Loss, "mode": Literal["fast", "exact"]}


class Mistaken(Loss):
    config_parameters: ClassVar = ["scale", "mode"]


@pytest.fixture
def registry():
    registry = Registry(Loss, "Open")
    for name, cls in (
        ("by_typed_dict", ByTypedDict),
        ("by_total", ByTotal),
        ("by_attribute", ByAttribute),
        ("mistaken", Mistaken),
        ("bare", Loss),
    ):
        registry.register(cls, name=name)
    return registry


def codes(registry, name, params):
    problems = check({"name": name, "params": params}, registry=registry)
    return [(problem.code, problem.path.rpartition(".")[2]) for problem in problems]


@pytest.mark.parametrize(
    ("name", "given", "built"),
    [
        (
            "by_typed_dict",
            {"scale": 2, "steps": 3, "mode": "fast"},
            {"weight": 1.0, "scale": 2.0, "steps": 3, "mode": "fast"},
        ),
        ("by_total", {"scale": 2}, {"scale": 2.0}),
        ("by_attribute", {}, {}),
        ("by_attribute", {"scale": None, "mode": "exact"}, {"scale": None, "mode": "exact"}),
    ],
)
def test_what_is_declared_is_given(registry, name, given, built):
    """The constructor gets what the config gives, and what it leaves out stays out."""
    assert build({"name": name, "params": given}, registry=registry).options == built


def test_a_declared_loss_is_built(registry):
    """Losses nest in what is declared."""
    inner = {"name": "by_total", "params": {"scale": 1}}
    loss = build({"name": "by_attribute", "params": {"inner": inner}}, registry=registry)
    assert isinstance(loss.options["inner"], ByTotal)


@pytest.mark.parametrize(
    ("name", "given", "problems"),
    [
        (
            "by_typed_dict",
            {"scale": "2", "mode": "slow"},
            [("wrong-type", "scale"), ("wrong-type", "mode"), ("missing-parameter", "steps")],
        ),
        ("by_typed_dict", {"scale": 1, "steps": 1, "speed": 1}, [("unknown-parameter", "speed")]),
        ("by_total", {}, [("missing-parameter", "scale")]),
        (
            "by_attribute",
            {"scale": "big", "sclae": 1},
            [("wrong-type", "scale"), ("unknown-parameter", "sclae")],
        ),
        ("bare", {"scale": 1}, [("unchecked-parameter", "scale")]),
    ],
)
def test_what_is_declared_is_checked(registry, name, given, problems):
    """Types, names and what must be there; and where nothing is declared, nothing may be given."""
    assert codes(registry, name, given) == problems


def test_without_a_declaration_the_message_says_how(registry):
    """Both ways to declare are named, the second with the parameter in question."""
    (problem,) = check({"name": "bare", "params": {"scale": 1}}, registry=registry)
    assert problem.message == "bare takes arbitrary keyword arguments, so 'scale' cannot be checked"
    assert problem.hint == (
        "declare it in the constructor of bare: as a parameter, or with all others as "
        "**options: Unpack[SomeTypedDict]\n"
        "or, if it cannot be changed, give the class config_parameters = {'scale': TYPE}"
    )


def test_a_declaration_that_cannot_be_read_is_told(registry):
    """It is the mistake of the class, and no config can use it."""
    (problem,) = check("mistaken", registry=registry)
    assert problem.code == "unusable-constructor"
    assert problem.message == (
        "mistaken cannot be built from a config: its config_parameters do not map names to types"
    )


def test_a_function_can_declare_as_well():
    """What is registered may be a function."""
    makers = Registry(name="makers")

    @makers.register(name="made")
    def make(**options: Unpack[Total]) -> dict[str, Any]:
        return dict(options)

    made = build({"name": "made", "params": {"scale": 1, "mode": "x"}}, registry=makers)
    assert made == {"scale": 1.0, "mode": "x"}
    assert codes(makers, "made", {"mode": 1}) == [("wrong-type", "mode"), ("missing-parameter", "scale")]


def test_everything_else_knows_what_is_declared(registry, monkeypatch):
    """Descriptions, the schema, specs with defaults, manifests and the command."""
    about = describe("by_typed_dict", registry=registry)["parameters"]
    assert about["steps"] == {"accepts": "a whole number", "required": True}
    assert about["mode"]["required"] is False
    assert "default" not in about["mode"]
    params = schema(registry=registry)["$defs"]["loss.by_typed_dict"]["properties"]["params"]
    assert params["required"] == ["scale", "steps"]
    assert params["properties"]["mode"] == {"enum": ["fast", "exact"]}
    spec = validate({"name": "by_typed_dict", "params": {"scale": 1, "steps": 2}}, registry=registry)
    assert spec.to_dict(defaults=True)["params"] == {"weight": 1.0, "scale": 1.0, "steps": 2}
    manifest = json.loads(json.dumps(make_manifest(registry, version="1")))
    described = read_manifest(manifest, "open 1", lambda: registry)
    assert describe("by_typed_dict", registry=described)["parameters"] == about
    monkeypatch.setattr(call, "described_registry", lambda _collection: described)
    shown = CliRunner().invoke(group.lossary, ["show", "by_attribute"]).output
    assert "default left to the constructor" in shown
