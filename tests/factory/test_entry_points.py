"""Entry points are those that the standard library finds, and are found without it."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest

from lossary_factory._entry_points import Distribution, EntryPoint, entry_points

GROUP = "lossary.of_this_test"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a distribution into a folder at the end of the path."""
    named = "Name: One.Dist\nVersion: 1.0\n\nName: no\n"

    def install(folder: str, info: str, content: str, about: str = named) -> None:
        place = tmp_path / folder
        (place / info).mkdir(parents=True)
        (place / info / "entry_points.txt").write_text(content)
        (place / info / "METADATA").write_text(about)
        if str(place) not in sys.path:
            monkeypatch.setattr(sys, "path", [*sys.path, str(place)])

    return install


def sorted_alike(entries):
    return sorted((entry.name, entry.value, entry.dist.name, entry.dist.version) for entry in entries)


GROUPS = [
    "console_scripts",
    "pytest11",
    "hypothesis",
    "lossary.registries",
    "lossary.parts",
    "nothing.at.all",
]


@pytest.mark.parametrize("group", GROUPS)
def test_they_are_those_of_the_standard_library(group):
    """Of everything that is installed here, with the distribution that offers it."""
    theirs = importlib.metadata.entry_points(group=group)
    ours = entry_points(group)
    assert sorted_alike(ours) == sorted_alike(theirs)
    assert {entry.module for entry in ours} == {entry.module for entry in theirs}


def test_sections_comments_and_spaces(install):
    """Of a file with other sections and comments, the section's entries."""
    text = f"[x]\na = b\n\n# c\n[{GROUP}]\n# {GROUP}\n two=json:loads\none = json : dumps\n[y]\nz = z"
    install("a", "one_dist-1.0.dist-info", text)
    about = Distribution("One.Dist", "1.0")
    found = entry_points(GROUP)
    assert found == [EntryPoint("one", "json : dumps", about), EntryPoint("two", "json:loads", about)]
    assert [entry.load().__name__ for entry in found] == ["dumps", "loads"]
    assert sorted_alike(found) == sorted_alike(importlib.metadata.entry_points(group=GROUP))


def test_the_first_of_two_distributions_counts(install):
    """As for imports: what stands earlier on the path hides what has the same name, however it is spelled."""
    install("a", "One.dist-2.0.dist-info", f"[{GROUP}]\nnew = json", "Name: one-dist\nVersion: 2.0\n")
    install("b", "one_dist-1.0.dist-info", f"[{GROUP}]\nold = json")
    assert [entry.name for entry in entry_points(GROUP)] == ["new"]


def test_attributes_of_attributes_and_modules(install):
    """A value is a module, or a path within one."""
    text = f"[{GROUP}]\nmodule = json.decoder\nmethod = json:JSONDecoder.decode [extra]\n"
    install("a", "one_dist-1.0.dist-info", text)
    method, module = entry_points(GROUP)
    assert (module.load().__name__, method.load().__name__) == ("json.decoder", "decode")


def test_what_cannot_be_read_is_passed_over(install, tmp_path, monkeypatch):
    """Folders that are not there, distributions without entry points, and ones that do not say their name."""
    install("a", "nameless-1.0.dist-info", f"[{GROUP}]\nnameless = json", "")
    (tmp_path / "a" / "empty-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "not_there"), *sys.path])
    assert entry_points(GROUP) == [EntryPoint("nameless", "json", None)]


def test_where_folders_show_nothing_the_standard_library_is_asked(monkeypatch):
    """It knows of distributions that an importer of its own provides."""

    class Finder(importlib.metadata.DistributionFinder):
        def find_distributions(self, context=None):
            class Hidden(importlib.metadata.Distribution):
                def read_text(self, filename):
                    texts = {
                        "METADATA": "Name: hidden\nVersion: 3\n",
                        "entry_points.txt": f"[{GROUP}]\nhidden = json\n",
                    }
                    return texts.get(filename)

                def locate_file(self, path):
                    return path

            return [Hidden()]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert entry_points(GROUP) == [EntryPoint("hidden", "json", Distribution("hidden", "3"))]


def test_a_damaged_distribution_breaks_nothing(install, tmp_path):
    """A neighbour whose files are no UTF-8 offers what can be read of it, and all others what they offer."""
    install("a", "sound-1.0.dist-info", f"[{GROUP}]\nsound = json", "Name: sound\nVersion: 1\n")
    install("b", "broken-1.0.dist-info", "", "")
    folder = tmp_path / "b" / "broken-1.0.dist-info"
    (folder / "entry_points.txt").write_bytes(
        f"[x]\na\xff = b\n[{GROUP}]\nread = json\n = json\n".encode("latin-1")
    )
    (folder / "METADATA").write_bytes(b"Name: broken\nVersion: 1\nAuthor: \xff\n")
    assert entry_points(GROUP) == [
        EntryPoint("read", "json", Distribution("broken", "1")),
        EntryPoint("sound", "json", Distribution("sound", "1")),
    ]
    assert entry_points("nothing.at.all") == []
