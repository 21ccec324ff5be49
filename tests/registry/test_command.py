"""The command ``python -m lossary_registry``."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from lossary_registry.__main__ import main, run


@pytest.fixture
def module(write_module):
    write_module(
        "listed",
        """
        from lossary_registry import Registry
        class Box:
            shapes = Registry(name="shapes")
        shapes = Box.shapes
        @shapes.register(
            "circle", tags=["flat"], aliases=["round"], metadata={"shape": {1}, (1, 2): [{3: (None,)}]}
        )
        class Circle:
            "A circle."
        shapes.register_lazy("cube", "no_such_module:Cube", tags=["solid"])
        """,
    )
    write_module("unlisted", "raise RuntimeError('no list today')")
    write_module("exiting", "raise SystemExit(3)")


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
        "metadata": {"shape": "{1}", "(1, 2)": [{"3": [None]}]},
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
        ("exiting:shapes", "cannot import exiting:shapes: SystemExit: 3"),
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


@pytest.fixture
def call(tmp_path):
    """A function that runs the command in a process of its own, whose output goes somewhere."""
    (tmp_path / "sizes.py").write_text(
        "from lossary_registry import Registry\nsizes = Registry(name='sizes')\n"
        "sizes.register(int, name='größe 円')\n"
        "for number in range(5000):\n    sizes.register(int, name=f'{number}')\n",
        encoding="utf-8",
    )

    def call(stdout, *arguments, **environment):
        return subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "lossary_registry", "list", "sizes:sizes", *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="latin-1",
            check=False,
        )

    return call


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_that_lacks_a_character(call, encoding):
    """Whatever the terminal can show, the row is there, and what it lacks can still be told."""
    result = call(subprocess.PIPE, PYTHONIOENCODING=encoding)

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1].startswith("gr")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk(call):
    """An answer that cannot be written is one line on the error stream and the status 2."""
    with Path("/dev/full").open("w") as full:
        result = call(full)

    assert result.returncode == 2
    assert result.stderr.startswith("lossary_registry: the answer cannot be written: ")
    assert result.stderr.count("\n") == 1


def test_a_pipe_that_was_closed(call):
    """Who reads only the beginning has what they want."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        result = call(pipe)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.usefixtures("module")
def test_no_output_at_all(monkeypatch):
    """A process whose output was closed by who called it answers nothing, and has no error."""
    monkeypatch.setattr(sys, "argv", ["lossary_registry", "list", "listed:shapes"])
    monkeypatch.setattr(sys, "stdout", None)

    assert run() == 0
