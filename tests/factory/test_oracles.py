"""Other libraries judge the same things: what a type accepts, and what a scalar means."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_origin

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossary_factory import check
from lossary_factory._reading.from_yaml import scalar
from lossary_registry import Registry

annotated_types = pytest.importorskip("annotated_types")
pydantic = pytest.importorskip("pydantic")
ruamel_yaml = pytest.importorskip("ruamel.yaml")


class Mode(enum.Enum):
    SOFT = "soft"
    HARD = "hard"


TYPES = [
    *(bool, int, float, str, Mode, Literal["a", "b", 1], Literal[True, "x"]),
    *(float | None, int | str, float | str | None, bool | float, Mode | None),
    *(list[int], list[float], Sequence[float], tuple[float, ...], tuple[int, str], list[float] | None),
    *(dict[str, float], Mapping[str, list[int]], float | list[float] | None),
    Annotated[float, annotated_types.Ge(0)],
    Annotated[int, annotated_types.Gt(0), annotated_types.Le(5)],
    Annotated[list[float], annotated_types.MinLen(1), annotated_types.MaxLen(2)],
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(),
    st.sampled_from(["a", "b", "soft", "SOFT", "hard", "x", "1", "", 1.0, 2.0, 10**20]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ak"), inner, max_size=2),
    max_leaves=5,
)


def registry_of(hint):
    """Return a registry of one loss, whose parameter has a type."""

    class Loss:
        def __init__(self, value) -> None: ...

    Loss.__init__.__annotations__["value"] = hint
    registry = Registry(name="typed")
    registry.register(Loss, name="loss")
    return registry


JUDGES = [(hint, registry_of(hint), pydantic.TypeAdapter(hint)) for hint in TYPES]


def scalars(value):
    """Yield what a value is made of."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from scalars(item)
    else:
        yield value


def is_known(value):
    """Tell whether a value has something in it on which we mean to differ from pydantic.

    We refuse NaN and infinities, take members of an enum by their names as well, and tell 1, 1.0 and true
    apart where a Literal lists one of them.
    """
    return any(map(is_odd, scalars(value)))


def is_odd(scalar):
    """Tell whether it is an infinity, a NaN, the name of a member, or equal to one and not a whole number."""
    if isinstance(scalar, (bool, float)):
        return scalar == 1 or not math.isfinite(scalar)
    return scalar in ("SOFT", "HARD")


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(JUDGES), VALUES)
def test_types_accept_what_pydantic_accepts(judge, value):
    """A parameter takes a value where strict pydantic takes it out of JSON, known differences aside."""
    hint, registry, adapter = judge
    ours = check({"name": "loss", "params": {"value": value}}, registry=registry) == []
    try:
        adapter.validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError:
        theirs = False
    else:
        theirs = True
    tells_apart = get_origin(hint) is Literal and 1 in scalars(value)
    assert ours is theirs or tells_apart or is_known(value), (hint, value)


@pytest.mark.parametrize(
    ("hint", "value", "ours", "theirs"),
    [
        (float, math.nan, False, True),
        (list[float], [math.inf], False, True),
        (Mode, "SOFT", True, False),
        (Literal["a", 1], 1.0, False, True),
        (Literal["a", 1], True, False, True),
    ],
)
def test_known_differences_are_there(hint, value, ours, theirs):
    """What the rule above leaves out is what is meant to differ, and does."""
    assert (check({"name": "loss", "params": {"value": value}}, registry=registry_of(hint)) == []) is ours
    try:
        pydantic.TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError:
        assert not theirs
    else:
        assert theirs


TEXTS = st.one_of(
    st.text("+-.0123456789eE_xXobBaAfFnNiItTrRuUlLsSyY~:", min_size=1, max_size=6),
    st.from_regex(r"[-+]?[0-9.]{1,5}([eE][-+]?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(
        ["null", "Null", "~", "True", "FALSE", "yes", "no", "on", "off", "y", ".inf", "-.Inf", ".NAN"]
    ),
)
LEFT_OUT = re.compile(
    r"[-+]?\.[0-9_]+[eE][0-9]+"  # ruamel.yaml takes .5e3 for text: the specification has it among the numbers
    r"|.*_.*"  # reads 1_000 as YAML 1.1 does
    r"|[-+]0[xob].*|0b[01]+"  # signed and binary integers, which are YAML 1.1
    r"|\d{4}-\d\d?-\d\d?.*"  # dates, which the core schema does not have
)


@settings(max_examples=500, deadline=None)
@given(TEXTS.filter(lambda text: not LEFT_OUT.fullmatch(text)))
@example("1e-3")
@example("010")
@example("0o17")
@example("12:30:45")
@example("1.")
def test_scalars_mean_what_ruamel_yaml_says(text):
    """A plain scalar is the value, of the type, that a reader of YAML 1.2 gives."""
    try:
        read = ruamel_yaml.YAML(typ="safe", pure=True).load(f"- {text}\n")
    except ruamel_yaml.YAMLError:
        return  # no plain scalar
    (theirs,) = read
    if isinstance(theirs, (list, dict)):
        return  # no scalar
    ours = scalar(text)
    assert type(ours) is type(theirs)
    assert ours == theirs or math.isnan(ours)


@pytest.mark.parametrize(
    ("text", "ours"),
    [(".5e3", 500.0), ("1_000", "1_000"), ("+0x1", "+0x1"), ("0b11", "0b11"), ("2024-01-01", "2024-01-01")],
)
def test_what_is_left_out_follows_the_specification(text, ours):
    """Where ruamel.yaml reads more, or less, than the core schema, its table in section 10.3.2 decides."""
    assert scalar(text) == ours
