"""Finding things by what they are."""

import pytest

from lossary_registry import NotAcceptedError, Registry, UnknownTagError


@pytest.fixture
def tagged(shapes, shape):
    for name, tags in {
        "square": ["flat", "corners"],
        "cube": ["solid", "corners"],
        "circle": ["flat", "round"],
        "ball": ["solid", "round"],
        "point": [],
    }.items():
        shapes.register(type(name, (shape,), {}), tags=tags)
    return shapes


def test_filter_by_tag(tagged):
    """The names that have a tag come sorted, as a list."""
    assert tagged.filter_by_tag("round") == ["ball", "circle"]


def test_filter_by_a_tag_that_nobody_has(tagged):
    """In an open vocabulary an unused tag selects nothing."""
    assert tagged.filter_by_tag("green") == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("r*", ["ball", "circle"]),
        ("?lat", ["circle", "square"]),
        ("[cr]o*", ["ball", "circle", "cube", "square"]),
    ],
)
def test_filter_by_a_pattern(tagged, pattern, expected):
    """Wildcards match whole tags."""
    assert tagged.filter_by_tag(pattern) == expected


def test_a_tag_that_looks_like_a_pattern_is_found_as_it_is(shapes, circle):
    """An exact tag goes before its reading as a pattern."""
    shapes.register(circle, tags=["[2d]"])

    assert shapes.filter_by_tag("[2d]") == ["Circle"]
    assert shapes.filter(all_of=["[2d]"]) == ["Circle"]


def test_list_with_tags(shapes, circle, square):
    """Names come sorted, and tags as they were given."""
    shapes.register(square, name="square", tags=["flat", "corners"])
    shapes.register(circle, name="circle")

    assert [*shapes.list_with_tags().items()] == [("circle", []), ("square", ["flat", "corners"])]


@pytest.mark.parametrize(
    "listing",
    [
        lambda r: r.list(),
        lambda r: r.filter_by_tag("round"),
        lambda r: r.filter_by_tag("r*"),
        lambda r: r.filter_by_tag("green"),
        lambda r: r.filter(),
        lambda r: r.list_with_tags()["ball"],
    ],
    ids=["list", "filter_by_tag", "pattern", "nothing", "filter", "list_with_tags"],
)
def test_a_listing_is_the_caller_s_own(tagged, listing):
    """What a caller does to a listing changes no later one."""
    before = [*listing(tagged)]
    listing(tagged).append("mine")

    assert listing(tagged) == before


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["ball", "circle", "cube", "point", "square"]),
        ({"any_of": ["round", "corners"]}, ["ball", "circle", "cube", "square"]),
        ({"all_of": ["round", "solid"]}, ["ball"]),
        ({"none_of": ["round", "solid"]}, ["point", "square"]),
        ({"pattern": "c*"}, ["circle", "cube"]),
        ({"pattern": "C*"}, []),
        ({"any_of": ["round"], "none_of": ["solid"], "pattern": "*le"}, ["circle"]),
        ({"any_of": ["s*"]}, ["ball", "cube"]),
    ],
)
def test_filter(tagged, conditions, expected):
    """Every condition given has to hold."""
    assert tagged.filter(**conditions) == expected


def test_filter_takes_any_iterable_once(tagged):
    """Conditions may come from generators."""
    assert tagged.filter(all_of=(tag for tag in ("round", "flat"))) == ["circle"]


def test_filter_refuses_a_single_string(tagged):
    """A string would be taken for its letters."""
    with pytest.raises(NotAcceptedError, match="any_of: a list of strings is wanted"):
        tagged.filter(any_of="round")


def test_repeated_tags_count_once(shapes, circle):
    """A tag given twice is one tag."""
    shapes.register(circle, tags=["flat", "flat"])

    assert shapes.entry("Circle").tags == ("flat",)


def test_tags_are_strings(shapes, circle):
    """A tag that is no string is a TypeError, and nothing is registered."""
    with pytest.raises(TypeError, match="a tag is a string"):
        shapes.register(circle, tags=[3])
    assert len(shapes) == 0


@pytest.fixture
def closed(shape):
    return Registry(shape, "shapes", tags=["flat", "round"])


def test_a_closed_vocabulary_refuses_a_typing_error(closed, circle):
    """A tag outside of it is an error that names the nearest, and all there are."""
    with pytest.raises(UnknownTagError) as caught:
        closed.register(circle, tags=["ruond"])

    assert str(caught.value) == (
        "'ruond' is not a tag of shapes: did you mean 'round'?\n    Its tags are flat, round"
    )


def test_a_closed_vocabulary_accepts_its_tags(closed, circle):
    """Any number of its own tags is allowed."""
    closed.register(circle, tags=["round", "flat"])

    assert closed.list_with_tags() == {"Circle": ["round", "flat"]}


def test_a_tag_like_no_other_gets_no_suggestion(closed, circle):
    """Where nothing is near, nothing is suggested."""
    with pytest.raises(UnknownTagError, match=r"'xyz' is not a tag of shapes\n"):
        closed.register(circle, tags=["xyz"])


def test_a_decorator_refuses_the_tag_before_there_is_a_class(closed):
    """Options are checked where they are written."""
    with pytest.raises(UnknownTagError):
        closed.register("circle", tags=["ruond"])


def test_a_closed_vocabulary_holds_for_questions_too(closed):
    """Asking for a tag that cannot be is a mistake rather than an empty answer."""
    with pytest.raises(UnknownTagError):
        closed.filter_by_tag("ruond")
    with pytest.raises(UnknownTagError):
        closed.filter(none_of=["ruond"])


def test_a_pattern_may_match_nothing_in_a_closed_vocabulary(closed):
    """A pattern is no tag, so it cannot be a wrong one."""
    assert closed.filter_by_tag("x*") == []


def test_an_unused_tag_of_the_vocabulary_selects_nothing(closed):
    """A tag that is allowed and unused is a good question with an empty answer."""
    assert closed.filter_by_tag("flat") == []


@pytest.mark.parametrize("tag", [5, None, ["flat"]])
def test_a_tag_to_ask_for_is_a_string(closed, tag):
    """Anything else is told as what it is."""
    with pytest.raises(NotAcceptedError, match=r"a tag is a string, and .* is of type"):
        closed.filter_by_tag(tag)
