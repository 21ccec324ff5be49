"""The command ``python -m lossary_registry``."""

import json
import runpy
import sys

import pytest

from lossary_registry.__main__ import main


@pytest.fixture
def module(write_module):
    write_module(
        "listed",
        """
        from lossary_registry import Registry
        class Box:
            shapes = Registry(name="shapes")
        shapes = Box.shapes
        @shapes.register("circle", tags=["flat"], aliases=["round"], metadata={"shape": {1}})
        class Circle:
            "A circle."
        shapes.register_lazy("cube", "no_such_module:Cube", tags=["solid"])
        """,
    )
    write_module("unlisted", "raise RuntimeError('no list today')")


@pytest.mark.usefixtures("module")
def test_list(capsys):
    """``list`` prints the table, and ends with 0."""
    assert main(["list", "listed:shapes"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name    tags   aliases  what it is",
        "circle  flat   round    A circle.",
        "cube    solid           no_such_module:Cube, not imported yet",
    ]


@pytest.mark.usefixtures("module")
def test_list_with_a_tag(capsys):
    """``--tag`` leaves only what has the tag."""
    assert main(["list", "listed:Box.shapes", "--tag", "fl*"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["name", "circle"]


@pytest.mark.usefixtures("module")
def test_list_as_json(capsys):
    """``--json`` prints everything that is known, for machines; what JSON cannot say is shown by its repr."""
    assert main(["list", "listed:shapes", "--json", "--tag", "flat"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    file, line = found.pop("where")
    assert file.endswith("listed.py")
    assert line == 6
    assert found == {
        "name": "circle",
        "aliases": ["round"],
        "deprecated": [],
        "tags": ["flat"],
        "metadata": {"shape": "{1}"},
        "target": "listed:Circle",
        "requires": [],
        "install": "",
        "distribution": "",
        "available": True,
        "failure": "",
    }


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("listed.shapes", "names no object: write 'package.module:Name'"),
        ("listed:circles", "cannot import listed:circles: AttributeError"),
        ("nowhere:shapes", "cannot import nowhere:shapes: ModuleNotFoundError"),
        ("unlisted:shapes", "cannot import unlisted:shapes: RuntimeError: no list today"),
        ("listed:Circle", "listed:Circle is a type, not a Registry"),
    ],
)
def test_what_cannot_be_listed(capsys, target, reason):
    """A wrong target is one line on the error stream and the status 2, without a traceback."""
    assert main(["list", target]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert reason in err


@pytest.mark.usefixtures("module")
def test_as_a_module(monkeypatch, capsys):
    """``python -m lossary_registry`` runs the command."""
    monkeypatch.setattr(sys, "argv", ["lossary_registry", "list", "listed:shapes"])
    monkeypatch.delitem(sys.modules, "lossary_registry.__main__")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("lossary_registry", run_name="__main__")

    assert caught.value.code == 0
    assert "A circle." in capsys.readouterr().out
