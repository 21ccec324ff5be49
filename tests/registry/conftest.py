"""What the tests of the registry share."""

import importlib
import sys
import textwrap

import pytest

from lossary_registry import Registry


class Shape:
    """The base class that the tests register subclasses of."""


class Circle(Shape):
    """A round shape.

    It has a radius.
    """

    def __init__(self, radius=1.0, name="circle"):
        self.radius = radius
        self.name = name


class Square(Shape):
    """A shape with four corners."""


@pytest.fixture
def shapes():
    """A registry of shapes, with nothing in it."""
    return Registry(Shape, "shapes")


@pytest.fixture
def circle():
    return Circle


@pytest.fixture
def square():
    return Square


@pytest.fixture
def shape():
    return Shape


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """A function that writes a module where imports find it, and forgets at the end that it ever was."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(name, source):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return path

    yield write
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
