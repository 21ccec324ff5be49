"""What the messages say."""

import sys

import pytest

from lossary_registry import DuplicateNameError, Registry, UnknownNameError


def message_of(registry, name):
    with pytest.raises(UnknownNameError) as caught:
        registry.get(name)
    return str(caught.value)


@pytest.fixture
def losses():
    registry = Registry(name="losses")
    for name in ("dice_loss", "focal_loss", "binary_focal_loss", "cross_entropy_loss"):
        registry.register(int, name=name)
    return registry


def test_a_miss_in_an_empty_registry(shapes):
    """Where nothing is registered, the message says that, since a module was probably not imported."""
    assert message_of(shapes, "circle") == "'circle' is not in shapes\n    shapes knows no name yet"


def test_names_that_differ_in_case_are_near(losses):
    """Case is no obstacle to a suggestion, though it is one to a look-up."""
    assert "did you mean 'dice_loss'" in message_of(losses, "DICE_LOSS")


def test_names_that_hold_the_word_are_near(losses):
    """A part of a name that no whole name resembles suggests the names that hold it."""
    assert "did you mean 'cross_entropy_loss'?" in message_of(losses, "entropy")


def test_a_short_part_suggests_nothing(losses):
    """Two letters are part of anything."""
    assert "did you mean" not in message_of(losses, "ss")


def test_several_suggestions(losses):
    """The best come first."""
    losses.register(int, name="focal_los_v2")
    assert "did you mean 'focal_loss' or 'focal_los_v2'?" in message_of(losses, "focal_los")


def test_many_names_are_counted(losses):
    """A message of a large registry says how many names there are, and how to see them."""
    for number in range(1200):
        losses.register(int, name=f"other_{number}")

    assert message_of(losses, "dcie_loss") == (
        "'dcie_loss' is not in losses: did you mean 'dice_loss'?\n"
        "    losses knows 1,204 names and aliases; list() gives the names"
    )


@pytest.mark.parametrize("wrong", ["dcie_loss", "ice_loss", "dice_los", "dicce_loss", "dice-loss"])
def test_typing_errors_among_thousands_of_names(wrong):
    """With many candidates, too, one typing error anywhere leads back to the name."""
    losses = Registry(name="losses")
    for number in range(3000):
        losses.register(int, name=f"name_{number}")
    losses.register(int, name="dice_loss")

    assert "did you mean 'dice_loss'" in message_of(losses, wrong)


def test_a_miss_builds_no_text(losses):
    """A miss that is caught must not pay for a message that nobody reads."""
    modules = {name: sys.modules.pop(name, None) for name in ("difflib",)}
    with pytest.raises(UnknownNameError) as caught:
        losses.get("dcie_loss")
    assert "difflib" not in sys.modules
    assert caught.value.nearest[0] == "dice_loss"
    sys.modules.update({name: module for name, module in modules.items() if module})


def test_a_miss_remembers_the_names_of_its_moment(losses):
    """The message tells what was known when the look-up failed."""
    with pytest.raises(UnknownNameError) as caught:
        losses.get("dcie_loss")
    losses.unregister("dice_loss")

    assert caught.value.nearest == ("dice_loss",)


def test_the_text_of_a_collision(shapes, circle, square):
    """The message has one line per party, with where each was registered, and what to do."""
    for file, item in (("first.py", circle), ("second_file.py", square)):
        code = compile("registry.register(item, name='it')", file, "exec")
        namespace = {"registry": shapes, "item": item}
        if file == "first.py":
            exec(code, namespace)  # noqa: S102
    with pytest.raises(DuplicateNameError) as caught:
        exec(code, namespace)  # noqa: S102

    assert str(caught.value) == (
        "'it' is already taken in shapes\n"
        "    by  Circle  first.py:1   (first)\n"
        "    now Square  second_file.py:1\n"
        "    Give it another name, or pass force=True to replace the first."
    )


@pytest.mark.parametrize("name", [3, None, ("a", "b")])
def test_the_message_of_a_name_that_is_no_text_can_be_read(name):
    """A look-up takes whatever it is asked for, and so does its message."""
    registry = Registry(object, "things")
    registry.register(dict, name="a")
    with pytest.raises(UnknownNameError) as raised:
        registry.entry(name)
    assert str(raised.value).startswith(f"{name!r} is not in things\n")
