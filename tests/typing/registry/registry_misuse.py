"""Mistakes that every type checker has to see. Checked, never run.

Each comment that ignores an error is itself an error where there is none.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Callable

from lossary_registry import Deprecated, FunctionRegistry, Registry


class Shape: ...


class Circle(Shape):
    radius = 1.0


shapes = Registry(Shape, "shapes")


# A registry of classes holds no functions.
@shapes.register  # type: ignore[call-overload]  # ty: ignore
def area() -> float:
    return 0.0


@shapes.register("area")  # type: ignore[type-var]  # ty: ignore
def other_area() -> float:
    return 0.0


# Only the base class's own attributes are known of what comes out.
radius = shapes.instantiate("Circle").radius  # type: ignore[attr-defined]  # ty: ignore

# Names, tags and options have types.
shapes.get(7)  # type: ignore[call-overload]  # ty: ignore
shapes.register(None)  # type: ignore[call-overload]  # ty: ignore
shapes.register(Circle, nme="circle")  # type: ignore[call-overload]  # ty: ignore
shapes.register(Circle, tags=[7])  # type: ignore[list-item]  # ty: ignore
shapes.register(Circle, deprecated="0.3")  # type: ignore[call-overload]  # ty: ignore
shapes.filter(any=["flat"])  # type: ignore[call-arg]  # ty: ignore
Deprecated("0.3")  # type: ignore[call-arg]  # ty: ignore

# A stand-in is of the base class.
shapes.override("Circle", int)  # type: ignore[arg-type]  # ty: ignore

# The name comes second, and a parent holds the same kind of thing.
Registry("shapes")  # type: ignore[arg-type]  # ty: ignore
Registry(int, parent=shapes)  # type: ignore[misc]  # ty: ignore

# Records and names are read-only.
shapes.name = "other"  # type: ignore[misc]  # ty: ignore
shapes.entry("Circle").metadata["sides"] = 0  # type: ignore[index]  # ty: ignore
shapes.snapshot()["Circle"] = shapes.entry("Circle")  # type: ignore[index]  # ty: ignore

# A registry of functions gives functions of its type.
activations = FunctionRegistry[Callable[[float], float]]("activations")
activations.override("relu", len)  # type: ignore[arg-type]  # ty: ignore
activations.get("relu")("text")  # type: ignore[arg-type]  # ty: ignore
activations.get("relu")(1.0, 2.0)  # type: ignore[call-arg]  # ty: ignore
