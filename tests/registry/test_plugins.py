"""What installed distributions offer through entry points."""

import sys

import pytest

from lossary_registry import DuplicateNameError, Registry, UnavailableError

GROUP = "lossary_registry.tests"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that puts a distribution on the path as an installer would, without its modules."""

    def put(distribution, offers, version="1.0", group=GROUP):
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = "\n".join(f"{name} = {target}" for name, target in offers)
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
        monkeypatch.syspath_prepend(site)

    return put


@pytest.fixture
def tools(install, write_module):
    """A registry whose group has a good plugin, a broken one, and one that misses a dependency."""
    write_module("good_tools", "class Hammer:\n    'Drives nails.'")
    write_module("broken_tools", "raise RuntimeError('handle came off')")
    write_module("hungry_tools", "import no_such_module")
    install("good", [("hammer", "good_tools:Hammer")])
    install("bad", [("saw", "broken_tools:Saw"), ("drill", "hungry_tools:Drill")], version="0.2")
    return Registry(name="tools", entry_points=GROUP)


def test_plugins_are_listed(tools):
    """What distributions offer is listed, broken or not."""
    assert tools.list() == ["drill", "hammer", "saw"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.list(),
        lambda r: "hammer" in r,
        lambda r: [*r],
        lambda r: r.describe(),
        lambda r: r.get("wrench", None),
        lambda r: r.freeze(),
    ],
)
def test_finding_plugins_imports_none(tools, ask):
    """A plugin's module is imported when the plugin is asked for by name."""
    ask(tools)

    assert not {"good_tools", "broken_tools", "hungry_tools"} & set(sys.modules)


def test_a_good_plugin_works_beside_broken_ones(tools):
    """One broken plugin breaks nothing else."""
    assert tools["hammer"] is sys.modules["good_tools"].Hammer


@pytest.mark.parametrize(
    ("name", "reason"),
    [("saw", "RuntimeError: handle came off"), ("drill", "No module named 'no_such_module'")],
)
def test_a_broken_plugin_says_why(tools, name, reason):
    """The error of a plugin surfaces where the plugin is asked for, and is kept with its entry."""
    with pytest.raises(UnavailableError, match=reason):
        tools.get(name)
    assert reason in tools.entry(name).failure
    assert tools.list(available=False) == [name]


def test_a_plugin_names_its_distribution(tools):
    """The record says which distribution offers the plugin, instead of a line."""
    assert (tools.entry("saw").distribution, tools.entry("saw").where) == ("bad 0.2", None)


def test_the_program_goes_before_plugins(tools):
    """What the program registered before the scan keeps its name."""
    tools.register(int, name="hammer")
    tools.list()

    assert tools["hammer"] is int


def test_the_program_goes_before_plugins_after_the_scan_too(tools):
    """The order of scan and registration makes no difference."""
    tools.list()
    tools.register(int, name="hammer")

    assert tools["hammer"] is int


def test_two_distributions_that_offer_one_name(tools, install):
    """Neither wins by chance: the name is listed as unavailable, and asking for it names both."""
    install("rival", [("hammer", "rival_tools:Hammer")], version="3.0")

    assert "hammer" in tools.list(available=False)
    assert tools.entry("hammer").failure == "good 1.0 and rival 3.0 both offer this name"
    with pytest.raises(DuplicateNameError) as caught:
        tools.get("hammer")
    assert {caught.value.first, caught.value.second} == {
        ("good_tools:Hammer", "good 1.0"),
        ("rival_tools:Hammer", "rival 3.0"),
    }


def test_what_to_do_about_two_distributions_that_offer_one_name(tools, install):
    """Nobody passes force=True to an installer: the message says what a user can do, and that it helps."""
    install("rival", [("hammer", "rival_tools:Hammer")], version="3.0")

    with pytest.raises(
        DuplicateNameError, match=r"Uninstall one of them, or register what you want as 'hammer'"
    ):
        tools.get("hammer")
    tools.register(int, name="hammer")
    assert tools["hammer"] is int


def test_an_offer_without_a_name(tools, install):
    """What nobody could ask for is not listed."""
    install("nameless", [("", "good_tools:Hammer")])

    assert tools.list() == ["drill", "hammer", "saw"]


def test_two_distributions_that_offer_the_same_thing(tools, install):
    """The same target twice, as after a renamed distribution, is no contradiction."""
    install("renamed", [("hammer", "good_tools:Hammer")])

    assert tools["hammer"].__name__ == "Hammer"


def test_a_target_without_an_object(install):
    """A malformed offer is listed and fails alone."""
    install("odd", [("odd", "json"), ("extra", "json:JSONDecoder [fast]")])
    registry = Registry(name="odd", entry_points=GROUP)

    assert registry["extra"].__name__ == "JSONDecoder"
    with pytest.raises(UnavailableError):
        registry.get("odd")


def test_other_groups_are_left_alone(tools, install):
    """A registry sees its own group only."""
    install("foreign", [("foreign", "foreign:Foreign")], group="somebody.elses")

    assert "foreign" not in tools


def test_the_scan_happens_once(tools, install):
    """A distribution installed while the program runs is not noticed."""
    tools.list()
    install("late", [("late", "late:Late")])

    assert "late" not in tools


def test_a_hit_does_not_scan(tools):
    """Looking up what the program registered costs no scan."""
    tools.register(int, name="int")
    tools.get("int")

    assert tools._store.plugins_pending


def test_freeze_looks_for_plugins_first(tools):
    """A registry that is frozen before anybody asked still has its plugins."""
    tools.freeze()

    assert tools.list() == ["drill", "hammer", "saw"]


def test_unregister_finds_plugins(tools):
    """A program can take out a plugin that it does not want, before anything was listed."""
    assert tools.unregister("saw").distribution == "bad 0.2"
    assert tools.list() == ["drill", "hammer"]


def test_isolated_and_empty_knows_no_plugins(tools):
    """A blank registry is blank, and afterwards the plugins are found."""
    with tools.isolated(empty=True):
        assert tools.list() == []
    assert tools.list() == ["drill", "hammer", "saw"]


def test_a_registry_frozen_by_another_thread_takes_no_plugins(tools, monkeypatch):
    """A scan that ends after somebody froze the registry comes too late."""
    import lossary_registry._plugins as plugins  # noqa: PLC0415 - imported on the first scan

    found = plugins.find_plugins(GROUP, "tools")

    def freeze_meanwhile(group, registry):
        tools._store.freeze()
        return found

    monkeypatch.setattr(plugins, "find_plugins", freeze_meanwhile)

    assert tools.list() == []


def test_a_damaged_distribution_is_passed_over(tools, tmp_path, monkeypatch):
    """Somebody else's unreadable metadata hides nobody's plugins."""
    damaged = tmp_path / "damaged" / "damaged-1.0.dist-info"
    damaged.mkdir(parents=True)
    (damaged / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
    (damaged / "entry_points.txt").write_bytes(b"[\xff")
    monkeypatch.syspath_prepend(tmp_path / "damaged")

    assert tools.list() == ["drill", "hammer", "saw"]


def test_the_first_of_two_copies_of_a_distribution_counts(tools, tmp_path, monkeypatch):
    """A distribution that is on the path twice is the one that would be imported."""
    older = tmp_path / "older" / "good-0.9.dist-info"
    older.mkdir(parents=True)
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: good\nVersion: 0.9\n")
    (older / "entry_points.txt").write_text(f"[{GROUP}]\nhammer = older_tools:Hammer\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "older")])

    assert tools.entry("hammer").distribution == "good 1.0"
