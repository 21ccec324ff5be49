"""The conformance suite under pytest: a test for each rule."""

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["lossary_losses.testing.plugin"]'

HEADING = """
import pytest
import torch
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


@pytest.fixture
def run(pytester):
    """Run a test file with the plugin, in this process."""

    def run(code, *arguments):
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(HEADING + code)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-rs", *arguments)

    return run


def test_each_rule_is_a_test(run):
    """Rules become tests of their own, named by loss, kind of target and rule."""
    result = run(
        """
@pytest.mark.check_loss(loss=MSELoss, only=["any_space", "order_of_samples_does_not_matter"])
def test_keeps_the_contract(loss_trial):
    loss_trial()
""",
        "-v",
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_keeps_the_contract?MSELoss-values-any_space? PASSED*"])


def test_a_broken_rule_fails_readably(run):
    """A failure says which loss broke which rule, the promise and what happened, without a traceback."""
    result = run(
        """
@pytest.mark.check_loss(loss=Doubled, only=["sum_is_the_sum_of_none", "any_space"])
def test_keeps_the_contract(loss_trial):
    loss_trial()
"""
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "Doubled, sum_is_the_sum_of_none ?values?: failed",
            '    promise: What reduction="sum" gives is the sum of what "none" gives.',
            "    the sum: got *, expected *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*in run*")


def test_what_is_missing_fails(run):
    """A rule about what the loss does not offer fails."""
    result = run(
        """
@pytest.mark.check_loss(loss=Bare, targets=["values"], only=["masked_is_cut_out"])
def test_keeps_the_contract(loss_trial):
    loss_trial()
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*forward of Bare takes no argument 'mask'*"])


def test_exempt_rules_are_skipped_with_their_reason(run):
    """A rule that does not apply is a skipped test that says why."""
    result = run(
        """
@pytest.mark.check_loss(
    loss=Bare,
    targets=["values"],
    only=["one_signature", "any_space"],
    exempt={"one_signature": "it has no masks"},
)
def test_keeps_the_contract(loss_trial):
    loss_trial()
"""
    )
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*one_signature does not apply: it has no masks"])


def test_several_losses_can_be_marked(run):
    """The marker may be given several times."""
    result = run(
        """
@pytest.mark.check_loss(loss=MSELoss, only=["any_space"])
@pytest.mark.check_loss(loss=Bare, targets=["values"], only=["any_space"])
def test_keeps_the_contract(loss_trial):
    loss_trial()
"""
    )
    result.assert_outcomes(passed=2)


def test_a_test_without_the_marker_is_told(run):
    """A test that uses the fixture and has no marker is an error that says what is missing."""
    result = run("def test_keeps_the_contract(loss_trial): loss_trial()")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*pluggy*_hookexec*")
    result.stdout.fnmatch_lines(["*uses loss_trial: mark it with check_loss(loss=...)*"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "*::test_it: check_loss takes loss=..., and all else, by keyword*"),
        ("loss=Bare", "*::test_it: which targets does Bare take*"),
        ("loss=MSELoss, only=['exprts']", "*there is no rule 'exprts': did you mean 'exports'*"),
        ("loss=MSELoss, onyl=['exports']", "*::test_it: *onyl*"),
        ("MSELoss, ['exports']", "*::test_it: check_loss takes loss=..., and all else, by keyword*"),
    ],
)
def test_a_wrong_marker_is_told(run, arguments, complaint):
    """What is wrong with a marker is said when tests are collected, with the test's name."""
    result = run(f"@pytest.mark.check_loss({arguments})\ndef test_it(loss_trial): loss_trial()")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines([complaint])
    result.stdout.no_fnmatch_line("*pluggy*_hookexec*")


def test_the_marker_is_known(run):
    """The marker passes --strict-markers, and shows up in the list of markers."""
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.check_loss(loss, *"])
