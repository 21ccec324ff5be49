from __future__ import annotations

import contextlib
import copy
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossary_factory import check, schema, validate
from lossary_factory._problems.problem import ConfigError
from lossary_factory._problems.source import Source
from lossary_factory._reading import from_json, from_toml, from_yaml
from lossary_factory._reading.complaints import Complaints
from lossary_registry import Registry

FORMATS = {".yaml": from_yaml, ".toml": from_toml, ".json": from_json}
WORDS = [
    *(
        "name",
        "params",
        "sum",
        "loss",
        "version",
        "weight",
        "type",
        "_target_",
        "gamma",
        "alpha",
        "smooth",
        "inner",
    ),
    *(
        "dice_loss",
        "focal_loss",
        "tversky_loss",
        "masked_loss",
        "open_loss",
        "weighted_sum",
        "terms",
        "weights",
    ),
    *("product", "heads", "deep_supervision", "use", "defs", "inputs", "schedule", "linear", "final"),
]
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=5),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(10**400),
)
KEYS = st.one_of(st.sampled_from(WORDS), SCALARS)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=15,
)
MARKS = [
    *"{}[]:,\n\"'#&*!|>-?=.%@`\\ \t\r",
    "\n  ",
    ": ",
    "- ",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "---\n",
    " = ",
]
ODDITIES = ['"""', "'''", "[[", "]]", "1e-3", "NaN", "null", "0x1F", "\u2028", "\ufeff", "\x07", "\U0001f600"]
SOUP = st.lists(st.sampled_from([*WORDS, *MARKS, *ODDITIES]), max_size=40).map("".join)
GOOD = {
    "version": 1,
    "defs": {"base": {"name": "focal_loss", "params": {"gamma": 1}}},
    "loss": {
        "sum": {
            "region": {"name": "dice_loss", "weight": 0.5, "params": {"smooth": 2, "mode": "hard"}},
            "pixel": {
                "sum": {
                    "focal": {
                        "name": "focal_loss",
                        "params": {"alpha": None, "weight": [1, 2.0], "reduction": "sum"},
                    },
                    "late": {
                        "weight": {"schedule": "linear", "final": 1, "unit": "epoch"},
                        "use": "base",
                    },
                    "other": {
                        "name": "masked_loss",
                        "params": {"inner": "dice_loss", "others": ["dice_loss"]},
                    },
                }
            },
        }
    },
}

# The registry is only read, and the machine may be busy.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(data, path=()):
    """Yield the path of every value."""
    yield path
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


def replaced(data, path, value):
    """Return a copy with another value at a path."""
    if not path:
        return value
    result = copy.copy(data)
    result[path[0]] = replaced(data[path[0]], path[1:], value)
    return result


@patient
@given(DATA, st.lists(st.text(st.sampled_from("abloss.=[]0'{}: \n"), max_size=15), max_size=2))
def test_arbitrary_overrides_are_applied_or_a_config_error(losses, data, overrides):
    """No override makes the factory raise anything but ConfigError."""
    assert all(str(problem) for problem in check(data, registry=losses, overrides=overrides))


@patient
@given(DATA)
def test_arbitrary_data_is_correct_or_a_config_error(composites, data):
    """No plain data makes the factory raise anything but ConfigError; what is correct can be written."""
    with contextlib.suppress(ConfigError):
        spec = validate(data, registry=composites)
        assert validate(spec.to_dict(), registry=composites) == spec
    assert all(str(problem) for problem in check(data, registry=composites))


@patient
@given(st.sampled_from(list(places(GOOD))), DATA)
def test_one_wrong_value_is_reported_where_it_stands(losses, path, value):
    """A correct config with another value in one place has problems in that place only, or none."""
    for problem in check(replaced(GOOD, path, value), registry=losses):
        assert problem.code
        assert len(path) < 2 or problem.path.startswith(("loss.sum", "defs.base"))


def test_the_config_that_is_changed_is_correct(losses):
    """Otherwise the rule above would say nothing."""
    assert check(GOOD, registry=losses) == []


@pytest.mark.parametrize("suffix", FORMATS)
@patient
@given(text=st.one_of(SOUP, st.text(st.characters(codec="utf-8"), max_size=60)))
def test_arbitrary_text_is_data_or_a_config_error(suffix, text):
    """No text makes a reader raise anything but ConfigError, and every problem points into the text."""
    source = Source(f"config{suffix}", text, FORMATS[suffix].find_places)
    complaints = Complaints(source)
    try:
        FORMATS[suffix].parse(text, complaints)
    except ConfigError as error:
        complaints.problems = list(error.problems)
    for problem in complaints.problems:
        line = re.split("\r\n|\r|\n", text)[problem.line - 1]
        printable = "".join(c if c == "\t" or c.isprintable() else "\ufffd" for c in line.rstrip("\r"))
        assert problem.line_text in printable
        assert len(problem.caret) <= len(problem.line_text) + 1
        assert 1 <= problem.column <= len(line) + 1


@pytest.mark.parametrize("suffix", FORMATS)
@patient
@given(text=SOUP)
def test_every_value_has_a_place(suffix, text):
    """Whatever can be read has a place for each of its values, so that problems can be shown."""
    complaints = Complaints(Source("", text, FORMATS[suffix].find_places))
    try:
        data = FORMATS[suffix].parse(text, complaints)
    except ConfigError:
        return
    found = FORMATS[suffix].find_places(text)
    # What stands behind an alias is shown at the alias.
    if "*" not in text and not complaints.problems:
        assert set(places(data)) <= set(found) | {()}


@patient
@given(
    data=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_json_places_are_those_of_the_values(data):
    """The text at the place of a value is that value."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    for path, place in from_json.find_places(text).items():
        value = data
        for key in path:
            value = value[key]
        assert json.loads(text[slice(*place.value)]) == value


@patient
@given(st.sampled_from(list(places(GOOD))), DATA)
def test_the_schema_accepts_what_is_correct(losses, path, value):
    """What has no problem is accepted by a real reader of JSON Schema, so that no editor underlines it."""
    jsonschema = pytest.importorskip("jsonschema")
    config = replaced(GOOD, path, value)
    try:
        data = json.loads(json.dumps(config, allow_nan=False))
    except (TypeError, ValueError):
        return  # no JSON, so nothing that an editor shows
    if data == config and check(config, registry=losses) == []:
        jsonschema.Draft7Validator(schema(registry=losses)).validate(config)


# What each parameter of the toys takes.
PARAMS = {
    "dice_loss": {
        "smooth": st.floats(0, 1e9) | st.integers(0, 9),
        "mode": st.sampled_from(["soft", "hard", "SOFT"]),
    },
    "focal_loss": {
        "gamma": st.floats(0, 1e9),
        "alpha": st.none() | st.floats(0, 1),
        "weight": st.none() | st.lists(st.floats(-1e9, 1e9), max_size=3),
        "reduction": st.sampled_from(["none", "mean", "sum"]),
    },
}
LEAVES = st.sampled_from(list(PARAMS)).flatmap(
    lambda name: (
        st.just(name)
        | st.fixed_dictionaries(
            {"name": st.just(name)}, optional={"params": st.fixed_dictionaries({}, optional=PARAMS[name])}
        )
    )
)
TERM_NAMES = st.text("abc_1", min_size=1, max_size=4)
SCHEDULES = st.fixed_dictionaries({"schedule": st.just("linear"), "final": st.floats(0, 9)})


def as_term(node, weight):
    """Return a node with a weight beside it."""
    return {**({"name": node} if isinstance(node, str) else node), "weight": weight}


CORRECT = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(
            TERM_NAMES,
            inner | st.builds(as_term, inner, st.floats(0, 9) | SCHEDULES),
            min_size=1,
            max_size=3,
        ).map(lambda terms: {"sum": terms})
        | st.builds(lambda inner: {"name": "masked_loss", "params": {"inner": inner}}, inner)
    ),
    max_leaves=6,
)


@patient
@given(CORRECT, st.booleans())
def test_what_is_correct_is_built_and_survives(losses, config, defaults):
    """Every correct config builds; written, with or without defaults, it means the same."""
    spec = validate(config, registry=losses)
    assert isinstance(spec.build(), losses.base_class)
    written = spec.to_dict(defaults=defaults)
    again = validate(json.loads(json.dumps(written)), registry=losses)
    assert again.fingerprint() == spec.fingerprint()
    assert again.with_defaults() == spec.with_defaults()


@patient
@given(CORRECT, st.floats(0, 9))
def test_replacing_is_overriding(losses, config, weight):
    """``replace`` on a spec, an override, and a change of the config itself give the same spec."""
    before = validate({"sum": {"a": config, "b": "dice_loss"}}, registry=losses)
    after = validate({"sum": {"a": config, "b": {"name": "dice_loss", "weight": weight}}}, registry=losses)
    assert before.replace("sum.b.weight", weight) == after
    data = {"sum": {"a": config, "b": {"name": "dice_loss"}}}
    assert validate(data, registry=losses, overrides=[f"sum.b.weight={weight!r}"]) == after
    assert after.replace("sum.b.weight", weight) == after


def test_plans_are_compiled_by_many_threads_at_once():
    """Threads that meet a class for the first time together see the same constructor."""

    class Loss:
        def __init__(self, gamma: float = 1.0, *, names: list[str] | None = None) -> None: ...

    registry = Registry(Loss, "threaded")
    registry.register(Loss, name="loss")
    gate = threading.Barrier(8)

    def judge(_number):
        gate.wait()
        return [problem.code for problem in check({"name": "loss", "params": {"gama": 1}}, registry=registry)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(judge, range(8))) == [["unknown-parameter"]] * 8
