"""What importing the package costs, and what it needs."""

import subprocess
import sys
from importlib import metadata, resources

import pytest

import lossary_registry

pytestmark = pytest.mark.xdist_group("processes")

MODULES = """
import sys
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
"""


def modules_of(statement):
    command = [sys.executable, "-I", "-c", MODULES.format(statement=statement)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603


def test_importing_costs_few_modules():
    """The import brings at most thirty modules, its own included."""
    assert len(modules_of("import lossary_registry")) <= 30


@pytest.mark.parametrize(
    "module", ["attr", "attrs", "inspect", "dataclasses", "importlib.metadata", "difflib", "torch", "typing"]
)
def test_importing_brings_nothing_heavy(module):
    """What only some programs need is imported when they need it."""
    assert module not in modules_of("import lossary_registry")


def test_registering_and_looking_up_brings_nothing_more():
    """The main job needs no module beyond those that the import brought."""
    job = """
import lossary_registry as l
r = l.Registry(name='things')
r.register(int, tags=['number'], aliases=['integer'])
r.get('int'), r.list(), r.filter_by_tag('number'), r.list_with_tags(), 'x' in r, r.get('x', None)
"""
    assert modules_of(job) == modules_of("import lossary_registry")


def test_the_package_depends_on_nothing():
    """The installed package asks for no other."""
    assert not metadata.requires("lossary-registry")


def test_the_package_is_typed():
    """The marker that makes type checkers read the annotations is installed."""
    assert resources.files(lossary_registry).joinpath("py.typed").is_file()


def test_all_is_sorted_and_there():
    """Every public name is there, in order."""
    assert sorted(lossary_registry.__all__) == lossary_registry.__all__
    assert all(hasattr(lossary_registry, name) for name in lossary_registry.__all__)


def test_a_registry_can_be_subscribed():
    """``Registry[Shape]`` is for type checkers, and makes a registry all the same."""
    assert lossary_registry.Registry[int](int).list() == []


def test_a_registry_can_be_derived_from(shape):
    """A project's own registry class may derive from one of a certain kind."""

    class Shapes(lossary_registry.Registry[shape]): ...

    assert repr(Shapes(shape)) == "<Shapes 'Shape' of Shape: 0 names>"
