"""Changes that end with a block, and registries that change no more."""

import asyncio
import importlib
import itertools
import sys

import pytest

from lossary_registry import (
    DuplicateNameError,
    FrozenRegistryError,
    NotAcceptedError,
    Registry,
    UnknownNameError,
)


@pytest.fixture
def filled(shapes, circle):
    shapes.register(circle, name="circle", aliases=["round"], tags=["flat"])
    return shapes


def test_override(filled, circle, square):
    """Within the block the name and its aliases lead to the stand-in, and afterwards back."""
    with filled.override("circle", square):
        assert filled["circle"] is filled["round"] is square
    assert filled["circle"] is filled["round"] is circle


def test_override_through_an_alias(filled, square):
    """An alias names the same entry."""
    with filled.override("round", square):
        assert filled["circle"] is square


def test_an_override_keeps_tags_and_order(filled, square):
    """Only the object changes: whoever selects by tag gets the stand-in."""
    filled.register(square)
    with filled.override("circle", square):
        assert filled.filter_by_tag("flat") == ["circle"]
        assert [*filled] == ["circle", "Square"]
    assert [*filled] == ["circle", "Square"]


def test_an_override_ends_when_its_block_raises(filled, circle, square):
    """An exception in the block ends the override as well, and comes out as it is."""
    with pytest.raises(ZeroDivisionError), filled.override("circle", square):
        raise ZeroDivisionError
    assert filled["circle"] is circle


def test_overrides_nest(filled, circle, square, shape):
    """The innermost one is seen."""
    with filled.override("circle", square):
        with filled.override("circle", shape):
            assert filled["circle"] is shape
        assert filled["circle"] is square
    assert filled["circle"] is circle


def test_overrides_may_end_in_any_order(filled, circle, square, shape):
    """An override that ends below another leaves that one on top, and does not come back after it."""
    outer, inner = filled.override("circle", square), filled.override("circle", shape)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert filled["circle"] is shape
    inner.__exit__(None, None, None)
    assert filled["circle"] is circle


def test_overrides_of_different_names_do_not_touch(filled, circle, square, shape):
    """Ending one from below looks only for those that lie on it."""
    filled.register(square)
    one, other = filled.override("circle", square), filled.override("Square", circle)
    one.__enter__()
    other.__enter__()
    filled.register(shape, name="circle", force=True)
    one.__exit__(None, None, None)

    assert (filled["circle"], filled["Square"]) == (shape, circle)
    other.__exit__(None, None, None)
    assert filled["Square"] is square


def test_what_was_registered_meanwhile_is_left_alone(filled, square, shape):
    """Restoring would undo somebody else's change."""
    with filled.override("circle", square):
        filled.register(shape, name="circle", force=True)
    assert filled["circle"] is shape


def test_what_was_unregistered_meanwhile_stays_away(filled, square):
    """The end of an override brings nothing back that somebody took out."""
    with filled.override("circle", square):
        filled.unregister("circle")
    assert "circle" not in filled


def test_an_alias_that_was_taken_meanwhile_stays_taken(filled, circle, square, shape):
    """The stand-in goes though it lost an alias, and what comes back does not take the alias with it."""
    with filled.override("circle", square):
        filled.register(shape, name="round", force=True)
    assert (filled["circle"], filled["round"]) == (circle, shape)
    assert filled.entry("circle").aliases == ()


def test_an_override_of_an_unknown_name(filled, square):
    """There has to be something to stand in for."""
    with pytest.raises(UnknownNameError), filled.override("cirle", square):
        pass


def test_a_stand_in_has_to_be_accepted(filled, circle):
    """The base class holds for stand-ins too, and a refused one changes nothing."""
    with pytest.raises(NotAcceptedError), filled.override("circle", int):
        pass
    assert filled["circle"] is circle


def test_an_override_imports_nothing(filled, circle):
    """A lazy entry may be replaced by a stand-in without its module."""
    filled.register_lazy("heavy", "no_such_module:Heavy")

    with filled.override("heavy", circle):
        assert filled["heavy"] is circle
    assert not filled.entry("heavy").is_resolved


def test_where_a_stand_in_comes_from(filled, square):
    """The record says which line put the stand-in there."""
    with filled.override("circle", square):
        assert filled.entry("circle").where == (__file__, sys._getframe().f_lineno - 1)


def test_isolated_undoes_everything(filled, circle, square):
    """Whatever the block registers, replaces or takes out, the registry afterwards is what it was."""
    filled.register(square)
    before = [*filled.snapshot().items()]

    with filled.isolated() as registry:
        assert registry is filled
        registry.register(square, name="new", tags=["flat"])
        registry.register(square, name="circle", force=True)
        registry.unregister("Square")

    assert [*filled.snapshot().items()] == before
    assert filled.filter_by_tag("flat") == ["circle"]
    assert filled["round"] is circle


def test_isolated_begins_with_what_is_there(filled):
    """A test may build on what the program registered."""
    with filled.isolated():
        assert filled.list() == ["circle"]


def test_isolated_and_empty(filled):
    """``empty=True`` begins with a blank registry."""
    with filled.isolated(empty=True):
        assert filled.list() == []
        assert "round" not in filled
    assert filled.list() == ["circle"]


def test_isolated_ends_when_its_block_raises(filled, square):
    """An exception in the block undoes its registrations as well."""
    with pytest.raises(DuplicateNameError), filled.isolated():
        filled.register(filled.register(square), name="circle")
    assert filled.list() == ["circle"]


def test_isolated_blocks_nest(filled, square):
    """Each block undoes what it did itself."""
    with filled.isolated():
        filled.register(square)
        with filled.isolated(empty=True):
            pass
        assert filled.list() == ["Square", "circle"]


def test_the_version_never_goes_back(filled, square):
    """A cache that remembers a version from within the block must not take it for a later one."""
    before = filled.version
    with filled.isolated():
        filled.register(square)
        within = filled.version

    assert before < within < filled.version


def test_blocks_may_end_in_any_order(filled, square):
    """A block that ends below another is what that one leads back to in the end."""
    before = [*filled.snapshot().items()]
    outer, inner = filled.isolated(empty=True), filled.isolated()
    outer.__enter__()
    filled.register(square)
    inner.__enter__()
    filled.register(square, name="inner")

    outer.__exit__(None, None, None)
    assert filled.list() == ["Square", "inner"]
    inner.__exit__(None, None, None)
    assert [*filled.snapshot().items()] == before


def test_blocks_of_tasks_that_overlap(filled, square):
    """Two asyncio tasks whose blocks overlap leave the registry as it was."""

    async def isolate(begins, ends):
        await asyncio.sleep(begins)
        with filled.isolated(empty=True):
            filled.register(square, name=str(begins))
            await asyncio.sleep(ends - begins)

    async def overlap():
        await asyncio.gather(isolate(0.0, 0.02), isolate(0.01, 0.03))

    asyncio.run(overlap())
    assert filled.list() == ["circle"]


SCOPES = {
    "isolated": lambda registry: registry.isolated(),
    "empty": lambda registry: registry.isolated(empty=True),
    "override": lambda registry: registry.override("circle", type("First", (registry.base_class,), {})),
    "other": lambda registry: registry.override("round", type("Second", (registry.base_class,), {})),
}


@pytest.mark.parametrize("begin", [*itertools.permutations(SCOPES)], ids="-".join)
def test_scopes_that_overlap_leave_the_registry_as_it_was(shape, circle, begin):
    """In whatever order blocks and overrides begin and end, after the last all is as it was before them."""
    parent = Registry(shape, "parent")
    parent.register(circle, name="circle", aliases=["round"])
    for own, end in itertools.product([True, False], itertools.permutations(SCOPES)):
        registry = Registry(shape, parent=parent)
        registry.register(circle, name="a")
        if own:  # where the name is not, the parent's is overridden
            registry.register(circle, name="circle", aliases=["round", "ring"])
        registry.register(circle, name="z")
        before = [*registry.snapshot().items()]
        managers = {}
        for name in begin:
            managers[name] = SCOPES[name](registry)
            managers[name].__enter__()
            if name in ("isolated", "empty"):
                registry.register(type("<locals>.Own", (shape,), {}), name=name, aliases=[f"{name} too"])
        for name in end:
            managers[name].__exit__(None, None, None)

        assert [*registry.snapshot().items()] == before
        assert all(registry[name] is circle for name in ("a", "circle", "round", "z"))
        assert ("ring" in registry) is own


def test_a_frozen_registry_is_frozen_after_blocks_that_overlap(filled, square):
    """The block that thawed it may end first: it stays thawed until the last has ended."""
    filled.freeze()
    outer, inner = filled.isolated(), filled.isolated()
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    filled.register(square)
    inner.__exit__(None, None, None)

    assert filled.list() == ["circle"]
    with pytest.raises(FrozenRegistryError):
        filled.register(square)


def test_an_override_that_ends_in_a_block_does_not_come_back(filled, circle, square):
    """The end of the block leads back to what was there, without a stand-in that is no longer wanted."""
    stand_in = filled.override("circle", square)
    stand_in.__enter__()
    with filled.isolated(empty=True):
        stand_in.__exit__(None, None, None)
    assert filled["circle"] is filled["round"] is circle


def test_an_override_outlives_the_block_that_it_began_in(filled, circle, square, shape):
    """The end of one task's block leaves another's stand-ins where they are, on what comes back."""
    block, first, second = (
        filled.isolated(),
        filled.override("circle", square),
        filled.override("round", shape),
    )
    block.__enter__()
    filled.register(type("<locals>.New", (shape,), {}), name="circle", aliases=["new"], force=True)
    first.__enter__()
    filled.register(circle, name="round")
    second.__enter__()

    block.__exit__(None, None, None)
    assert (filled["circle"], filled["round"], "new" in filled) == (square, square, False)
    second.__exit__(None, None, None)
    first.__exit__(None, None, None)
    assert filled["circle"] is filled["round"] is circle
    assert filled.entry("circle").aliases == ("round",)


def test_an_override_of_a_parent_s_name_outlives_the_block_that_it_began_in(shape, circle, square):
    """No block of the child can take away what the stand-in stands for."""
    parent = Registry(shape, "parent")
    parent.register(circle, name="circle", aliases=["round"])
    child = Registry(shape, "child", parent=parent)
    block, stand_in = child.isolated(), child.override("circle", square)
    block.__enter__()
    stand_in.__enter__()

    block.__exit__(None, None, None)
    assert child["round"] is square
    stand_in.__exit__(None, None, None)
    assert child["round"] is circle
    assert not child._store.entries


def test_a_stand_in_goes_with_what_it_stands_for(filled, circle, square):
    """What a block registered goes at its end, and so does an override of it."""
    block, stand_in = filled.isolated(), filled.override("new", square)
    block.__enter__()
    filled.register(circle, name="new")
    stand_in.__enter__()

    block.__exit__(None, None, None)
    assert filled.list() == ["circle"]
    stand_in.__exit__(None, None, None)
    assert filled.list() == ["circle"]


@pytest.fixture
def plugin(write_module):
    """A module that registers in a registry of a module that is imported already."""
    write_module(
        "plugin_host",
        """
        from lossary_registry import Registry
        host = Registry(name="host")
        def adopt(item):
            return host.register(item)
        """,
    )
    write_module(
        "new_plugin",
        """
        from plugin_host import adopt, host
        @adopt
        class Adopted: ...
        @host.register(aliases=["also"])
        class Tool: ...
        host.register(dict, name="borrowed")
        host.register_lazy("later", "json:JSONDecoder")
        """,
    )
    return importlib.import_module("plugin_host").host


@pytest.mark.parametrize("empty", [False, True])
def test_what_a_new_module_registered_stays(plugin, empty):
    """A module runs once: what it registered in its only run is kept, whoever imports it next needs it."""
    with plugin.isolated(empty=empty):
        importlib.import_module("new_plugin")
        plugin.register(int, name="of the test")

    assert plugin.list() == ["Adopted", "Tool", "borrowed", "later"]
    assert plugin["also"] is plugin["Tool"]


def test_what_a_new_module_registered_stays_after_blocks_that_overlap(plugin):
    """Whichever of the blocks ran the module, and whichever ends first."""
    outer, inner = plugin.isolated(), plugin.isolated(empty=True)
    outer.__enter__()
    importlib.import_module("new_plugin")
    plugin.register(int, name="of the test")
    inner.__enter__()
    outer.__exit__(None, None, None)
    inner.__exit__(None, None, None)

    assert plugin.list() == ["Adopted", "Tool", "borrowed", "later"]


def test_what_a_forgotten_module_registered_goes(plugin):
    """A module that was taken out of ``sys.modules`` will run again, so its registrations go."""
    with plugin.isolated():
        importlib.import_module("new_plugin")
        del sys.modules["new_plugin"]

    assert plugin.list() == []


def test_what_was_there_goes_before_what_a_new_module_registered(plugin):
    """Restoring wins: no entry survives that would need the name of one that was there."""
    plugin.register(int, name="also")
    with plugin.isolated(empty=True):
        importlib.import_module("new_plugin")

    assert plugin.list() == ["Adopted", "also", "borrowed", "later"]


def test_isolated_survives_strange_modules(filled, monkeypatch):
    """Anything may lie in ``sys.modules``, and something may be taken out at any moment."""
    with filled.isolated():
        monkeypatch.setitem(sys.modules, "not_a_module", None)
    assert filled.list() == ["circle"]


@pytest.mark.parametrize(
    "change",
    [
        lambda r, item: r.register(item, name="new"),
        lambda r, item: r.register(item, name="circle", force=True),
        lambda r, item: r.register_lazy("new", "json:JSONDecoder"),
        lambda r, item: r.unregister("circle"),
        lambda r, item: r.override("circle", item).__enter__(),
    ],
    ids=["register", "replace", "register_lazy", "unregister", "override"],
)
def test_a_frozen_registry_refuses_every_change(filled, square, change):
    """After ``freeze`` a change is a RuntimeError, and nothing happens."""
    filled.freeze()
    before = filled.version

    with pytest.raises(FrozenRegistryError, match="shapes is frozen") as caught:
        change(filled, square)

    assert isinstance(caught.value, RuntimeError)
    assert (filled.version, filled.list()) == (before, ["circle"])


def test_a_frozen_registry_answers(filled, circle):
    """Freezing stops writers and nobody else."""
    filled.freeze()

    assert filled["round"] is circle
    assert repr(filled) == "<Registry 'shapes' of Shape: 1 name, frozen>"


def test_a_frozen_registry_still_loads(write_module):
    """A lazy entry says what it leads to before; finding it is no change."""
    write_module("heavy_solids", "class Cube: ...")
    registry = Registry(name="solids")
    registry.register_lazy("cube", "heavy_solids:Cube")
    registry.freeze()

    assert registry["cube"].__name__ == "Cube"
    assert registry.entry("cube").is_resolved


def test_the_same_object_again_is_refused_too(filled, circle):
    """A frozen registry tells whoever registers late, even if nothing would change."""
    filled.freeze()

    with pytest.raises(FrozenRegistryError):
        filled.register(circle, name="circle")


def test_an_override_ends_in_a_registry_that_was_frozen_meanwhile(filled, circle, square):
    """Undoing is no new change."""
    with filled.override("circle", square):
        filled.freeze()
    assert filled["circle"] is circle


def test_isolated_thaws_a_frozen_registry(filled, square):
    """A test may change what the program froze; afterwards it is frozen again."""
    filled.freeze()
    with filled.isolated():
        filled.register(square)
    assert filled.list() == ["circle"]
    with pytest.raises(FrozenRegistryError):
        filled.register(square)
