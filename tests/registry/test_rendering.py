"""Tables and descriptions for people."""

import pytest

from lossary_registry import Deprecated, Registry


@pytest.fixture
def filled(shapes, circle, square):
    shapes.register(
        circle,
        name="circle",
        aliases={"round": None, "disc": Deprecated()},
        tags=["flat", "round"],
        metadata={"sides": 0},
    )
    shapes.register(square, name="a|b")
    shapes.register_lazy("cube", "heavy:Cube")
    shapes.register_lazy(
        "ball", "heavy:Ball", requires=["no_such_module"], install="pip install shapes[solid]"
    )
    return shapes


def test_the_table(filled):
    """A row per name, sorted: tags, aliases, and the first line of its documentation."""
    assert filled.describe().splitlines() == [
        "name    tags         aliases                   what it is",
        "a|b                                            A shape with four corners.",
        "ball                                           unavailable: it needs no_such_module",
        "circle  flat, round  round, disc (deprecated)  A round shape.",
        "cube                                           heavy:Cube, not imported yet",
    ]


def test_the_description_of_one_name(filled, circle):
    """All that is known, a line each; what there is not takes no line."""
    entry = filled.entry("circle")
    assert filled.describe("round").splitlines() == [
        "circle(radius=1.0, name='circle')",
        "A round shape.",
        f"    from: {circle.__module__}:Circle",
        f"    registered at: {filled.describe('circle').splitlines()[3].partition(': ')[2]}",
        "    aliases: round, disc (deprecated)",
        "    tags: flat, round",
        "    metadata: sides=0",
    ]
    assert f"test_rendering.py:{entry.where[1]}" in filled.describe("circle")


def test_the_description_of_a_lazy_entry(filled):
    """What is not imported is described by what was announced."""
    assert [line for line in filled.describe("ball").splitlines() if "registered" not in line] == [
        "ball",
        "unavailable: it needs no_such_module",
        "    from: heavy:Ball",
        "    needs: no_such_module",
        "    to have it: pip install shapes[solid]",
        "    unavailable: it needs no_such_module",
    ]


def test_what_has_no_signature_is_described_without(circle):
    """Some built-in types tell nothing about their arguments."""
    registry = Registry(name="types")
    registry.register(type)
    registry.register(dict)

    assert registry.describe("dict").splitlines()[0] == "dict"


def test_a_class_without_documentation_is_not_given_its_base_s(shapes, shape):
    """The words of a base class describe the base class."""
    shapes.register(type("Bare", (shape,), {}))

    assert shapes.describe().splitlines()[1] == "Bare"


class Proxy(type):
    """A metaclass whose classes fail whoever asks about them."""

    @property
    def __doc__(cls):
        raise RuntimeError

    @property
    def __signature__(cls):
        raise RuntimeError


class Described(type):
    """A metaclass that describes its classes by more than a text."""

    @property
    def __doc__(cls):
        return ["a", "list"]


@pytest.mark.parametrize("metaclass", [Proxy, Described])
def test_an_odd_class_spoils_no_table(filled, shape, metaclass):
    """What says nothing readable of itself has a row without words, and the others keep theirs."""
    filled.register(metaclass("Odd", (shape,), {}))

    assert filled.describe().splitlines()[1:3] == [
        "Odd",
        "a|b                                            A shape with four corners.",
    ]
    assert "| Odd |  |  |  |" in filled.to_markdown()
    assert "<td>Odd</td>" in filled._repr_html_()
    assert filled.describe("Odd").startswith("Odd")


def test_a_property_is_no_documentation(filled, shape):
    """A class whose instances have a ``__doc__`` of their own is described by none."""
    filled.register(type("Odd", (shape,), {"__doc__": property(lambda self: "of the instance")}))

    assert filled.describe().splitlines()[1] == "Odd"


def test_markdown(filled):
    """A Markdown table, in which a bar in a name ends no column."""
    lines = filled.to_markdown().splitlines()

    assert lines[:3] == [
        "| name | tags | aliases | what it is |",
        "| --- | --- | --- | --- |",
        "| a&#124;b |  |  | A shape with four corners. |",
    ]


def test_html(shapes, circle):
    """A table for notebooks, in which no name is taken for markup."""
    shapes.register(circle, name="<b>")

    assert shapes._repr_html_() == (
        "<table><caption>&lt;Registry &#x27;shapes&#x27; of Shape: 1 name&gt;</caption>"
        "<thead><tr><th>name</th><th>tags</th><th>aliases</th><th>what it is</th></tr></thead>"
        "<tbody><tr><td>&lt;b&gt;</td><td></td><td></td><td>A round shape.</td></tr></tbody></table>"
    )


def test_a_failure_of_several_lines_takes_one_row(shapes, write_module):
    """A table shows the first line of an error."""
    write_module("broken", "raise RuntimeError('one\\ntwo')")
    shapes.register_lazy("it", "broken:It")
    with pytest.raises(ImportError):
        shapes.get("it")

    assert len(shapes.describe().splitlines()) == 2
