"""Registries that travel to other processes, and processes that fork."""

import copy
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import textwrap
import threading
import warnings
from subprocess import run

import pytest

from lossary_registry import (
    Deprecated,
    DuplicateNameError,
    FrozenRegistryError,
    InvalidNameError,
    NotAcceptedError,
    Registry,
    RegistryError,
    UnavailableError,
    UnknownNameError,
    UnknownTagError,
)

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture
def home(write_module):
    """A module that holds a registry with an eager and a lazy entry."""
    write_module("shape_home", "class Shape: ...")
    write_module("heavy_home", "from shape_home import Shape\nclass Cube(Shape): ...")
    write_module(
        "home",
        """
        from lossary_registry import Deprecated, Registry
        from shape_home import Shape
        shapes = Registry[Shape](Shape, "shapes")
        @shapes.register(tags=["flat"], aliases={"round": Deprecated()}, metadata={"sides": 0})
        class Circle(Shape): ...
        shapes.register_lazy("cube", "heavy_home:Cube", requires=["json"], install="nothing")
        def make_local():
            @shapes.register
            class Local(Shape): ...
        """,
    )
    return importlib.import_module("home")


def run_script(script, *arguments):
    command = [sys.executable, str(script), *arguments]
    result = run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own
    return result.stdout, result.stderr


def there_and_back(thing):
    return pickle.loads(pickle.dumps(thing))


def test_a_registry_travels_by_reference(home):
    """Pickling a registry pickles where it is, so that both sides have the one that is there."""
    assert there_and_back(home.shapes) is home.shapes
    assert b"Circle" not in pickle.dumps(home.shapes)


def test_a_copy_of_a_registry_is_the_registry(home):
    """A deep copy of an object that holds a registry holds the same registry."""
    assert copy.deepcopy({"registry": home.shapes})["registry"] is home.shapes


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_local_registry_is_the_registry(shapes, copied):
    """Who copies what holds a registry wants the same one, wherever it was made."""
    assert copied([shapes])[0] is copied(shapes) is shapes


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_an_entry_is_the_entry(shapes, shape, copied):
    """A record does not change, and leads to its object, of a local class too."""
    shapes.register(type("<locals>.Some", (shape,), {}), name="some")
    entry = shapes.entry("some")

    assert copied([entry])[0] is copied(entry) is entry


@pytest.mark.parametrize("owner", ["class Box:", "class Outer:\n  itself = None\n  class Box:"])
def test_a_registry_of_a_class_travels(write_module, owner):
    """A registry may be the attribute of a class, which a module holds."""
    write_module(
        "boxes", f"from lossary_registry import Registry\n{owner}\n    shapes = Registry(name='shapes')\n"
    )
    boxes = importlib.import_module("boxes")
    outer = getattr(boxes, "Outer", boxes)
    outer.itself = outer  # where a search could go round and round
    pickled = pickle.dumps(outer.Box.shapes)

    assert pickle.loads(pickled) is outer.Box.shapes


def test_a_registry_that_is_not_there(home, monkeypatch):
    """A process without the registry is told which one it lacks and what to do, such as a worker of a pool.

    Pools that send the functions of the main program by value send no registry of it along.
    """
    sent = pickle.dumps(home.shapes)
    monkeypatch.delattr(home, "shapes")

    with pytest.raises(
        pickle.UnpicklingError,
        match="the registry 'shapes' travels by reference, and there is no shapes in home here: define it in",
    ):
        pickle.loads(sent)


def test_a_registry_is_found_in_a_module_that_did_not_make_it(home):
    """A registry that a helper made in one module and another holds travels as the other's."""
    home.shapes._module = "no_such_module"

    assert there_and_back(home.shapes) is home.shapes


def test_looking_for_a_registry_wakes_no_lazy_module(home, monkeypatch):
    """A module that imports itself when it is touched is left alone, and so is what is no module."""

    class Lazy(type(sys)):
        def __getattribute__(self, name):
            pytest.fail("a lazy module was touched")

    home.shapes._module = "no_such_module"
    # First of all modules, so that the search meets them before it finds the registry.
    others = {"lazy": Lazy("lazy"), "no_module": object()}
    monkeypatch.setattr(sys, "modules", {**others, **sys.modules})
    found = pickle.dumps(home.shapes)
    monkeypatch.undo()

    assert pickle.loads(found) is home.shapes


def test_a_registry_that_no_module_holds(shapes):
    """What cannot be found again is refused, with what to do."""
    with pytest.raises(pickle.PicklingError, match="assign it at the top level"):
        pickle.dumps(shapes)


@pytest.mark.parametrize("name", ["Circle", "cube"])
def test_an_entry_travels(home, name):
    """An entry arrives equal, with its place, and leads to its object there."""
    entry = home.shapes.entry(name)
    arrived = there_and_back(entry)

    assert arrived == entry
    assert arrived.where == entry.where
    assert arrived.load() is home.shapes.get(name)


def test_an_entry_arrives_without_importing(home):
    """Only asking an entry for its object imports it."""
    there_and_back(home.shapes.entry("cube"))

    assert "heavy_home" not in sys.modules


def test_the_entry_of_a_local_class_stays_home(home):
    """What no other process could import is refused when it is sent, and not when it is needed."""
    home.make_local()

    with pytest.raises(pickle.PicklingError, match="define it at the top level of a module"):
        pickle.dumps(home.shapes.entry("Local"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("method", "changed_home:Demo.method is something else"),
        ("decorated", "changed_home:decorated is something else"),
        ("Rebuilt", "changed_home:Rebuilt is something else"),
        ("gone", "changed_home:gone cannot be imported"),
    ],
)
def test_an_entry_that_would_arrive_as_something_else_stays_home(write_module, name, problem):
    """As pickle does with functions and classes: what the target leads to has to be the object."""
    write_module(
        "changed_home",
        """
        from lossary_registry import Registry
        things = Registry(name="things")
        class Demo:
            def method(self): ...
        things.register(Demo().method)
        def wrap(item):
            return type("Rebuilt", (item,), {}) if isinstance(item, type) else lambda: item
        @wrap
        @things.register
        def decorated(): ...
        @wrap
        @things.register
        class Rebuilt: ...
        @things.register
        def gone(): ...
        del gone
        """,
    )
    things = importlib.import_module("changed_home").things

    with pytest.raises(pickle.PicklingError, match=problem):
        pickle.dumps(things.entry(name))


def test_a_deprecation_travels():
    """A reason arrives equal."""
    assert there_and_back(Deprecated(since="1", use="x")) == Deprecated(since="1", use="x")


def error_of(action):
    with pytest.raises(RegistryError) as caught:
        action()
    return caught.value


@pytest.fixture
def errors(circle, square, shape):
    """One of every exception, as a registry raises it."""
    registry = Registry(shape, "shapes", tags=["flat"])
    registry.register(circle, name="circle")
    registry.register_lazy("lazy", "no_such_module:Lazy", install="pip install it")
    raised = [
        error_of(lambda: registry.get("cirle")),
        error_of(lambda: registry.register(square, name="circle")),
        error_of(lambda: registry.register(int)),
        error_of(lambda: registry.register(circle, name=" ")),
        error_of(lambda: registry.register(circle, tags=["falt"])),
        error_of(lambda: registry.get("lazy")),
    ]
    registry.freeze()
    return [*raised, error_of(lambda: registry.register(square))]


def test_every_exception_is_among_them(errors):
    """The fixture above forgets none of the public exceptions."""
    assert {type(error) for error in errors} == {
        UnknownNameError,
        DuplicateNameError,
        NotAcceptedError,
        InvalidNameError,
        UnknownTagError,
        UnavailableError,
        FrozenRegistryError,
    }


def test_every_exception_travels(errors):
    """An exception arrives with its type, its text and its attributes."""
    for error in errors:
        arrived = there_and_back(error)

        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert {*vars(arrived)} == {*vars(error)}


def test_every_exception_shows_its_text(errors):
    """The repr of an exception is readable as well."""
    for error in errors:
        assert repr(error) == f"{type(error).__name__}({str(error)!r})"


WORKERS = """
import multiprocessing, pickle, sys
from home import shapes

class Dataset:
    "What a loader sends to its workers: it holds the registry, and a record of something to build."
    def __init__(self):
        self.registry = shapes
        self.entry = shapes.entry("Circle")

    def __getitem__(self, index):
        built = self.registry.instantiate("Circle")
        return type(built).__name__, type(built) is self.entry.load(), self.registry.list()

def work(dataset, index):
    return dataset[index]

def fail(dataset):
    dataset.registry.get("circel")

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        assert pool.apply(work, (Dataset(), 0)) == ("Circle", True, ["Circle", "cube"])
        try:
            pool.apply(fail, (Dataset(),))
        except KeyError as error:
            assert "did you mean 'Circle'" in str(error), error
        else:
            raise AssertionError("no error arrived")
        pool.close()
        pool.join()
    print("done")
"""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("method", [m for m in multiprocessing.get_all_start_methods() if m != "fork"])
def test_workers_build_from_a_registry_that_they_receive(tmp_path, method):
    """A worker that shares no memory receives the registry, builds from it, and its errors come back."""
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)

    assert run_script(script, method) == ("done\n", "")


def test_a_registry_of_the_main_program_travels(tmp_path):
    """A script's own registry is found in the worker, which runs the script's definitions again."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing
            from lossary_registry import Registry
            shapes = Registry(name="shapes")
            @shapes.register
            class Circle: ...
            def names(registry):
                return registry.list(), registry is shapes
            if __name__ == "__main__":
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(pool.apply(names, (shapes,)))
                    pool.close()
                    pool.join()
            """
        )
    )

    assert run_script(script) == ("(['Circle'], True)\n", "")


class Halting(dict):
    """Entries that halt before an alias is put in, as a thread may that is in the middle of a write."""

    def __init__(self):
        super().__init__()
        self.reached, self.resume = threading.Event(), threading.Event()

    def __setitem__(self, key, value):
        if key == "alias":
            self.reached.set()
            self.resume.wait(30)
        super().__setitem__(key, value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_while_another_thread_writes(shapes, circle, square):
    """A child has all of a registration or nothing, and no lock of a thread that does not exist there."""
    entries = shapes._store.entries = Halting()
    writer = threading.Thread(target=lambda: shapes.register(circle, name="name", aliases=["alias"]))
    writer.start()
    entries.reached.wait(30)
    threading.Timer(0.1, entries.resume.set).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what this is about
        child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs is ended by the system
        try:
            shapes.register(square)
        finally:
            whole = ("name" in shapes) == ("alias" in shapes)
            os._exit(0 if whole and "Square" in shapes else 1)
    _, status = os.waitpid(child, 0)
    entries.resume.set()
    writer.join()
    shapes.register(square)

    assert (status, shapes.list()) == (0, ["Square", "name"])
