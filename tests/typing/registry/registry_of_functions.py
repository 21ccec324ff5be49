"""What type checkers know about a registry of functions. Checked, never run."""

from collections.abc import Callable

from typing_extensions import assert_type

from lossary_registry import Entry, FunctionRegistry

Activation = Callable[[float], float]


def check(name: str, item: object) -> None:
    """Accept everything."""


activations = FunctionRegistry[Activation]("activations", check=check)


# A decorated function stays what it is, names of its parameters included.
@activations.register
def relu(x: float) -> float:
    return max(x, 0.0)


@activations.register("leaky", tags=["piecewise"])
def leaky_relu(x: float, slope: float = 0.01) -> float:
    return max(x, slope * x)


assert_type(relu(x=1.0), float)
assert_type(leaky_relu(x=1.0, slope=0.1), float)

# What comes out is called as the registry's type says.
assert_type(activations.get("leaky")(1.0), float)
assert_type(activations["leaky"](1.0), float)
assert_type(activations.entry("leaky"), Entry[Activation])
assert_type(activations.entry("leaky").load()(1.0), float)

with activations.override("leaky", relu):
    assert_type(activations.parent, FunctionRegistry[Activation] | None)

found = activations.get("leaky", None)
if found is not None:
    assert_type(found(1.0), float)
