"""Getting classes into a registry."""

import pytest

from lossary_registry import (
    Deprecated,
    DuplicateNameError,
    InvalidNameError,
    NotAcceptedError,
    Registry,
    RegistryError,
)


def test_decorator_without_parentheses(shapes, shape):
    """``@register`` takes the class's name, and leaves the class as it is."""

    @shapes.register
    class Ring(shape): ...

    assert shapes.get("Ring") is Ring


def test_decorator_with_empty_parentheses(shapes, shape):
    """``@register()`` takes the class's name."""

    @shapes.register()
    class Ring(shape): ...

    assert shapes.get("Ring") is Ring


@pytest.mark.parametrize("how", ["positional", "keyword"])
def test_decorator_with_a_name(shapes, shape, how):
    """The decorator takes a name by position or by keyword, and then the class's own name is unknown."""
    decorator = shapes.register("ring") if how == "positional" else shapes.register(name="ring")

    @decorator
    class Ring(shape): ...

    assert {"ring": Ring} == {name: shapes[name] for name in shapes}


def test_direct_call(shapes, circle):
    """``register(item, name=...)`` registers at once and returns the item."""
    assert shapes.register(circle, name="round") is circle
    assert shapes["round"] is circle


def test_one_class_under_two_names(shapes, circle):
    """Two names may lead to the same class."""
    shapes.register(circle, name="one")
    shapes.register(circle, name="two")

    assert shapes["one"] is shapes["two"]


def test_name_given_twice(shapes, circle):
    """A name by position and another by keyword is a mistake of the caller."""
    with pytest.raises(NotAcceptedError, match="given twice"):
        shapes.register("one", name="two")


def test_none_is_nothing_to_register(shapes):
    """``register(getattr(module, "X", None))`` is told that there is no X, and gets no decorator."""
    with pytest.raises(
        NotAcceptedError, match="shapes cannot hold None: for a decorator, leave the item out"
    ):
        shapes.register(None)


@pytest.mark.parametrize("name", ["", "   "])
def test_empty_names_are_refused(shapes, circle, name):
    """A name that shows nothing is no name."""
    with pytest.raises(InvalidNameError):
        shapes.register(circle, name=name)


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x1b[31ma", "a\u2028b", "a\u202eb", "a\ud800", "a\xa0b"])
def test_names_are_printable(shapes, circle, name):
    """What breaks a row of a table, or shows as something else than it is, is no name, alias or tag."""
    with pytest.raises(InvalidNameError, match=r"a name is printable, and .* has '\\.*' in it"):
        shapes.register(circle, name=name)
    for option in ("aliases", "tags"):
        with pytest.raises(InvalidNameError):
            shapes.register(circle, **{option: [name]})
    shapes.register(circle, name="größe 5 円")


def test_metadata_is_a_mapping(shapes, circle):
    """A list is refused with what to write."""
    with pytest.raises(
        NotAcceptedError, match=r"metadata is a mapping such as \{'key': 'value'\}, not \[1\]"
    ):
        shapes.register(circle, metadata=[1])


def test_names_are_strings(shapes, circle):
    """A name that is no string is a TypeError."""
    with pytest.raises(TypeError, match="a name is a string, and 7 is of type int"):
        shapes.register(circle, name=7)


def test_a_class_of_another_base_is_refused(shapes):
    """What does not derive from the base class is a TypeError that names both."""
    with pytest.raises(NotAcceptedError, match=r"shapes cannot hold builtins:int as .int.: .*Shape"):
        shapes.register(int)
    assert issubclass(NotAcceptedError, TypeError)


def test_an_instance_is_refused(shapes, circle):
    """An instance is not a class, whatever it is an instance of."""
    with pytest.raises(NotAcceptedError, match="not a class"):
        shapes.register(circle(), name="circle")


def test_the_base_class_itself_may_be_registered(shapes, shape):
    """A class counts as its own subclass."""
    shapes.register(shape)

    assert shapes["Shape"] is shape


def test_a_taken_name_is_refused(shapes, circle, square):
    """Another object under a taken name is a ValueError that names both and their places."""
    shapes.register(circle, name="it")

    with pytest.raises(DuplicateNameError) as caught:
        shapes.register(square, name="it")

    assert "Circle" in str(caught.value)
    assert "Square" in str(caught.value)
    assert str(caught.value).count("test_registering.py:") == 2
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RegistryError)


def test_a_refused_registration_changes_nothing(shapes, circle, square):
    """When an alias is taken, neither the name nor the other aliases are registered."""
    shapes.register(circle, name="it")
    before = shapes.version

    with pytest.raises(DuplicateNameError):
        shapes.register(square, name="new", aliases=["other", "it"])

    assert (before, ["it"], False) == (shapes.version, shapes.list(), "other" in shapes)


def test_force_replaces(shapes, circle, square):
    """``force=True`` replaces what holds the name, with all that belonged to it."""
    shapes.register(circle, name="it", aliases=["old"], tags=["round"])

    shapes.register(square, name="it", force=True)

    assert shapes["it"] is square
    assert "old" not in shapes
    assert shapes.filter_by_tag("round") == []


def test_force_takes_an_alias_away(shapes, circle, square):
    """A forced name that was another entry's alias leaves that entry its other names."""
    shapes.register(circle, name="circle", aliases={"round": Deprecated(), "disc": None})

    shapes.register(square, name="round", force=True)

    assert not shapes.entry("circle").deprecated
    assert (square, circle, ("disc",)) == (shapes["round"], shapes["disc"], shapes.entry("circle").aliases)


def test_unregister_returns_the_entry(shapes, circle):
    """``unregister`` takes out a name with its aliases, and returns what it took."""
    shapes.register(circle, name="circle", aliases=["round"])

    taken = shapes.unregister("round")

    assert (taken.name, taken.load(), len(shapes)) == ("circle", circle, 0)
    assert "circle" not in shapes


def test_unregister_of_an_unknown_name(shapes):
    """Taking out what is not there is a KeyError."""
    with pytest.raises(KeyError):
        shapes.unregister("nothing")


@pytest.mark.parametrize(
    "make",
    [lambda base: Registry(base, "shapes"), lambda base: Registry(base_class=base, name="shapes")],
    ids=["positional", "keyword"],
)
def test_construction(shape, make):
    """The base class comes first and the name second, both also by keyword."""
    registry = make(shape)

    assert (registry.base_class, registry.name) == (shape, "shapes")


def test_the_name_defaults_to_that_of_the_base_class(shape):
    """A registry without a name is called after what it holds."""
    assert Registry(shape).name == "Shape"


def test_a_registry_of_nothing_in_particular_is_called_so():
    """Without a base class and a name there is still something for messages to say."""
    assert Registry().name == "Registry"


def test_a_name_in_place_of_the_base_class():
    """Who gives the name first, as with other libraries, is told what to write."""
    with pytest.raises(NotAcceptedError, match="Registry\\(name='name'\\)"):
        Registry("shapes")
