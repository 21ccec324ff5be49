"""The examples of the package's README."""

import doctest
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from lossary_registry import __main__ as command

README = Path(__file__).parents[2] / "packages" / "registry" / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)
BLOCKS = [match.groupdict() for match in BLOCK.finditer(TEXT)]


class AnyPlace(doctest.OutputChecker):
    """Takes one place in a file for another: the README's files are imagined."""

    def check_output(self, want, got, optionflags):
        want = re.sub(r"\w+\.py:\d+", "PLACE", want)
        got = re.sub(r"<doctest [^>]+>:\d+", "PLACE", got)
        return super().check_output(want, got, optionflags)


def test_the_sessions_give_what_they_show():
    """Every prompt in the README, run from top to bottom, answers as written."""
    sessions = "\n\n".join(block["body"] for block in BLOCKS if block["language"] == "pycon")
    test = doctest.DocTestParser().get_doctest(sessions, {"__name__": "__main__"}, "README.md", None, 0)
    runner = doctest.DocTestRunner(AnyPlace(), verbose=False)
    report = []
    runner.run(test, out=report.append)

    assert runner.summarize(verbose=False).failed == 0, "".join(report)
    assert len(test.examples) > 50


def test_the_commands_print_what_they_show(tmp_path, monkeypatch, capsys):
    """Every command line of ours in the README prints what stands below it."""
    for block in BLOCKS:
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["body"])
    monkeypatch.syspath_prepend(tmp_path)
    consoles = [block["body"] for block in BLOCKS if block["language"] == "console"]
    calls = [
        call.partition("\n")
        for console in consoles
        for call in console.split("$ python -m lossary_registry ")[1:]
    ]
    assert calls
    for line, _, expected in calls:
        command.main(shlex.split(line))
        assert capsys.readouterr().out == expected
    monkeypatch.delitem(sys.modules, "bodies")


@pytest.mark.parametrize("module", ["_registry", "_entry", "_names"])
def test_the_examples_in_docstrings_give_what_they_show(module):
    """What the documentation of a class shows is what happens."""
    result = doctest.testmod(importlib.import_module(f"lossary_registry.{module}"))

    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize("block", [block for block in BLOCKS if block["language"] == "python"])
def test_the_code_is_code(block):
    """What is shown without being run can at least be compiled."""
    compile(block["body"], "README.md", "exec")
