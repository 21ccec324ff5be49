"""The tools for other people's tests."""

import runpy
import sys

import pytest

from lossary_registry import Registry
from lossary_registry.testing import isolate, isolated

__all__ = ["isolate"]  # a fixture is there where its name is

left = Registry(name="left")
right = Registry(name="right")


def test_isolated_takes_several_registries():
    """Whatever the block does to any of them is undone."""
    with isolated(left, right):
        left.register(int)
        right.register(str)

    assert (left.list(), right.list()) == ([], [])


def test_isolated_ends_when_its_block_raises():
    """An exception comes out, and everything is undone."""
    with pytest.raises(ZeroDivisionError), isolated(left):
        raise ZeroDivisionError
    assert left.list() == []


def test_isolated_and_empty():
    """``empty=True`` holds for all of them."""
    left.register(int)
    with isolated(left, right, empty=True):
        assert left.list() == []
    assert left.unregister("int").load() is int


@pytest.mark.parametrize("_turn", [1, 2])
def test_the_fixture_isolates_until_the_end_of_the_test(isolate, _turn):
    """What a test registers after ``isolate`` is gone before the next test, which is this one again."""
    assert (left.list(), right.list()) == ([], [])
    isolate(left, right)
    left.register(int)
    right.register(str)


def test_the_fixture_can_begin_with_blank_registries(isolate):
    """``empty=True`` means the same as in a block."""
    isolate(left, empty=True)

    assert left.list() == []


def test_the_tools_without_pytest(monkeypatch):
    """Where pytest is not installed, the context manager is there and the fixture is not."""
    monkeypatch.setitem(sys.modules, "pytest", None)
    monkeypatch.delitem(sys.modules, "lossary_registry.testing")
    module = runpy.run_module("lossary_registry.testing")

    assert module["__all__"] == ["isolated"]
    assert "isolate" not in module
