"""Things that are imported when they are asked for."""

import importlib
import sys

import pytest

from lossary_registry import (
    DuplicateNameError,
    InvalidNameError,
    NotAcceptedError,
    RegistrationWarning,
    Registry,
    UnavailableError,
)


@pytest.fixture
def solids(write_module):
    """A registry with a lazy entry whose module is there."""
    write_module("heavy_solids", "class Cube:\n    'A cube.'\n    class Corner: ...\nSIDES = 6\n")
    registry = Registry(name="solids")
    registry.register_lazy(
        "cube", "heavy_solids:Cube", aliases=["box"], tags=["corners"], metadata={"sides": 6}
    )
    return registry


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.list(),
        lambda r: r.list(available=True),
        lambda r: r.list_with_tags(),
        lambda r: r.filter_by_tag("corners"),
        lambda r: "cube" in r,
        len,
        lambda r: [*r],
        lambda r: r.entry("cube").available,
        lambda r: r.snapshot(),
        lambda r: r.describe(),
        lambda r: r.describe("cube"),
        lambda r: r.to_markdown(),
        lambda r: r._repr_html_(),
        repr,
        lambda r: r.get("tube", None),
    ],
)
def test_asking_about_an_entry_imports_nothing(solids, ask):
    """Only getting the object imports its module."""
    ask(solids)

    assert "heavy_solids" not in sys.modules


@pytest.mark.parametrize("name", ["cube", "box"])
def test_getting_it_imports_it(solids, name):
    """The name and an alias both load the object, and afterwards it is at hand."""
    found = solids.get(name)

    assert found is sys.modules["heavy_solids"].Cube
    assert solids.entry("cube").is_resolved


def test_loading_keeps_what_was_registered(solids):
    """A loaded entry has the aliases, tags, metadata and place of the lazy one."""
    before = solids.entry("cube")
    solids.get("cube")

    assert solids.entry("cube") == before


def test_loading_is_no_change_of_meaning(solids):
    """The version counts changes, and finding out what a name leads to is none."""
    before = solids.version
    solids.get("cube")

    assert solids.version == before


def test_a_nested_class_can_be_the_target(solids):
    """The qualified name may have dots."""
    solids.register_lazy("corner", "heavy_solids:Cube.Corner")

    assert solids["corner"] is sys.modules["heavy_solids"].Cube.Corner


@pytest.mark.parametrize("target", ["os.path.join", "os:", ":join", "os path:join", "os:join()", ""])
def test_a_target_has_a_colon(solids, target):
    """A bare dotted name is no target: module and object are told apart by a colon."""
    with pytest.raises(InvalidNameError, match=r"write 'package\.module:Name'"):
        solids.register_lazy("it", target)


def test_dotted_names_are_never_imported(solids):
    """A name is looked up and nothing else, even if it looks like something to import."""
    assert "this.d" not in solids
    assert solids.get("os.path.join", None) is None
    assert "this" not in sys.modules


def test_a_module_that_is_missing(solids):
    """What cannot be imported is an ImportError that names entry and target, chained to the cause."""
    solids.register_lazy("ball", "no_such_module:Ball", install="pip install solids[round]")

    with pytest.raises(UnavailableError) as caught:
        solids.get("ball")

    assert str(caught.value) == (
        "'ball' of solids cannot be loaded from no_such_module:Ball:"
        " ModuleNotFoundError: No module named 'no_such_module'\n"
        "    To have it: pip install solids[round]"
    )
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_default_does_not_hide_a_broken_entry(solids):
    """A default is for names that nobody registered."""
    solids.register_lazy("ball", "no_such_module:Ball")

    with pytest.raises(UnavailableError):
        solids.get("ball", None)


def test_a_module_that_raises(solids, write_module):
    """Whatever error a module ends in, the look-up of its entry says so, and other entries work."""
    write_module("broken_solids", "raise RuntimeError('out of paint')")
    solids.register_lazy("ball", "broken_solids:Ball")

    with pytest.raises(UnavailableError, match="RuntimeError: out of paint"):
        solids.get("ball")
    assert solids.get("cube").__name__ == "Cube"


def test_a_module_that_ends_the_program(solids, write_module):
    """A script that exits when it is imported is a broken entry, and no reason to end the program."""
    write_module("script", "import sys\nsys.exit('no arguments')")
    solids.register_lazy("ball", "script:Ball")

    with pytest.raises(UnavailableError, match="SystemExit: no arguments"):
        solids.get("ball")


def test_a_module_without_the_object(solids):
    """A wrong name within the right module is told as such."""
    solids.register_lazy("ball", "heavy_solids:Ball")

    with pytest.raises(UnavailableError, match=r"AttributeError: .*'Ball'"):
        solids.get("ball")


def test_a_failure_is_remembered_and_tried_again(solids, write_module):
    """A failed entry is listed as unavailable, and works as soon as its cause is gone."""
    solids.register_lazy("ball", "late_solids:Ball", aliases=["sphere"])
    with pytest.raises(UnavailableError):
        solids.get("ball")
    assert solids.list(available=False) == ["ball"]
    assert "No module named 'late_solids'" in solids.entry("sphere").failure

    write_module("late_solids", "class Ball: ...")

    assert solids.get("sphere").__name__ == "Ball"
    assert solids.list(available=False) == []


def test_what_is_loaded_has_to_be_accepted(write_module, shape):
    """The base class is checked when the object is there, and the refusal is remembered."""
    write_module("heavy_solids", "class Cube: ...")
    registry = Registry(shape, "shapes")
    registry.register_lazy("cube", "heavy_solids:Cube")

    with pytest.raises(NotAcceptedError, match="not a subclass"):
        registry.get("cube")
    assert registry.list(available=True) == []


def test_a_requirement_that_is_missing(solids):
    """An entry without its requirement is listed, and says what to install when it is asked for."""
    solids.register_lazy(
        "ball",
        "heavy_solids:Cube",
        requires=["no_such_module.part", "os"],
        install="pip install solids[round]",
    )

    with pytest.raises(UnavailableError, match=r"it needs no_such_module\.part\n") as caught:
        solids.get("ball")

    assert caught.value.install == "pip install solids[round]"
    assert solids.list() == ["ball", "cube"]
    assert solids.list(available=True) == ["cube"]
    assert "heavy_solids" not in sys.modules


def test_a_requirement_that_is_there(solids):
    """A requirement that is installed stands in no way."""
    solids.register_lazy("ball", "heavy_solids:Cube", requires=["json"])

    assert solids.entry("ball").available
    assert solids["ball"] is solids["cube"]


@pytest.mark.parametrize(("module", "available"), [(None, False), (type(sys)("made_up"), True)])
def test_a_requirement_that_a_program_put_together(solids, monkeypatch, module, available):
    """A module without a spec is there if it is in ``sys.modules``; a None there blocks its import."""
    monkeypatch.setitem(sys.modules, "made_up", module)
    solids.register_lazy("ball", "heavy_solids:Cube", requires=["made_up"])

    assert solids.entry("ball").available is available


def test_an_entry_loads_itself(solids):
    """``load`` of an entry that was taken before does what a look-up does."""
    entry = solids.entry("cube")

    assert entry.load() is sys.modules["heavy_solids"].Cube


def test_the_same_announcement_again_changes_nothing(solids):
    """A package may announce its lazy entries twice."""
    before = solids.version
    solids.register_lazy("cube", "heavy_solids:Cube")

    assert solids.version == before


def test_another_target_under_the_same_name_is_refused(solids):
    """Two announcements that disagree collide like any two registrations."""
    with pytest.raises(DuplicateNameError):
        solids.register_lazy("cube", "other_solids:Cube")


@pytest.mark.parametrize(("option", "value"), [("requires", ("json",)), ("install", "pip install it")])
def test_another_requirement_replaces_the_announcement(solids, option, value):
    """The same target with other requirements is the same definition, told anew."""
    with pytest.warns(RegistrationWarning):
        solids.register_lazy("cube", "heavy_solids:Cube", **{option: value})

    assert getattr(solids.entry("cube"), option) == value


@pytest.fixture
def announced(write_module):
    """A package that announces a class whose own module registers it with a decorator."""
    write_module(
        "announced.__init__",
        """
        from lossary_registry import Registry
        solids = Registry(name="solids")
        solids.register_lazy("cube", "announced.heavy:Cube", aliases=["box"], tags=["solid"], metadata={1: 1})
        solids.register_lazy("ball", "announced.heavy:Ball")
        solids.register_lazy("cone", "announced:Cone")
        def __getattr__(name):
            if name == "Cone":
                from announced.heavy import Cone
                return Cone
            raise AttributeError(name)
        """,
    )
    write_module(
        "announced.heavy",
        """
        from announced import solids
        @solids.register("cube", aliases=["dice"], tags=["corners"], metadata={2: 2})
        class Cube: ...
        @solids.register("cone")
        class Cone: ...
        @solids.register("other")
        class Ball: ...
        """,
    )
    return importlib.import_module("announced").solids


def test_an_object_that_registers_itself_takes_the_place_of_its_announcement(announced):
    """Whether the look-up or somebody's import loads the module, the announced entry becomes the real one."""
    found = announced.get("box")

    assert found is sys.modules["announced.heavy"].Cube
    assert announced.entry("cube").aliases == ("box", "dice")
    assert announced.entry("cube").tags == ("solid", "corners")
    assert announced.entry("cube").metadata == {1: 1, 2: 2}


def test_an_announcement_may_name_the_package_that_re_exports(announced):
    """``package:Name`` announces what ``package.module`` defines."""
    assert announced.get("cone") is sys.modules["announced.heavy"].Cone


def test_an_object_that_registers_itself_under_an_alias_of_its_announcement_collides(solids):
    """The announced name stays the canonical one: a module does not rename it by being imported."""
    module = importlib.import_module("heavy_solids")

    with pytest.raises(DuplicateNameError, match="'box' is already taken"):
        solids.register(module.Cube, name="box")


def test_something_else_does_not_take_an_announced_place(announced, circle):
    """Before it is loaded, an announced name is as taken as any other."""
    with pytest.raises(DuplicateNameError):
        announced.register(circle, name="cube")
