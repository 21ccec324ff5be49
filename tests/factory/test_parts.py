"""Parts of losses, such as schedules of weights."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lossary_factory import _collections, build, check, load, validate
from lossary_registry import Registry


def term(weight):
    return {"sum": {"a": {"name": "dice_loss", "weight": weight}}}


def test_a_weight_may_be_a_schedule(losses):
    """``{schedule: NAME}``, with its parameters beside it, is built and handed over as a weight."""
    loss = build(term({"schedule": "linear", "final": 1, "unit": "epoch"}), registry=losses)
    schedule = loss.weights["a"]
    assert (type(schedule).__name__, schedule.final, schedule.unit) == ("LinearSchedule", 1.0, "epoch")


def test_a_part_may_stand_in_parameters(losses):
    """Where the class takes weights by name, a schedule is written in the same way."""
    config = {
        "name": "weighted_sum",
        "params": {"terms": {"a": "dice_loss"}, "weights": {"a": {"schedule": "linear", "final": 1}}},
    }
    assert validate(config, registry=losses) == validate(
        term({"schedule": "linear", "final": 1}), registry=losses
    )


@pytest.mark.parametrize(
    ("weight", "code", "path"),
    [
        ({}, "missing-name", "weight"),
        ({"final": 1}, "missing-name", "weight"),
        ({"schedule": "liner", "final": 1}, "unknown-schedule", "weight.schedule"),
        ({"schedule": 1, "final": 1}, "wrong-type", "weight.schedule"),
        ({"shedule": "linear", "final": 1}, "unexpected-key", "weight.shedule"),
        ({"schedule": "linear"}, "missing-parameter", "weight.final"),
        ({"schedule": "linear", "final": "x"}, "wrong-type", "weight.final"),
        ({"schedule": "linear", "final": 1, "end": 0}, "out-of-range", "weight.end"),
        ({"schedule": "linear", "final": 1, "ende": 1}, "unknown-parameter", "weight.ende"),
        ("linear", "wrong-type", "weight"),
    ],
)
def test_a_wrong_part_is_reported_like_a_wrong_loss(problem, weight, code, path):
    """The name, the parameters and the key word of a part are checked like those of a loss."""
    found = problem(term(weight))
    assert (found.code, found.path) == (code, f"sum.a.{path}")


def test_a_bare_name_of_a_part_gets_its_mend(problem):
    """A schedule that is written as a loss could be is shown how it is written."""
    assert problem(term("linear")).hint == "write {schedule: linear}, with its parameters beside"


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_keys_that_are_numbers(losses, write, suffix):
    """Keys of TOML and JSON are text; where numbers are wanted, those that spell numbers are."""
    text = {
        ".toml": "[sum.a]\nname = 'dice_loss'\nweight = {schedule = 'piecewise', points = {0 = 0.5, 20 = 1}}",
        ".json": '{"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "piecewise", '
        '"points": {"0": 0.5, "20": 1}}}}}',
    }[suffix]
    spec = load(write(f"config{suffix}", text), registry=losses)
    assert spec.params["weights"]["a"].params["points"] == {0.0: 0.5, 20.0: 1.0}


def test_a_class_without_schedules_takes_numbers_only(empty, losses):
    """What a weight may be follows from what the class that sums is annotated with."""

    class Plain(empty.base_class):
        def __init__(self, terms: dict, weights: dict[str, float]) -> None: ...

    empty.register(Plain, name="weighted_sum")
    empty.register(losses.get("dice_loss"), name="dice_loss")
    (problem,) = check(term({"schedule": "linear", "final": 1}), registry=empty)
    assert problem.message == "weight must be a number >= 0, not a mapping"


def test_only_imported_collections_of_parts_are_asked(monkeypatch):
    """Looking for the parts of a class imports nothing: who has the class has its package."""

    class Base: ...

    registry = Registry(Base, "Parts")
    there = SimpleNamespace(name="step", module="sys", load=lambda: registry)
    elsewhere = SimpleNamespace(name="other", module="not_imported", load=lambda: pytest.fail("was loaded"))
    monkeypatch.setattr(_collections, "_part_entries", lambda: (elsewhere, there))
    assert _collections.parts_of(type("Sub", (Base,), {})) == ("step", registry)
    assert _collections.parts_of(int) is None
