from __future__ import annotations

import pytest

from lossary_factory import CollectionError, FactoryError, build, check, validate
from lossary_factory._collections import installed_registry
from lossary_factory._entry_points import EntryPoint

COLLECTION = """
from lossary_registry import Registry

class Loss: ...

loss_registry = Registry(Loss, "{name}")
loss_registry.register(Loss, name="some_loss")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution with one collection; no other collection is seen."""
    group = "lossary.registries.of_this_test"
    monkeypatch.setattr("lossary_factory._collections.GROUP", group)
    monkeypatch.syspath_prepend(str(tmp_path))
    installed_registry.cache_clear()

    def install(
        name: str, value: str = "", code: str = COLLECTION, *, offered: str = "", target: str = ""
    ) -> None:
        module = f"{target or name}_of_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(code.format(name=name))
        info = tmp_path / f"{name}_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
        entry = f"{offered or name} = {module}:{value or 'loss_registry'}"
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")

    yield install
    installed_registry.cache_clear()


def test_without_a_collection_the_error_says_what_to_install(install):
    """No registry given and none installed: the error names the extra that brings one."""
    with pytest.raises(CollectionError) as caught:
        validate("some_loss")
    assert str(caught.value) == (
        "no collection of losses is installed\n"
        "    pip install 'lossary-factory[losses]' installs lossary-losses.\n"
        "    In Python, a registry of your own can be passed as registry=."
    )


def test_check_raises_nothing_for_want_of_a_collection(install):
    """``check`` never raises: that nothing is installed is a problem like others."""
    (problem,) = check("some_loss")
    assert problem.code == "no-collection"


def test_the_only_collection_is_found(install):
    """One installed collection needs no mention."""
    install("one")
    assert type(build("some_loss")).__name__ == "Loss"


def test_several_collections_are_listed(install):
    """Two installed collections are not chosen between; each can be named."""
    install("one")
    install("two")
    with pytest.raises(CollectionError) as caught:
        build("some_loss")
    first, *listed, last = str(caught.value).splitlines()
    assert first == "several collections of losses are installed"
    assert [line.split()[0] for line in listed] == ["one", "two"]
    assert listed[0].endswith("from one-dist 1.0)")
    assert last.strip() == "Choose one with registry=, or with --collection NAME on the command line."
    assert installed_registry("two").name == "two"


def test_an_unknown_collection_is_named_with_the_nearest(install):
    """A collection that is not installed is a wrong name like others."""
    install("losses")
    with pytest.raises(
        CollectionError, match=r"called 'loses'\n    did you mean 'losses'\? installed: losses"
    ):
        installed_registry("loses")


def test_a_collection_that_does_not_load_says_why(install):
    """What its import raises is told, and chained."""
    install("broken", code="raise ImportError('torch is missing')")
    with pytest.raises(CollectionError, match="ImportError: torch is missing") as caught:
        build("some_loss")
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_collection_has_to_be_a_registry(install):
    """An entry point to anything else is refused."""
    install("odd", value="Loss")
    with pytest.raises(CollectionError, match="is not a Registry"):
        build("some_loss")


def test_collection_errors_are_factory_errors():
    """One name catches whatever this package has to say."""
    assert issubclass(CollectionError, FactoryError)


def test_a_registry_of_ones_own_needs_no_collection(install, losses):
    """With ``registry=`` nothing is looked up."""
    assert check("dice_loss", registry=losses) == []


def test_two_collections_of_one_name_are_no_choice(install):
    """Whoever installs a second one must not replace the first without a word: both are named."""
    install("one")
    install("two", offered="one")
    with pytest.raises(CollectionError) as caught:
        build("some_loss")
    first, *listed, last = str(caught.value).splitlines()
    assert first == "several distributions offer a collection called 'one'"
    assert [line.partition("from ")[2] for line in listed] == ["one-dist 1.0)", "two-dist 1.0)"]
    assert last.strip() == "Uninstall all but one of them, or pass a registry as registry=."


def test_a_collection_beside_two_of_one_name_can_be_chosen(install):
    """The quarrel of others does not concern it."""
    for name, offered in (("one", "one"), ("two", "one"), ("three", "three")):
        install(name, offered=offered)
    assert installed_registry("three").name == "three"


def test_one_collection_that_two_distributions_offer_is_one(install):
    """As when a distribution was installed under its old name and its new one."""
    install("one")
    install("two", offered="one", target="one")
    assert type(build("some_loss")).__name__ == "Loss"


@pytest.mark.parametrize("value", ["os:nothing", "os", "os:path"])
def test_a_broken_offer_of_parts_breaks_nothing(losses, monkeypatch, value):
    """A neighbour whose parts do not load has none: all else is checked as if it were not there."""
    broken = EntryPoint("foo", value, None)
    monkeypatch.setattr("lossary_factory._collections._part_entries", lambda: (broken,))

    class Other: ...

    @losses.register(name="other_loss")
    class OtherLoss(losses.base_class):
        def __init__(self, other: Other | None = None) -> None: ...

    OtherLoss.__init__.__annotations__["other"] = Other | None
    assert check("other_loss", registry=losses) == []
