"""Registries that ask another one for what they do not know."""

import gc
import weakref

import pytest

from lossary_registry import Deprecated, FunctionRegistry, NotAcceptedError, Registry, UnknownNameError


@pytest.fixture
def child(shapes, circle, square, shape):
    shapes.register(circle, name="circle", aliases=["round", "disc"], tags=["flat"])
    child = Registry(shape, "more shapes", parent=shapes)
    child.register(square, name="square", tags=["corners"])
    return child


def test_what_a_child_does_not_know_its_parent_is_asked_for(child, circle, square):
    """The child's names and the parent's are both answered."""
    assert (child["circle"], child["round"], child["square"]) == (circle, circle, square)


def test_a_parent_knows_nothing_of_its_children(child, shapes):
    """The arrow runs one way."""
    assert "square" not in shapes


def test_nothing_is_copied(child, shapes, square):
    """What the parent learns later the child can answer at once, and what it forgets is gone."""
    shapes.register(square, name="late")
    assert "late" in child
    shapes.unregister("late")
    assert "late" not in child


def test_listings_cover_both(child):
    """Whatever can be looked up is listed: the parent's names first in iteration, all sorted in lists."""
    assert [*child] == ["circle", "square"]
    assert child.list_with_tags() == {"circle": ["flat"], "square": ["corners"]}
    assert (len(child), child.filter_by_tag("flat")) == (2, ["circle"])


def test_listings_follow_both(child, shapes, square):
    """A listing is made anew when either registry changed."""
    child.list()
    shapes.register(square, name="late")
    child.register(square, name="later")

    assert child.list() == ["circle", "late", "later", "square"]


def test_listings_follow_the_parent_alone(child, shapes, square):
    """A change in the parent is enough to make a listing anew."""
    child.list()
    shapes.register(square, name="late")

    assert child.list() == ["circle", "late", "square"]


def test_listings_are_kept_while_nothing_changes(child):
    """Two listings of the same state come from the same view."""
    assert child._view() is child._view()


class Tool:
    """Something to register that is no class: without the GIL, CPython 3.13 never releases those."""

    def __call__(self): ...


@pytest.mark.parametrize("owner", ["parent", "child", "grandparent"])
def test_what_any_of_them_gave_up_is_nowhere_kept(owner):
    """What was unregistered is released at once, though a listing of a child had it."""
    grandparent = Registry(name="grandparent")
    parent = Registry(name="parent", parent=grandparent)
    child = Registry(name="child", parent=parent)
    registry = {"grandparent": grandparent, "parent": parent, "child": child}[owner]
    gone = weakref.ref(registry.register(Tool(), name="short"))
    assert child.list() == ["short"]
    assert child.list_with_tags() == {"short": []}
    registry.unregister("short")
    gc.collect()

    assert gone() is None
    assert child.list() == []


def test_a_child_may_shadow_its_parent(child, shapes, circle, square):
    """A name of the parent is free in the child, and leads where the child says."""
    child.register(square, name="circle", tags=["mine"])

    assert (child["circle"], shapes["circle"]) == (square, circle)
    assert child.list_with_tags()["circle"] == ["mine"]


def test_an_alias_of_the_child_hides_a_name_of_the_parent(child, square):
    """A listing gives no name that leads to something else."""
    child.register(square, name="quad", aliases=["circle"])

    assert child.list() == ["quad", "square"]


def test_unregister_leaves_the_parent_alone(child, shapes):
    """A child can only forget what it knows itself."""
    with pytest.raises(UnknownNameError):
        child.unregister("circle")
    assert "circle" in shapes


def test_a_miss_suggests_names_of_both(child):
    """The message of the child knows what the parent knows."""
    with pytest.raises(UnknownNameError, match=r"'circl' is not in more shapes: did you mean 'circle'"):
        child.get("circl")


def test_a_deprecated_name_of_the_parent_warns(child, shapes, circle):
    """The warning comes from the registry that knows the name, with the caller's line."""
    shapes.register(circle, name="ring", aliases={"hoop": Deprecated()})

    with pytest.warns(DeprecationWarning, match="'hoop' of shapes") as caught:
        child.get("hoop")
    assert caught[0].filename == __file__


def test_a_lazy_entry_is_loaded_in_the_parent(child, shapes, write_module):
    """The parent keeps what was loaded, for its other children too."""
    write_module("round_shapes", "class Ball: ...")
    anything = Registry(name="anything")
    anything.register_lazy("ball", "round_shapes:Ball")
    Registry(name="child", parent=anything).get("ball")

    assert anything.entry("ball").is_resolved


def test_tags_of_the_parent_may_be_asked_of_the_child(shapes, circle, shape):
    """What a listing can hold is no typing error, whatever the child's own vocabulary."""
    shapes.register(circle, tags=["flat"])
    child = Registry(shape, "child", parent=shapes, tags=["round"])

    assert child.filter(any_of=["flat"]) == ["Circle"]


def test_version_counts_the_parent_s_changes(child, shapes, circle):
    """A cache that remembers the child's version notices a change in the parent."""
    before = child.version
    shapes.register(circle, name="late")

    assert child.version == before + 1


def test_a_child_inherits_the_base_class(shapes, shape):
    """Who names a parent and no base class gets the parent's."""
    assert Registry(name="child", parent=shapes).base_class is shape


def test_a_child_may_be_wider(shapes):
    """A child of a wider base class may ask a parent of a narrower one."""
    assert Registry(object, "anything", parent=shapes).parent is shapes


@pytest.mark.parametrize("kind", [Registry, FunctionRegistry])
def test_a_parent_is_a_registry(kind):
    """Anything else is refused with what it should be."""
    with pytest.raises(NotAcceptedError, match="the parent of a registry is a Registry, not 5"):
        kind(parent=5)
    with pytest.raises(NotAcceptedError, match="the parent of a registry is a Registry, not <FunctionReg"):
        Registry(parent=FunctionRegistry())


@pytest.mark.parametrize("has_base", [True, False])
def test_a_child_may_not_be_narrower(shapes, circle, has_base):
    """A parent that could answer with something else than the child promises is refused."""
    parent = shapes if has_base else Registry(name="anything")

    with pytest.raises(NotAcceptedError, match="cannot be the parent of circles"):
        Registry(circle, "circles", parent=parent)


def test_an_override_in_a_child_of_a_parent_s_name(child, shapes, circle, square):
    """The child answers with the stand-in while the block runs, and the parent does not."""
    child.register(square, name="plate", aliases=["disc"])

    with child.override("circle", square):
        assert (child["circle"], child["round"], shapes["circle"]) == (square, square, circle)
        assert child.entry("disc").name == "plate"
    assert child["circle"] is circle
    assert "circle" not in child._store.entries
