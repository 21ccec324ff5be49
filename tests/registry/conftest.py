"""What the tests of the registry share."""

import pytest

from lossary_registry import Registry


class Shape:
    """The base class that the tests register subclasses of."""


class Circle(Shape):
    """A round shape."""

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
