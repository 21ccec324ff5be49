# ruff: noqa: UP006, UP007, UP035, UP045  # the older spellings are tested as well
from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Tuple, TypedDict, Union

import attrs
import pytest

from lossary_factory import build, check, validate
from lossary_factory._parameters.hints import Hints
from lossary_factory._validation import Validation
from lossary_registry import Registry

Count = NewType("Count", int)


class Loss:
    """The base of the classes here."""


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@attrs.frozen
class Range:
    ge: float | None = None
    lt: float | None = None
    max_length: int | None = None


@attrs.frozen
class AllowInfNan:
    allow_inf_nan: bool = True


def taking(annotation: Any, registry: Any, **default: Any) -> Any:
    """Register a loss whose constructor takes one ``value`` with an annotation."""

    class Taking(Loss):
        def __init__(self, value):
            self.value = value

    Taking.__init__.__annotations__["value"] = annotation
    if default:
        Taking.__init__.__defaults__ = (default["default"],)
    registry.register(Taking, name="taking", force=True)
    return registry


@pytest.fixture
def registry():
    return Registry(Loss, "Annotated")


NUMBER = "value must be a number, not "
TEXTS = "value must be a list of values that are each text, not "


class Ends(TypedDict, total=False):
    high: float
    inner: Limits


class Limits(Ends):
    low: float


@pytest.mark.parametrize(
    ("annotation", "given", "built"),
    [
        (bool, True, True),
        (int, 3, 3),
        (float, 3, 3.0),
        (float, 0.5, 0.5),
        (str, "x", "x"),
        (None, None, None),
        (Literal["a", 1], "a", "a"),
        (Literal["a", 1], 1, 1),
        (Size, "LARGE", Size.LARGE),
        (Size, 1, Size.SMALL),
        (Size, Size.SMALL, Size.SMALL),
        (Optional[float], None, None),
        (Union[int, str], "x", "x"),
        (float | None, 1, 1.0),
        (list[float], [1, 2], [1.0, 2.0]),
        (list[float], (1, 2), [1.0, 2.0]),
        (Sequence[int], [1], [1]),
        (list, [1, "x"], [1, "x"]),
        (tuple[float, ...], [1, 2], (1.0, 2.0)),
        (tuple[int, str], [1, "x"], (1, "x")),
        (set[int], [1, 2, 1], {1, 2}),
        (set, {1}, {1}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (Path, "folder/file", Path("folder/file")),
        (Path | None, Path("file"), Path("file")),
        (str | Path, "file", "file"),
        (Limits, {"low": 1}, {"low": 1.0}),
        (Limits, {"low": 1, "inner": {"low": 2}}, {"low": 1.0, "inner": {"low": 2}}),
        (tuple[()], [], ()),
        (Tuple, [1, "x"], (1, "x")),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Mapping[int, str], {1: "x"}, {1: "x"}),
        (dict, {"a": [1]}, {"a": [1]}),
        (float | list[float], [1], [1.0]),
        (list[int] | list[str], ["x"], ["x"]),
        (Count, 2, 2),
        (Annotated[float, Range(ge=0)], 0, 0.0),
        (Annotated[list[int], Range(max_length=2)], [1, 2], [1, 2]),
        (Annotated[float, AllowInfNan()], math.inf, math.inf),
        (Any, {"a": [1]}, {"a": [1]}),
        (object, "x", "x"),
        (complex, "x", "x"),
        ("float", 1, 1.0),
        ("Sequence[float] | Tensor | None", [1], [1.0]),
        ("Sequence[float] | torch.Tensor", [1], [1.0]),
        ("Tensor", [[1]], [[1]]),
        ("Missing[int] | None", 5, 5),
        ("not an annotation", 5, 5),
    ],
)
def test_a_value_of_the_right_type_is_accepted(registry, annotation, given, built):
    """Each supported annotation takes what it says, and the constructor gets it as it says."""
    result = build(
        {"name": "taking", "params": {"value": given}}, registry=taking(annotation, registry)
    ).value
    assert result == built
    assert type(result) is type(built)


@pytest.mark.parametrize(
    ("annotation", "given", "code", "message"),
    [
        (bool, 1, "wrong-type", "value must be true or false, not 1"),
        (int, True, "wrong-type", "value must be a whole number, not true"),
        (int, 1.5, "wrong-type", "value must be a whole number, not 1.5"),
        (float, True, "wrong-type", NUMBER + "true"),
        (float, "1", "wrong-type", NUMBER + "'1'"),
        (float, None, "wrong-type", NUMBER + "null"),
        (float, [1], "wrong-type", NUMBER + "a list"),
        (float, {}, "wrong-type", NUMBER + "a mapping"),
        (float, math.nan, "not-finite", "value must be finite, not nan"),
        (float, 10**400, "out-of-range", "value is too large for a number"),
        (str, 1, "wrong-type", "value must be text, not 1"),
        (Literal["a", 1], True, "wrong-type", "value must be 'a' or 1, not true"),
        (Size, "TINY", "wrong-type", "value must be 'SMALL' or 'LARGE', not 'TINY'"),
        (float | None, "x", "wrong-type", "value must be a number or null, not 'x'"),
        (list[float], 1, "wrong-type", "value must be a list of numbers, not 1"),
        (list[float], "ab", "wrong-type", "value must be a list of numbers, not 'ab'"),
        (list[float], [1, "x"], "wrong-type", "value[1] must be a number, not 'x'"),
        (list[list[int]], [[1], ["x"]], "wrong-type", "value[1][0] must be a whole number, not 'x'"),
        (
            tuple[int, str],
            [1],
            "wrong-type",
            "value must be a list of 2 values (a whole number, text), not a list",
        ),
        (dict[str, float], {"a": "x"}, "wrong-type", "a must be a number, not 'x'"),
        (dict[str, float], {1: 2}, "bad-key", "a key of value must be text, not 1"),
        (float | list[float], ["x"], "wrong-type", "value[0] must be a number, not 'x'"),
        (Annotated[float, Range(ge=0)], -1, "out-of-range", "value must be >= 0, not -1"),
        (Annotated[float, Range(ge=0, lt=1)], 1, "out-of-range", "value must be < 1, not 1"),
        (list[Annotated[float, Range(ge=0)]], [-1], "out-of-range", "value[0] must be >= 0, not -1"),
        (
            Annotated[list[int], Range(max_length=1)],
            [1, 2],
            "out-of-range",
            "value must be of length <= 1, not a list",
        ),
        ("Sequence[float] | Tensor | None", ["x"], "wrong-type", "value[0] must be a number, not 'x'"),
        (
            "Sequence[float] | Tensor | None",
            "x",
            "wrong-type",
            "value must be a list of numbers, a Tensor or null, not 'x'",
        ),
        (set[int], ["x"], "wrong-type", "value[0] must be a whole number, not 'x'"),
        (set[int], 3, "wrong-type", "value must be a list of whole numbers, not 3"),
        (frozenset[str], "ab", "wrong-type", TEXTS + "'ab'"),
        (Path, 3, "wrong-type", "value must be the path of a file or folder, as text, not 3"),
        (Limits, 3, "wrong-type", "value must be a mapping with the keys high, inner, low, not 3"),
        (Limits, {"low": "x"}, "wrong-type", "low must be a number, not 'x'"),
        (Limits, {"low": 1, "hihg": 2}, "bad-key", "value has no key 'hihg'"),
        (Limits, {}, "missing-key", "value needs the key 'low', which must be a number"),
        (tuple[()], [1], "wrong-type", "value must be a list of 0 values (), not a list"),
        (int, 1 << 5000, "out-of-range", "value is too large for a whole number"),
        (
            dict[int, int],
            {1 << 5000: 1},
            "out-of-range",
            "value[an enormous whole number] is too large for a whole number",
        ),
        (Any, [1 << 5000], "out-of-range", "value[0] is too large for a whole number"),
        (Loss, 1, "wrong-type", "value must be a loss, not 1"),
        (Loss, "nothing", "unknown-loss", "Annotated has no loss 'nothing'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(registry, annotation, given, code, message):
    """Each supported annotation refuses all else, without coercing, and says what it wants."""
    (problem,) = check({"name": "taking", "params": {"value": given}}, registry=taking(annotation, registry))
    assert (problem.code, problem.message) == (code, message)


@pytest.mark.parametrize(
    ("annotation", "given", "hint"),
    [
        (float, "1e-3", "write 1e-3, without quotes"),
        (int, 2.0, "write 2"),
        (bool, "no", "write false, without quotes"),
        (str, 3, "put it in quotes"),
        (Literal["mean", "sum"], "maen", "did you mean 'mean'?"),
        (Size, "small", "did you mean 'SMALL'?"),
        (list[float], 1, "a list has brackets: [1]"),
    ],
)
def test_a_small_slip_gets_its_mend(registry, annotation, given, hint):
    """Where one small change makes the value right, the hint names it."""
    (problem,) = check({"name": "taking", "params": {"value": given}}, registry=taking(annotation, registry))
    assert problem.hint == hint


def test_a_default_of_infinity_allows_infinities(registry):
    """A class whose own default is not finite means that such values make sense."""
    taking(float, registry, default=math.inf)
    assert build({"name": "taking", "params": {"value": -math.inf}}, registry=registry).value == -math.inf


def test_a_default_of_none_allows_null(registry):
    """``value: float = None`` takes null, though its annotation forgets to say so."""
    taking(float, registry, default=None)
    assert build({"name": "taking", "params": {"value": None}}, registry=registry).value is None


def test_a_loss_of_another_kind_is_refused(registry):
    """A parameter annotated with a subclass takes losses of that subclass only."""

    @registry.register(name="special")
    class Special(Loss):
        pass

    @registry.register(name="plain")
    class Plain(Loss):
        pass

    taking(Special, registry)
    assert check({"name": "taking", "params": {"value": "special"}}, registry=registry) == []
    (problem,) = check({"name": "taking", "params": {"value": "plain"}}, registry=registry)
    assert (problem.code, problem.message) == ("wrong-kind", "value must be a Special, and plain is none")


def test_a_spec_keeps_no_hold_of_the_config(registry):
    """A config that changes after validation leaves the spec as it was."""
    config = {"name": "taking", "params": {"value": {"a": [1]}}}
    spec = validate(config, registry=taking(Any, registry))
    config["params"]["value"]["a"].append(2)
    assert spec.params == {"value": {"a": [1]}}


class Group:
    """Stands for what only a running program has, such as a process group."""


class Array:
    """Stands for an array: it says so as NumPy's protocol has it."""

    def __array__(self):
        raise NotImplementedError


def test_alternatives_are_one_list(registry):
    """Words and null are joined by commas, with one 'or' before the last."""
    taking(Literal["a", "b"] | None, registry)
    (problem,) = check({"name": "taking", "params": {"value": "x"}}, registry=registry)
    assert problem.message == "value must be 'a', 'b' or null, not 'x'"


@pytest.mark.parametrize(
    "annotation", [Group | None, Optional[Group], "Group | None", Callable[..., int] | None]
)
def test_an_optional_object_is_no_plain_data(registry, annotation):
    """``Group | None`` takes null and, in Python, a Group; no text or number can stand for one."""
    taking(annotation, registry, default=None)
    for given in (None, Group() if "Group" in str(annotation) else len):
        assert build({"name": "taking", "params": {"value": given}}, registry=registry).value is given
    (problem,) = check({"name": "taking", "params": {"value": "x"}}, registry=registry)
    assert problem.code == "wrong-type"


@pytest.mark.parametrize("annotation", [Array | None, "Tensor | None", "Array | Group | None"])
def test_an_optional_array_takes_plain_data(registry, annotation):
    """A list can stand for an array, and for a type of which nothing is known."""
    taking(annotation, registry, default=None)
    assert build({"name": "taking", "params": {"value": [1]}}, registry=registry).value == [1]


def test_what_no_file_can_hold_is_not_offered(registry):
    """A parameter that takes nothing but an object, and can be left out, is missing from the lists."""

    @registry.register(name="shared")
    class Shared(Loss):
        def __init__(self, size: int = 1, group: Group | None = None) -> None: ...

    (problem,) = check({"name": "shared", "params": {"groop": 1}}, registry=registry)
    assert problem.hint == "shared takes: size"


@pytest.mark.parametrize(
    "annotation",
    [
        float,
        int,
        bool,
        str,
        Literal["a", 1],
        Size,
        float | None,
        Annotated[float, Range(ge=0, lt=1)],
        Annotated[float | None, Range(ge=0)],
        Annotated[float, AllowInfNan()],
        list[float] | float | None,
        Any,
    ],
)
@pytest.mark.parametrize("value", [None, True, 0, 1, -1, 0.5, 1.0, math.nan, math.inf, "a", "b", 1.5])
def test_what_is_taken_as_it_is_would_be_taken_in_full(registry, annotation, value):
    """The short way to accept a value accepts nothing that the long way refuses or changes."""
    check = Hints(Loss).kind(annotation)
    validation = Validation(registry)
    takes_as_is = check.as_is()
    if takes_as_is is not None and takes_as_is(value):
        assert check(value, ("value",), validation) is value
        assert validation.problems == []


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        (set[int], [3, 1, 2]),
        (frozenset[str], ["b", "a"]),
        (Path, "folder/file"),
        (Limits, {"low": 1}),
        (list[set[Loss]], [["plain"]]),
    ],
)
def test_what_becomes_an_object_is_written_as_it_was_read(registry, annotation, given):
    """Sets and paths are values of specs like others: written, compared, hashed, and built anew each time."""
    registry.register(Loss, name="plain")
    spec = validate({"name": "taking", "params": {"value": given}}, registry=taking(annotation, registry))
    again = validate(spec.to_dict(), registry=registry)
    assert (again, hash(again), again.fingerprint()) == (spec, hash(spec), spec.fingerprint())
    assert type(spec.build().value) is type(again.build().value)


class Unhashable:
    __hash__ = None


@pytest.mark.parametrize(
    "annotation", [set[int], frozenset[int], Optional[set[int]], set[Any], set[Unhashable]]
)
@pytest.mark.parametrize("item", [[1], {"a": 1}, [[1]], Unhashable()])
def test_what_no_set_can_hold_is_a_problem(annotation, item):
    """A wrong item of what becomes a set is refused like any other, and raises nothing."""

    class Setting(Loss):
        def __init__(self, classes: annotation = ()) -> None: ...

    Setting.__init__.__annotations__["classes"] = annotation
    registry = Registry(Loss, "Settings")
    registry.register(Setting)
    problems = check({"name": "Setting", "params": {"classes": [item]}}, registry=registry)
    is_fine = annotation in (set[Any], set[Unhashable]) and not isinstance(item, Unhashable)
    assert bool(problems) is not is_fine
