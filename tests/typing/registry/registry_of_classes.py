"""What type checkers know about a registry of classes. Checked, never run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from typing_extensions import assert_type

from lossary_registry import Deprecated, Entry, Registry


class Shape:
    def area(self) -> float:
        return 0.0


shapes = Registry(Shape, "shapes")
assert_type(shapes, Registry[Shape])
assert_type(Registry(base_class=Shape, name="shapes"), Registry[Shape])
assert_type(shapes.base_class, type[Shape] | None)


# A decorated class stays what it is: its own attributes and constructor are known.
@shapes.register
class Circle(Shape):
    def __init__(self, radius: float) -> None:
        self.radius = radius


@shapes.register()
class Square(Shape):
    side = 1


@shapes.register("cube", tags=["solid"], aliases=["box"])
class Cube(Shape):
    edge = 1


@shapes.register(
    name="ball",
    aliases={"sphere": None, "globe": Deprecated(since="1")},
    metadata={"round": True},
    force=True,
)
class Ball(Shape):
    diameter = 1


assert_type(Circle(2.0).radius, float)
assert_type(Square.side, int)
assert_type(Cube.edge, int)
assert_type(Ball.diameter, int)
assert_type(shapes.register(Circle, name="other")(2.0).radius, float)

# What comes out is a class of the base, and what it makes is of the base.
assert_type(shapes.get("cube"), type[Shape])
assert_type(shapes["cube"], type[Shape])
assert_type(shapes.get("cube", None), type[Shape] | None)
assert_type(shapes.get("cube", int("7")), type[Shape] | int)
assert_type(shapes.instantiate("cube", 1, edge=2), Shape)
assert_type(shapes.instantiate("cube").area(), float)

assert_type(shapes.list(), list[str])
assert_type(shapes.list(available=True), list[str])
assert_type(shapes.list_with_tags(), dict[str, list[str]])
assert_type(shapes.filter_by_tag("solid"), list[str])
assert_type(shapes.filter(any_of=["solid"], pattern="c*"), list[str])
for name in shapes:
    assert_type(name, str)
assert_type(len(shapes), int)
assert_type("cube" in shapes, bool)
assert_type(shapes.version, int)
assert_type(shapes.describe(), str)

assert_type(shapes.entry("cube"), Entry[type[Shape]])
assert_type(shapes.entry("cube").load(), type[Shape])
assert_type(shapes.entry("cube").tags, tuple[str, ...])
assert_type(shapes.entry("cube").where, tuple[str, int] | None)
assert_type(shapes.unregister("cube"), Entry[type[Shape]])
assert_type(shapes.snapshot(), Mapping[str, Entry[type[Shape]]])

assert_type(shapes.override("cube", Circle), AbstractContextManager[None])
with shapes.isolated(empty=True) as isolated:
    assert_type(isolated, Registry[Shape])


# An abstract base class and a protocol are base classes like any other.
class Drawable(ABC):
    @abstractmethod
    def draw(self) -> str: ...


@runtime_checkable
class Sized(Protocol):
    def size(self) -> int: ...


assert_type(Registry(Drawable).get("line"), type[Drawable])
assert_type(Registry(Drawable).instantiate("line").draw(), str)
assert_type(Registry(Sized).get("line"), type[Sized])
assert_type(Registry(Sized).instantiate("line").size(), int)

# Without a base class the annotation says what is inside.
anything: Registry[Any] = Registry(name="anything")
anything.register(int)
assert_type(Registry[Shape](name="shapes").get("cube"), type[Shape])
assert_type(Registry(Shape, parent=shapes).get("cube"), type[Shape])


class Layer:
    """A base class whose instances can be called, as those of torch's modules can."""

    def __call__(self, x: float) -> float:
        return x


layers = Registry(Layer, "layers")
assert_type(layers.get("identity"), type[Layer])
assert_type(layers.instantiate("identity"), Layer)
