"""Documentation: a docstring that says what there is to know, with an example that runs."""

import doctest
import sys

import torch
from torch import nn

from lossary_losses._core.docstring import read_docstring
from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import expect, rule
from lossary_losses.testing.subject import Subject

_SECTIONS = ("Convention", "Shapes", "Args", "Raises", "Example", "Reference")


@rule("documentation")
def docstring_says_it_all(subject: Subject, data: Data) -> None:
    """The docstring has a sentence, a formula, and sections for all that the contract lists."""
    del data
    text = read_docstring(subject.own_class)
    expect(text.summary.endswith("."), "the docstring begins with no sentence")
    expect(text.formula, "the docstring has no formula")
    for section in _SECTIONS:
        expect(text.sections.get(section), f"the docstring has no section {section!r}")
    undocumented = set(subject.parameters) - set(text.entries("Args"))
    expect(not undocumented, f"not under Args: {', '.join(sorted(undocumented))}")


@rule("documentation")
def example_runs(subject: Subject, data: Data) -> None:
    """The example in the docstring gives what it says."""
    del data
    cls = subject.own_class
    names = {"torch": torch, "nn": nn, **vars(sys.modules[cls.__module__])}
    runner = doctest.DocTestRunner(
        verbose=False, optionflags=doctest.REPORT_ONLY_FIRST_FAILURE | doctest.ELLIPSIS
    )
    said: list[str] = []
    tests = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=names)
    expect(any(test.examples for test in tests), "the docstring has no example")
    for test in tests:
        runner.run(test, out=said.append)
    expect(not runner.failures, " ".join("".join(said).split()))
