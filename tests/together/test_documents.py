"""The examples of the documentation give what it says they give."""

import doctest
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import lossary_factory
import lossary_losses
import lossary_registry
from lossary_factory._command import lossary

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _without_traces(tmp_path, monkeypatch):
    """Run examples in a folder of their own, and undo what they register."""
    monkeypatch.chdir(tmp_path)
    with lossary_losses.loss_registry.isolated(), torch.random.fork_rng():
        yield


def fenced(text, language):
    """Give the code blocks of a language in a Markdown text."""
    return [block.partition("\n")[2].partition("\n```")[0] for block in text.split("```" + language)[1:]]


PAGES = [
    "README.md",
    "packages/losses/README.md",
    "docs/guides/seeing-a-loss.md",
    "docs/guides/your-own-loss.md",
]


def text_of(path):
    """Read a page, and write the files that it shows."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for block in fenced(text, "yaml"):
        name = block.splitlines()[0].removeprefix("# ")
        Path(name).write_text(block, encoding="utf-8")
    return text


@pytest.mark.parametrize("path", ["README.md", "packages/factory/README.md"])
def test_what_a_page_says_of_wrong_files(path):
    """The command says of the files of a page, with the real losses, what the page says."""
    calls = [block for block in fenced(text_of(path), "console") if "lossary validate" in block]
    assert calls
    for call, _, answer in (block.partition("\n") for block in calls):
        ran = CliRunner().invoke(lossary, call.removeprefix("$ lossary ").split())
        assert ran.output.rstrip() == answer.rstrip()


@pytest.mark.parametrize("path", PAGES)
def test_examples_of_a_page(path):
    """Every example of a page runs from top to bottom, with the files that the page shows."""
    text = text_of(path)
    examples = doctest.DocTestParser().get_doctest("\n".join(fenced(text, "pycon")), {}, path, path, 0)
    assert examples.examples
    results = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(examples)
    assert results.failed == 0


@pytest.mark.parametrize("package", [lossary_registry, lossary_losses, lossary_factory])
def test_a_package_says_its_version(package):
    """What a package says of itself is what was installed, and what the front page says."""
    name = package.__name__.replace("_", "-")
    assert package.__version__ == importlib.metadata.version(name)
    (row,) = re.findall(rf"^\| \[{name}\].*", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"| {package.__version__} |" in row


def test_pages_of_losses_are_current():
    """The pages that are written from the cards are what the cards say today: else run ``nox -s pages``."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = generate.pages()
    stale = [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text]
    assert not stale
    pages = {path for path in written if path.parent.name == "losses"}
    assert {*(ROOT / "docs" / "losses").iterdir()} == pages


MODULES = [module.name for module in pkgutil.walk_packages(lossary_losses.__path__, "lossary_losses.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    """Every example in a docstring of the losses gives what it says."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", lossary_losses.loss_registry.list())
@pytest.mark.parametrize(
    "part", ["Convention:", "Shapes:", "Args:", "Raises:", "Example:", ">>>", "Reference:"]
)
def test_every_loss_documents_itself(name, part):
    """Each loss of the collection has all parts of a docstring."""
    assert part in (lossary_losses.loss_registry.get(name).__doc__ or "")
