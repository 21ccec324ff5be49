"""The page on security names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
TESTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(?:tests/\w+/)?(test_\w+\.py)`", PAGE))))
def test_each_file_that_proves_something_is_there(name):
    """A barrier whose test was moved would be a claim without proof."""
    assert name in TESTS


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_each_test_that_proves_something_is_there(name):
    """The same for single tests."""
    assert any(f"def {name}(" in text for text in TESTS.values())


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/\w+/test_\w+\.py)`", PAGE))))
def test_each_path_is_right(path):
    """A file is where the page says."""
    assert (ROOT / path).is_file()
