"""The conformance suite under pytest: a test for each rule."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("processes")

CONFTEST = 'pytest_plugins = ["lossary_losses.testing.plugin"]'

LOSSES = """
from torch import nn

from lossary_losses import MSELoss


class Doubled(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return 2 * value if self.reduction == "sum" else value


class Bare(nn.Module):
    def forward(self, input, target):
        return (input - target).square().mean()
"""

MARKERS = {
    "rules": '@check_loss(loss=MSELoss, only=["any_space", "order_of_samples_does_not_matter"])',
    "broken": '@check_loss(loss=Doubled, only=["sum_is_the_sum_of_none"])',
    "missing": '@check_loss(loss=Bare, targets=["values"], only=["masked_is_cut_out"])',
    "exempt": '@check_loss(loss=Bare, targets=["values"], only=["one_signature"],'
    ' exempt={"one_signature": "it has no masks"})',
    "several": '@check_loss(loss=MSELoss, only=["any_space"])\n'
    '@check_loss(loss=Bare, targets=["values"], only=["any_space"])',
    "unmarked": "",
    "empty": "@check_loss()",
    "undeclared": "@check_loss(loss=Bare)",
    "misspelt": '@check_loss(loss=MSELoss, only=["exprts"])',
    "unknown": '@check_loss(loss=MSELoss, onyl=["exports"])',
    "positional": '@check_loss(MSELoss, ["exports"])',
}
"""Files of one test, by what its markers are about."""


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Run pytest on a file for each marker, all at once, in a process that has not imported anything yet."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "losses_to_check.py").write_text(LOSSES, encoding="utf-8")
    for name, markers in MARKERS.items():
        heading = "import pytest\nfrom losses_to_check import *\ncheck_loss = pytest.mark.check_loss\n"
        test = "def test_it(loss_trial): loss_trial()\n"
        (folder / f"test_{name}.py").write_text(f"{heading}{markers}\n{test}", encoding="utf-8")
    options = ["-v", "-rs", "--strict-markers", "--continue-on-collection-errors", "-p", "no:cacheprovider"]
    result = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", "pytest", *options, "--rootdir=."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout + result.stderr
    return result.stdout


def test_each_rule_is_a_test(output):
    """Rules become tests of their own, named by loss, kind of target and rule."""
    assert "test_rules.py::test_it[MSELoss-values-any_space] PASSED" in output
    assert "test_rules.py::test_it[MSELoss-values-order_of_samples_does_not_matter] PASSED" in output


def test_a_broken_rule_fails_readably(output):
    """A failure says which loss broke which rule, the promise and what happened."""
    assert "test_broken.py::test_it[Doubled-values-sum_is_the_sum_of_none] FAILED" in output
    assert (
        "Doubled, sum_is_the_sum_of_none [values]: failed\n"
        '    promise: What reduction="sum" gives is the sum of what "none" gives.\n'
        "    the sum: got "
    ) in output


def test_no_failure_shows_the_suite_from_within(output):
    """Neither a broken rule nor a wrong marker is shown with a traceback."""
    assert "Traceback" not in output
    assert "def run()" not in output
    assert "_hookexec" not in output


def test_what_is_missing_fails(output):
    """A rule about what the loss does not offer fails."""
    assert "forward of Bare takes no argument 'mask'" in output


def test_exempt_rules_are_skipped_with_their_reason(output):
    """A rule that does not apply is a skipped test that says why."""
    assert "test_exempt.py::test_it[Bare-values-one_signature] SKIPPED" in output
    assert "one_signature does not apply: it has no masks" in output


def test_several_losses_can_be_marked(output):
    """The marker may be given several times."""
    assert "test_several.py::test_it[MSELoss-values-any_space] PASSED" in output
    assert "test_several.py::test_it[Bare-values-any_space] PASSED" in output


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("unmarked", " uses loss_trial: mark it with check_loss(loss=...)"),
        ("empty", ": check_loss takes loss=..., and all else, by keyword"),
        ("positional", ": check_loss takes loss=..., and all else, by keyword"),
        ("undeclared", ": which targets does Bare take?"),
        ("misspelt", ": there is no rule 'exprts': did you mean 'exports'?"),
        ("unknown", ": trials() got an unexpected keyword argument 'onyl'"),
    ],
)
def test_a_wrong_marker_is_told(output, name, complaint):
    """What is wrong with a marker is said when tests are collected, with the test's name."""
    assert f"test_{name}.py::test_it{complaint}" in output
