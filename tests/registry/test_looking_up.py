"""Getting things out of a registry by name."""

import inspect

import pytest

from lossary_registry import Deprecated, Registry, RegistryError, UnknownNameError


@pytest.fixture
def filled(shapes, circle, square):
    shapes.register(circle, name="circle", aliases=["round"])
    shapes.register(square, name="square")
    return shapes


def test_get(filled, circle):
    """``get`` returns the class itself."""
    assert filled.get("circle") is circle


def test_brackets(filled, circle):
    """Square brackets do what ``get`` does."""
    assert filled["circle"] is circle


def test_reversed(filled):
    """The names come from the last registered to the first."""
    assert [*reversed(filled)] == ["square", "circle"]


def test_a_session_completes_names_in_brackets(filled, circle):
    """IPython asks for what may stand there: names and aliases that do not warn."""
    filled.register(circle, name="ring", aliases={"hoop": Deprecated()})

    assert filled._ipython_key_completions_() == ["circle", "round", "square", "ring"]


def test_an_alias_leads_to_the_class(filled, circle):
    """An alias is as good as the name."""
    assert filled["round"] is circle


def test_an_unknown_name_is_a_key_error(filled):
    """A miss raises, rather than return None for somebody else to trip over."""
    with pytest.raises(KeyError):
        filled.get("triangle")


def test_the_nearest_name_is_suggested(filled):
    """The message of a miss leads with the names that look like it."""
    with pytest.raises(UnknownNameError) as caught:
        filled.get("cirlce")

    assert str(caught.value) == (
        "'cirlce' is not in shapes: did you mean 'circle'?\n    shapes knows circle, round, square"
    )


def test_a_miss_hides_no_other_error(filled):
    """A miss is not chained to the KeyError of the dictionary inside."""
    with pytest.raises(UnknownNameError) as caught:
        filled.get("triangle")

    assert caught.value.__context__ is None


@pytest.mark.parametrize("default", [None, 0, "something"])
def test_a_default_is_returned_on_a_miss(filled, default):
    """Any default, None too, stands in for a name that nobody registered."""
    assert filled.get("triangle", default) is default


def test_in(filled):
    """Names and aliases are in; anything else is not, whatever its type."""
    assert [name in filled for name in ("circle", "round", "triangle", 7)] == [True, True, False, False]


def test_len_counts_names_and_not_aliases(filled):
    """The length is the number of canonical names."""
    assert len(filled) == 2


def test_iteration_is_in_the_order_of_registration(shapes, circle):
    """Iteration gives names as they came."""
    for name in ("zebra", "ant", "moth"):
        shapes.register(circle, name=name)

    assert [*shapes] == ["zebra", "ant", "moth"]


def test_registering_while_iterating(filled, circle):
    """Who iterates sees the names of the moment when it began."""
    seen = []
    for name in filled:
        seen.append(name)
        filled.register(circle, name=f"another {name}")

    assert seen == ["circle", "square"]


def test_instantiate(filled):
    """``instantiate`` looks up and calls."""
    assert filled.instantiate("circle", 2.0).radius == 2.0


def test_instantiate_passes_every_keyword_on(filled):
    """The name is positional-only, so a constructor may have a parameter called name."""
    assert filled.instantiate("circle", name="mine").name == "mine"


def test_a_constructor_s_error_is_its_own(filled):
    """What a constructor raises comes out as it is."""
    with pytest.raises(TypeError, match="takes no arguments") as caught:
        filled.instantiate("square", corners=5)

    assert not isinstance(caught.value, RegistryError)


def test_repr_is_one_line_of_counts(filled):
    """A registry of thousands must not fill a debugger: its repr counts."""
    assert repr(filled) == "<Registry 'shapes' of Shape: 2 names>"


def test_the_signature_says_that_there_is_no_default():
    """Whoever asks for help sees no private class and no address."""
    assert repr(inspect.signature(Registry.get).parameters["default"].default) == "<no default>"
