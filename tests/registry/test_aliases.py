"""Other names for the same thing, and names that should no longer be used."""

import warnings

import pytest

from lossary_registry import Deprecated, DuplicateNameError, NotAcceptedError, UnknownNameError


@pytest.fixture
def renamed(shapes, circle):
    shapes.register(
        circle, name="circle", aliases={"round": None, "disc": Deprecated(since="0.3"), "ring": Deprecated()}
    )
    return shapes


def test_aliases_are_not_listed(shapes, circle):
    """A listing gives each thing once, under its canonical name."""
    shapes.register(circle, name="circle", aliases=["round", "disc"])

    assert shapes.list() == ["circle"]
    assert [*shapes] == ["circle"]


def test_an_alias_leads_to_the_same_entry(renamed):
    """Name and alias share one record."""
    assert renamed.entry("round") is renamed.entry("circle")


def test_an_alias_that_repeats_the_name_says_nothing(shapes, circle):
    """A class may be given its own name as an alias."""
    shapes.register(circle, aliases=["Circle", "round"])

    assert shapes.entry("Circle").aliases == ("round",)


def test_repeated_aliases_count_once(shapes, circle):
    """An alias given twice is one alias."""
    shapes.register(circle, aliases=["round", "round"])

    assert shapes.entry("Circle").aliases == ("round",)


def test_an_alias_taken_by_a_name_is_refused(shapes, circle, square):
    """Aliases and names share one space."""
    shapes.register(circle, name="circle")

    with pytest.raises(DuplicateNameError, match="'circle' is already taken"):
        shapes.register(square, name="square", aliases=["circle"])


def test_one_string_is_not_a_list_of_aliases(shapes, circle):
    """A string would be taken for its letters, so it is refused with what to write."""
    with pytest.raises(NotAcceptedError, match=r"write \['round'\]"):
        shapes.register(circle, aliases="round")


def test_a_mapping_of_aliases_holds_deprecations(shapes, circle):
    """A mere version beside an alias is refused, with what to write."""
    with pytest.raises(NotAcceptedError, match=r"the alias 'disc' takes a Deprecated or None, not '0.3'"):
        shapes.register(circle, aliases={"round": None, "disc": "0.3"})


@pytest.mark.parametrize(
    "look_up",
    [
        lambda r, n: r.get(n),
        lambda r, n: r[n],
        lambda r, n: type(r.instantiate(n)),
        lambda r, n: r.get(n, None),
    ],
    ids=["get", "brackets", "instantiate", "get with default"],
)
def test_a_deprecated_alias_warns_with_the_caller_s_line(renamed, circle, look_up):
    """Whichever way it is looked up, the warning points to the code that used the old name."""
    with pytest.warns(DeprecationWarning, match="'disc'") as caught:
        found = look_up(renamed, "disc")

    assert (found, caught[0].filename) == (circle, __file__)


def test_the_warning_says_since_when_and_what_to_use(renamed):
    """The text names the version and the canonical name."""
    with pytest.warns(DeprecationWarning, match="'disc'") as caught:
        renamed.get("disc")

    assert str(caught[0].message) == "'disc' of shapes is deprecated since 0.3: use 'circle'"


def test_the_reason_may_name_something_else_to_use(shapes, circle):
    """``use`` goes before the canonical name."""
    shapes.register(circle, name="circle", aliases={"disc": Deprecated(use="disk")})

    with pytest.warns(DeprecationWarning, match="'disc' of shapes is deprecated: use 'disk'$"):
        shapes.get("disc")


def test_other_names_of_the_entry_do_not_warn(renamed, circle):
    """Only the deprecated names warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert renamed["circle"] is renamed["round"] is circle


def test_asking_about_a_deprecated_name_does_not_warn(renamed):
    """Only getting the object is a use."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert "disc" in renamed
        assert sorted(renamed.entry("disc").deprecated) == ["disc", "ring"]


def test_deprecated_names_are_not_suggested(renamed):
    """Nobody is sent to a name that they would be sent away from."""
    with pytest.raises(UnknownNameError) as caught:
        renamed.get("dics")

    assert "disc" not in str(caught.value)


def test_a_whole_entry_can_be_deprecated(shapes, circle):
    """``deprecated=`` makes the canonical name itself warn; there is no other name to suggest."""
    shapes.register(circle, name="circle", deprecated=Deprecated(since="1.0"))

    with pytest.warns(DeprecationWarning, match=r"'circle' of shapes is deprecated since 1.0$"):
        assert shapes.get("circle") is circle


def test_a_decorator_deprecates_as_well(shapes, shape):
    """The options mean the same to a decorator as to a direct call."""

    @shapes.register(aliases={"hoop": Deprecated()}, deprecated=Deprecated(use="circle"))
    class Ring(shape): ...

    with pytest.warns(DeprecationWarning, match="'Ring' of shapes is deprecated: use 'circle'"):
        shapes.get("Ring")


@pytest.mark.parametrize("reason", ["use b", True, Deprecated])
def test_a_reason_that_is_none_is_refused(shapes, circle, reason):
    """What says why a name is deprecated is a Deprecated, and the message shows how to write one."""
    with pytest.raises(
        NotAcceptedError, match=r"deprecated= takes a Deprecated or None, not .*: write Deprec"
    ):
        shapes.register(circle, deprecated=reason)
    assert shapes.list() == []


def test_deprecations_are_values():
    """Two that say the same are equal, hash alike, show what they say, and differ from anything else."""
    one, same, other = Deprecated(since="1"), Deprecated(since="1"), Deprecated(since="2")

    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != ("1", "")
    assert repr(one) == "Deprecated(since='1', use='')"
