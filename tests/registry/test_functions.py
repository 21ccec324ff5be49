"""A registry of functions is a registry like others, but for what it holds."""

from collections.abc import Callable

import pytest

from lossary_registry import DuplicateNameError, FunctionRegistry, NotAcceptedError


def one_argument(name, function):
    """Refuse what does not take one argument."""
    if function.__code__.co_argcount != 1:
        raise ValueError(f"{name} has to take one argument")


@pytest.fixture
def activations():
    """A registry of functions of one argument."""
    return FunctionRegistry[Callable[[float], float]]("activations", check=one_argument)


def test_functions_are_found_by_name(activations):
    """A decorated function stays what it is, and is found under its name and aliases."""

    @activations.register(tags=["piecewise"], aliases=["rectifier"])
    def relu(x):
        return max(x, 0.0)

    assert relu(-1.0) == 0.0
    assert activations.get("relu") is relu
    assert activations["rectifier"] is relu
    assert activations.filter_by_tag("piecewise") == ["relu"]
    assert activations.entry("relu").load() is relu


def test_functions_are_registered_by_a_call(activations):
    """A function from elsewhere is registered under a name of one's own."""
    activations.register("half")(lambda x: x / 2)
    assert activations.register(abs_, name="size") is abs_
    assert activations.list() == ["half", "size"]


def abs_(x):
    """Give the size of a number."""
    return abs(x)


def test_the_check_refuses(activations):
    """What the check refuses, and what cannot be called, does not get in."""
    with pytest.raises(NotAcceptedError, match="has to take one argument"):
        activations.register(lambda: 0.0, name="zero")
    with pytest.raises(NotAcceptedError, match="callable"):
        activations.register(3, name="three")
    assert len(activations) == 0


def test_a_taken_name_is_refused(activations):
    """Another function does not take a name unasked."""
    activations.register(abs_, name="size")
    with pytest.raises(DuplicateNameError, match="size"):
        activations.register(lambda x: x, name="size")


def test_a_parent_is_asked(activations):
    """What a child does not know, its parent is asked for; a closed vocabulary is the child's own."""
    activations.register(abs_, name="size")
    child = FunctionRegistry("more activations", parent=activations, tags=["smooth"])
    assert child.get("size") is abs_
    assert child.parent is activations
    assert repr(child) == "<FunctionRegistry 'more activations': 0 names>"


def test_the_name_may_be_left_out():
    """Messages call a registry without a name by its class."""
    assert FunctionRegistry().name == "FunctionRegistry"
