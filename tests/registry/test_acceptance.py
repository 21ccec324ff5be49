"""What may be registered: classes of a base, an ABC or a Protocol, and functions that pass a check."""

import abc
import collections.abc
import functools
import typing

import pytest

from lossary_registry import InvalidNameError, NotAcceptedError, Registry


class Drawable(abc.ABC):
    @abc.abstractmethod
    def draw(self): ...


@typing.runtime_checkable
class Sized(typing.Protocol):
    def area(self): ...


@typing.runtime_checkable
class Named(Sized, typing.Protocol):
    label: str

    def rename(self, label): ...


class Unchecked(typing.Protocol):
    def area(self): ...


class Plain:
    def area(self): ...


class Labelled(Plain):
    def rename(self, label): ...


def test_subclasses_of_an_abc():
    """An abstract base class accepts what derives from it."""
    registry = Registry(Drawable)

    @registry.register
    class Line(Drawable): ...

    assert registry["Line"] is Line


def test_virtual_subclasses_of_an_abc():
    """A class that an abstract base class adopted counts as its own."""
    registry = Registry(collections.abc.Sized)

    registry.register(dict)

    assert registry["dict"] is dict


def test_a_runtime_checkable_protocol_accepts_by_structure():
    """A class that has the methods is accepted, whatever it derives from."""
    registry = Registry(Sized)
    registry.register(Plain)

    assert registry["Plain"] is Plain


def test_a_runtime_checkable_protocol_names_what_is_missing():
    """A class without a method is refused, and the message names the method."""
    with pytest.raises(NotAcceptedError, match=r"it lacks area, which .*:Sized asks for"):
        Registry(Sized).register(int)


def test_a_protocol_with_attributes_is_checked_for_its_methods():
    """An attribute may be set by the constructor, so only methods count, inherited ones too."""
    registry = Registry(Named)
    registry.register(Labelled)

    assert registry.list() == ["Labelled"]
    with pytest.raises(NotAcceptedError, match="it lacks rename"):
        registry.register(Plain)


def test_a_method_that_is_none_is_missing():
    """A class says with ``method = None`` that it does not have it."""

    class Refuses(Plain):
        area = None

    with pytest.raises(NotAcceptedError, match="it lacks area"):
        Registry(Sized).register(Refuses)


def test_a_protocol_that_is_not_runtime_checkable_accepts_every_class():
    """Such a protocol speaks to type checkers alone."""
    registry = Registry(Unchecked)
    registry.register(int)

    assert registry["int"] is int


def test_a_protocol_refuses_what_is_no_class():
    """A protocol as the base class is a protocol of classes."""
    with pytest.raises(NotAcceptedError, match="not a class"):
        Registry(Unchecked).register(len)


def test_functions_can_be_registered():
    """Without a base class, anything callable is accepted, and given back as it is."""
    registry = Registry(name="activations")

    @registry.register("twice")
    def double(x):
        return 2 * x

    assert registry["twice"] is double
    assert registry.instantiate("twice", 3) == 6


@pytest.mark.parametrize("item", [3, "text"[0:0], ["list"]], ids=["number", "empty", "list"])
def test_what_cannot_be_called_is_refused(item):
    """A value is nothing that a name could make."""
    with pytest.raises((NotAcceptedError, InvalidNameError)):
        Registry(name="things").register(item, name="thing")


def test_an_object_without_a_name_needs_one():
    """A partial has no name of its own, and the message says how to give one."""
    with pytest.raises(InvalidNameError, match="pass name="):
        Registry(name="things").register(functools.partial(int, base=2))


def test_a_lambda_needs_a_name():
    """All lambdas are called the same, which is no name."""
    with pytest.raises(InvalidNameError, match="pass name="):
        Registry(name="things").register(lambda: 1)


def test_an_object_without_a_name_is_told_by_its_type():
    """The target of a partial says what it is, in brackets that no import could follow."""
    registry = Registry(name="things")
    registry.register(functools.partial(int, base=2), name="binary")

    assert registry.entry("binary").target == "functools:<partial object>"


def refuse_short_names(name, item):
    if len(name) < 3:
        raise ValueError("its name is too short")


def test_a_check_that_raises_refuses():
    """A ValueError of the check becomes the reason, and stays chained."""
    registry = Registry(name="things", check=refuse_short_names)

    with pytest.raises(
        NotAcceptedError, match="things cannot hold builtins:int as 'i': its name is too short"
    ) as caught:
        registry.register(int, name="i")

    assert isinstance(caught.value.__cause__, ValueError)


def test_a_check_that_returns_accepts():
    """Whatever the check returns, not raising is consent."""
    registry = Registry(name="things", check=refuse_short_names)
    registry.register(int)

    assert registry["int"] is int


def test_a_check_runs_after_the_base_class():
    """The check sees only what the base class lets through."""
    seen = []
    registry = Registry(Plain, check=lambda name, item: seen.append((name, item)))

    with pytest.raises(NotAcceptedError):
        registry.register(int)
    registry.register(Labelled)

    assert seen == [("Labelled", Labelled)]


def test_a_broken_check_is_not_a_refusal():
    """An error in the check that is no refusal comes out as it is."""

    def broken(name, item):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        Registry(name="things", check=broken).register(int)


def test_a_check_may_register():
    """User code runs without the lock and before any change: it may use the registry."""

    def register_another(name, item):
        if name == "first":
            registry.register(int, name="second")

    registry = Registry(name="things", check=register_another)
    registry.register(int, name="first")

    assert [*registry] == ["second", "first"]


def test_a_string_subclass_is_stored_as_a_plain_string(shapes, circle):
    """The keys of a registry run no ``__eq__`` of anybody's."""

    class Loud(str):
        __slots__ = ()

    shapes.register(circle, name=Loud("circle"))

    assert type(shapes.list()[0]) is str
