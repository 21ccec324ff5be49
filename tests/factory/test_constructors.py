# ruff: noqa: TC003  # the factory evaluates annotations at run time
from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from lossary_factory import build, check, describe, make_manifest, schema
from lossary_registry import Registry

if TYPE_CHECKING:
    from torch import Tensor


class Loss:
    """The base of the classes here."""


@pytest.fixture
def registry():
    return Registry(Loss, "Constructors")


def codes(registry, name, params):
    problems = check({"name": name, "params": params}, registry=registry)
    return [(problem.code, problem.path) for problem in problems]


def test_a_converter_does_not_hide_the_type_of_its_field(registry):
    """The field's annotation counts, not that of the converter, which replaces it in the signature."""

    def to_tuple(given: object) -> tuple[float, ...] | None:
        return None if given is None else tuple(given)

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Converting(Loss):
        weight: Sequence[float] | Tensor | None = attrs.field(default=None, converter=to_tuple)

    assert build({"name": "loss", "params": {"weight": [1]}}, registry=registry).weight == (1.0,)
    assert codes(registry, "loss", {"weight": ["x"]}) == [("wrong-type", "params.weight[0]")]


def test_a_validator_sees_what_the_converter_made(registry):
    """Validation on its own runs converter and validator in the order in which the constructor does."""

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Lowering(Loss):
        mode: str = attrs.field(converter=str.lower, validator=attrs.validators.in_(["mean", "sum"]))

    assert codes(registry, "loss", {"mode": "MEAN"}) == []
    assert codes(registry, "loss", {"mode": "MAX"}) == [("invalid-value", "params.mode")]


def test_validators_of_all_fields_are_run(registry):
    """Two wrong fields are two problems, though the constructor would stop at the first."""

    def is_even(_instance, attribute, value):
        if value % 2:
            raise ValueError("that is odd" if attribute.name == "first" else f"{attribute.name} is odd")

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Even(Loss):
        first: int = attrs.field(validator=is_even)
        second: int = attrs.field(validator=is_even)

    first, second = check({"name": "loss", "params": {"first": 1, "second": 3}}, registry=registry)
    assert first.message == "first is refused: that is odd"
    assert second.message == "second is odd"


def test_limits_of_any_validator_are_read(registry):
    """A validator of one's own that has ``ge``, ``gt``, ``le`` or ``lt`` is a limit, and is run besides."""

    @attrs.frozen
    class Even:
        ge: float

        def __call__(self, _instance, attribute, value):
            if value % 2:
                raise ValueError(f"{attribute.name} must be even")

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Limited(Loss):
        size: int = attrs.field(validator=Even(ge=0))

    messages = [
        check({"name": "loss", "params": {"size": size}}, registry=registry)[0].message for size in (-2, 3)
    ]
    assert messages == ["size must be >= 0, not -2", "size must be even"]


def test_a_validator_that_needs_the_object_is_left_to_the_constructor(registry):
    """A validator that compares fields cannot be run alone, and its error is no problem of the config's."""

    def below_top(instance, _attribute, value):
        if value > instance.top:
            raise ValueError("too high")

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Ordered(Loss):
        top: int = 1
        value: int = attrs.field(default=0, validator=below_top)

    assert codes(registry, "loss", {"value": 5}) == []
    with pytest.raises(ValueError, match="too high"):
        build({"name": "loss", "params": {"value": 5}}, registry=registry)


def test_choices_of_a_validator_are_named(registry):
    """``in_`` reads like ``Literal``, with the nearest choice."""

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Choosing(Loss):
        mode: str = attrs.field(default="mean", validator=attrs.validators.in_(["mean", "sum"]))

    (problem,) = check({"name": "loss", "params": {"mode": "maen"}}, registry=registry)
    assert problem.message == "mode must be 'mean' or 'sum', not 'maen'"
    assert problem.hint == "did you mean 'mean'?"


def test_a_field_outside_the_constructor_is_no_parameter(registry):
    """``init=False`` takes a field out of the config as well."""

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Counting(Loss):
        calls: int = attrs.field(init=False, default=0)

    assert codes(registry, "loss", {"calls": 1}) == [("unknown-parameter", "params.calls")]


def test_fields_go_by_the_names_of_the_constructor(registry):
    """A private field and one with an alias are given by the name that the constructor takes."""

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Named(Loss):
        _scale: float = 1.0
        lambda_: float = attrs.field(default=1.0, alias="strength")

    assert codes(registry, "loss", {"scale": 2, "strength": 3}) == []
    assert codes(registry, "loss", {"strength": "x"}) == [("wrong-type", "params.strength")]


def test_a_constructor_written_by_hand_counts_before_inherited_fields(registry):
    """A subclass of an attrs class with its own constructor takes what that constructor takes."""

    @attrs.define(slots=False)
    class Base(Loss):
        gamma: float = 2.0

    @registry.register(name="loss")
    class Derived(Base):
        def __init__(self, strength: int) -> None:
            super().__init__(gamma=float(strength))

    assert codes(registry, "loss", {"gamma": 1.0, "strength": 1}) == [("unknown-parameter", "params.gamma")]
    assert build({"name": "loss", "params": {"strength": 3}}, registry=registry).gamma == 3.0


def test_inherited_fields_are_parameters(registry):
    """An attrs class takes the fields of its bases."""

    @attrs.define(slots=False)
    class Base(Loss):
        gamma: float = 2.0

    @registry.register(name="loss")
    @attrs.define(slots=False)
    class Derived(Base):
        alpha: float = 1.0

    assert codes(registry, "loss", {"gamma": "x", "alpha": "y"}) == [
        ("wrong-type", "params.gamma"),
        ("wrong-type", "params.alpha"),
    ]


def test_dataclasses_are_read_by_their_signature(registry):
    """Annotations and defaults of a dataclass are those of its constructor."""

    @registry.register(name="loss")
    @dataclass
    class Data(Loss):
        gamma: float
        weights: list[float] = field(default_factory=list)

    assert codes(registry, "loss", {"weights": ["x"]}) == [
        ("wrong-type", "params.weights[0]"),
        ("missing-parameter", "params.gamma"),
    ]


def test_a_wrapped_constructor_is_read_through_its_wrapper(registry):
    """A decorator that uses functools.wraps hides nothing."""

    def traced(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @registry.register(name="loss")
    class Wrapped(Loss):
        @traced
        def __init__(self, gamma: float = 2.0) -> None:
            self.gamma = gamma

    assert codes(registry, "loss", {"gamma": "x", "gama": 1}) == [
        ("wrong-type", "params.gamma"),
        ("unknown-parameter", "params.gama"),
    ]


def test_parameters_without_annotation_take_plain_data(registry):
    """Nothing is known of them, so nothing is refused."""

    @registry.register(name="loss")
    class Bare(Loss):
        def __init__(self, gamma=2.0):
            self.gamma = gamma

    assert build({"name": "loss", "params": {"gamma": ["x"]}}, registry=registry).gamma == ["x"]


def test_arbitrary_keyword_arguments_cannot_be_checked(losses):
    """What a constructor does not name is refused, even if it would take it; what it names is checked."""
    (problem,) = check({"name": "open_loss", "params": {"scale": 2, "speed": 1}}, registry=losses)
    assert problem.code == "unchecked-parameter"
    assert problem.message == "open_loss takes arbitrary keyword arguments, so 'speed' cannot be checked"


def test_a_class_without_a_constructor_takes_nothing(registry):
    """A class that inherits ``(*args, **kwargs)`` is built without parameters."""

    @registry.register(name="loss")
    class Simple(Loss):
        def __init__(self, *args, **kwargs):
            assert not args
            assert not kwargs

    assert isinstance(build("loss", registry=registry), Simple)
    assert codes(registry, "loss", {"gamma": 1}) == [("unchecked-parameter", "params.gamma")]


def test_a_constructor_that_needs_positions_cannot_be_used(registry):
    """A config gives parameters by name only."""

    @registry.register(name="loss")
    class Positional(Loss):
        def __init__(self, size, /):
            self.size = size

    (problem,) = check("loss", registry=registry)
    assert problem.code == "unusable-constructor"
    assert (
        problem.message == "loss cannot be built from a config: its constructor takes 'size' by position only"
    )


def test_a_loss_that_cannot_be_imported_is_a_problem(registry):
    """A lazy entry whose module is missing is told as such, with the name that wanted it."""
    registry.register_lazy("lazy", "no_such_module_anywhere:Loss")
    (problem,) = check("lazy", registry=registry)
    assert problem.code == "unavailable-loss"
    assert "no_such_module_anywhere" in problem.message


def test_a_partial_is_a_constructor():
    """What it was given is a default, and the annotations are those of what it calls."""

    class Loss:
        def __init__(self, gamma: float, size: int = 1) -> None:
            self.gamma, self.size = gamma, size

    registry: Registry[Any] = Registry(name="partials")
    registry.register(functools.partial(functools.partial(Loss, size=2), size=3), name="loss")
    assert build({"name": "loss", "params": {"gamma": 2}}, registry=registry).size == 3
    (problem,) = check({"name": "loss", "params": {"gamma": "x"}}, registry=registry)
    assert problem.message == "gamma must be a number, not 'x'"
    assert list(describe("loss", registry=registry)["parameters"]) == ["gamma", "size"]
    assert "loss" in str(schema(registry=registry))
    make_manifest(registry, version="1")
