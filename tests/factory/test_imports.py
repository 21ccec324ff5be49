# ruff: noqa: S603  # the subprocess is this interpreter
from __future__ import annotations

import subprocess
import sys

import pytest

import lossary_factory


def modules_after(code):
    """Return the names of all modules that some code imports in a fresh interpreter.

    What a tool that starts with the interpreter has imported before, such as coverage, does not count.
    """
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.mark.parametrize(
    "module", ["torch", "yaml", "click", "lossary_losses", "tomllib", "importlib.metadata"]
)
def test_import_is_light(module):
    """Importing the package brings neither torch nor a parser nor the command's library."""
    assert module not in modules_after("import lossary_factory")


def test_a_mapping_needs_no_parser():
    """A config in Python is checked without reading any format."""
    code = (
        "import lossary_factory, lossary_registry\n"
        "class Loss: pass\n"
        "registry = lossary_registry.Registry(Loss, 'some')\n"
        "registry.register(Loss, name='loss')\n"
        "lossary_factory.build('loss', registry=registry)\n"
    )
    assert not {"torch", "yaml", "click"} & modules_after(code)


def test_public_names_are_sorted_and_there():
    """``__all__`` lists what the package has, in order."""
    assert lossary_factory.__all__ == sorted(lossary_factory.__all__)
    assert all(hasattr(lossary_factory, name) for name in lossary_factory.__all__)
