"""Annotations of newer Pythons, and unusual ones: they are understood, or say what no config can give."""

from __future__ import annotations

import enum
import gc
import json
import math
import sys
import typing
import weakref
from typing import Any, Literal

import pytest

from lossary_factory import build, check, describe, make_manifest, schema, validate
from lossary_factory._manifest.read import read_manifest
from lossary_registry import Registry


class Loss:
    """The base of the classes here."""


class Colour(enum.Enum):
    RED = 1
    BLUE = 2
    GREEN = "leaf"


def registered(annotation: Any, default: Any = ...) -> Registry[Loss]:
    """Return a registry with a loss whose one parameter is annotated so."""
    registry: Registry[Loss] = Registry(Loss, "Annotated")

    @registry.register(name="loss")
    class Annotated(Loss):
        def __init__(self, value: Any) -> None:
            self.value = value

    Annotated.__init__.__annotations__["value"] = annotation
    if default is not ...:
        Annotated.__init__.__defaults__ = (default,)
    return registry


def codes(registry: Registry[Loss], value: Any) -> list[str]:
    return [
        problem.code for problem in check({"name": "loss", "params": {"value": value}}, registry=registry)
    ]


def of_newer_python(code: str, name: str) -> Any:
    """Run what older Pythons cannot even read."""
    space = {"__name__": __name__, "Any": Any, "typing": typing}
    exec(code, space)  # noqa: S102
    return space[name]


newer = pytest.mark.skipif(sys.version_info < (3, 12), reason="type X = ... is of Python 3.12")


@newer
@pytest.mark.parametrize(
    ("code", "name", "good", "bad"),
    [
        ("type Tree = dict[str, Tree] | float", "Tree", [1.5, {"a": 1}, {"a": {"b": 2}}], ["a", [1]]),
        ("type Words = list[str]", "Words", [["a"]], ["a", [1]]),
        ("type Vec[T] = list[T]\nX = Vec[int]", "X", [[1, 2]], [["a"], 1]),
        ("type Pair[A, B] = tuple[B, A]\nX = Pair[int, str]", "X", [["a", 1]], [[1, "a"]]),
        ("type Same[T] = T\nX = Same[int]", "X", [1], ["a"]),
        ("type Deep[T] = T | list[Deep[T]]\nX = Deep[int]", "X", [1, [1], [[1]]], ["a"]),
        ("type Lost = list[NotThere]", "Lost", [[1], "a"], []),
        ("type Ring = Ring", "Ring", [1, "a"], []),
        ("X = tuple[int, *tuple[str, ...]]", "X", [[1], [1, "a"], [1, "a", "b"]], [[], ["a"], [1, 2]]),
        ("X = tuple[int, *tuple[str, ...], bool]", "X", [[1, True], [1, "a", True]], [[1], [1, "a"]]),
        ("X = tuple[int, *tuple[str, bool]]", "X", [[1, "a", True]], [[1], [1, "a"]]),
        ("X = tuple[*tuple[int, ...]]", "X", [[], [1, 2]], [["a"]]),
    ],
)
def test_types_of_python_3_12(code, name, good, bad):
    """Aliases with and without parameters, recursive ones, and tuples within tuples are understood."""
    registry = registered(of_newer_python(code, name))
    for value in good:
        assert codes(registry, value) == []
    for value in bad:
        assert codes(registry, value)
    describe("loss", registry=registry)
    json.dumps(schema(registry=registry))
    manifest = json.loads(json.dumps(make_manifest(registry, version="1")))
    described = read_manifest(manifest, "", lambda: registry)
    for value in (*good, *bad):
        assert codes(described, value) == codes(registry, value)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="ReadOnly is of Python 3.13")
@pytest.mark.parametrize("postponed", ["", "from __future__ import annotations\n"])
def test_keys_that_are_only_read(postponed):
    """``ReadOnly`` says nothing of values: what it holds does, and the words around and in it."""
    code = """
class Options(typing.TypedDict):
    size: typing.ReadOnly[int]
    mode: typing.ReadOnly[typing.NotRequired[str]]
"""
    registry = registered(of_newer_python(postponed + code, "Options"))
    assert codes(registry, {"size": 1}) == []
    assert codes(registry, {"size": "a"}) == ["wrong-type"]
    assert codes(registry, {"mode": "a"}) == ["missing-key"]
    assert codes(registry, {"size": 1, "mode": 2}) == ["wrong-type"]


@pytest.mark.parametrize("written", ["RED", 1, Colour.RED])
def test_a_literal_of_members(written):
    """Members of an enum are written as everywhere, and only those that are listed will do."""
    registry = registered(Literal[Colour.RED, Colour.GREEN, "all"], Colour.GREEN)
    config = {"name": "loss", "params": {"value": written}}
    assert build(config, registry=registry).value is Colour.RED
    (problem,) = check({"name": "loss", "params": {"value": "BLUE"}}, registry=registry)
    assert problem.message == "value must be 'all', 'RED' or 'leaf', not 'BLUE'"
    spec = validate("loss", registry=registry)
    assert spec.to_dict(defaults=True) == {"name": "loss", "params": {"value": "leaf"}}
    assert validate(spec.to_dict(defaults=True), registry=registry) == spec.with_defaults()
    json.dumps(schema(registry=registry))
    described = read_manifest(
        json.loads(json.dumps(make_manifest(registry, version="1"))), "", lambda: registry
    )
    assert codes(described, "BLUE") == ["wrong-type"]
    assert codes(described, "RED") == []


def test_a_literal_of_bytes_is_for_python():
    """No file can hold bytes: they are given in Python, and nothing that describes the loss breaks."""
    registry = registered(Literal[b"x", "y"], b"x")
    assert codes(registry, b"x") == codes(registry, "y") == []
    assert codes(registry, 1) == ["wrong-type"]
    json.dumps(schema(registry=registry))
    json.dumps(make_manifest(registry, version="1"))


def test_an_enum_without_members():
    """A base of enums names no value that a config could give, and breaks nothing."""
    registry = registered(enum.Enum, Colour.RED)
    assert codes(registry, Colour.BLUE) == []
    assert codes(registry, "RED") == ["wrong-type"]
    assert check("loss", registry=registry) == []
    describe("loss", registry=registry)
    json.dumps(schema(registry=registry))
    json.dumps(make_manifest(registry, version="1"))


class Unhashable(type):  # noqa: PLW1641  # that is what it is for
    def __eq__(cls, other):
        return cls is other


def test_a_class_without_a_hash():
    """What was registered need not be hashable: a metaclass may compare, and a callable object as well."""
    registry = Registry(Loss, "Unhashable")

    @registry.register(name="compared")
    class Compared(Loss, metaclass=Unhashable):
        def __init__(self, scale: float = 1.0) -> None:
            self.scale = scale

    assert check({"name": "compared", "params": {"scale": "a"}}, registry=registry)
    assert build({"name": "compared", "params": {"scale": 2}}, registry=registry).scale == 2
    assert describe("compared", registry=registry)["parameters"].keys() == {"scale"}
    schema(registry=registry)


def test_a_class_that_nobody_needs_is_released():
    """What was read of a class does not keep it alive: notebooks define theirs again and again."""

    def used():
        registry = registered(float)
        assert codes(registry, 1) == []
        return weakref.ref(registry.get("loss"))

    released = [used() for _ in range(3)]
    gc.collect()
    assert [each() for each in released] == [None] * 3


def test_a_new_initializer_is_read():
    """A class that gets another ``__init__`` takes what that takes."""
    registry = registered(float)
    assert codes(registry, "a") == ["wrong-type"]

    def __init__(self, value: str) -> None: ...  # noqa: N807

    registry.get("loss").__init__ = __init__
    assert codes(registry, "a") == []


class Singleton(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)


class Handed(Loss):
    def __new__(cls, *_args, **_kwargs):
        return super().__new__(cls)

    def __init__(self, scale: float, power: int = 2) -> None:
        self.scale = scale


class Single(Loss, metaclass=Singleton):
    def __init__(self, scale: float, power: int = 2) -> None:
        self.scale = scale


@pytest.mark.parametrize("loss_class", [Handed, Single])
def test_what_hands_everything_on_takes_what_the_initializer_takes(loss_class):
    """A ``__new__``, or the call of a metaclass, that names nothing leaves it to ``__init__`` to say."""
    registry = Registry(Loss, "Handed")
    registry.register(loss_class, name="loss")
    (missing,) = check("loss", registry=registry)
    assert (missing.code, missing.path) == ("missing-parameter", "params.scale")
    assert build({"name": "loss", "params": {"scale": math.e}}, registry=registry).scale == math.e
