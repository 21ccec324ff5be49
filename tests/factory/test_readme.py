from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from click.testing import CliRunner

import lossary_factory
from lossary_factory import _checker
from lossary_factory._command import call, group

README = (Path(__file__).parents[2] / "packages/factory/README.md").read_text(encoding="utf-8")


def blocks(language):
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _page(losses, write, monkeypatch):
    """Write the files that the page shows; the toys stand in for the losses that it names."""

    @losses.register(name="dice_loss", aliases=["DiceLoss"], force=True)
    @attrs.define(slots=False)
    class DiceLoss(losses.base_class):
        smooth: float = 1.0
        reduction: Literal["none", "mean", "sum"] = "mean"
        weight: Any = None
        activation: Any = None
        batch: bool = False
        empty: str = "score"
        ignore_index: int | None = None

    @losses.register(name="focal_loss", force=True)
    @attrs.define(slots=False)
    class FocalLoss(losses.base_class):
        gamma: float = 2.0
        alpha: float | None = None
        reduction: Literal["none", "mean", "sum"] = "mean"
        weight: Any = None
        activation: Any = None
        ignore_index: int | None = None

    for block in blocks("yaml"):
        write(block.partition("\n")[0].removeprefix("# "), block)
    monkeypatch.setattr(_checker, "chosen_registry", lambda given: given or losses)
    monkeypatch.setattr(call, "installed_registry", lambda _collection: losses)
    monkeypatch.setattr(call, "described_registry", lambda _collection: losses)


def test_examples_of_the_page():
    """Every Python example runs from top to bottom, and gives what the page says."""
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks("pycon")), {}, "README", None, 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0


@pytest.mark.parametrize("block", blocks("console"))
def test_calls_of_the_page(block):
    """Every call of the command answers what the page says."""
    call, _, answer = block.partition("\n")
    arguments = call.removeprefix("$ lossary ").split()
    assert CliRunner().invoke(group.lossary, arguments).output == answer


def test_examples_of_docstrings():
    """So do the examples in the package itself."""
    assert doctest.testmod(lossary_factory).failed == 0
    assert doctest.testmod(lossary_factory._problems.problem).failed == 0
