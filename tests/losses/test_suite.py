"""The conformance suite's own face: what it takes, what it refuses, and what its reports say."""

import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from lossary_losses import Claims, CrossEntropyLoss, DiceLoss, MSELoss
from lossary_losses.testing import ConformanceError, Report, Result, check_loss, examine_loss, rule_registry
from lossary_losses.testing.rule import rule

QUICK = ["any_space", "order_of_samples_does_not_matter"]
SLOW = {"half_holds_large_images", "exports", "compiles_in_one_graph"}


class Bare(nn.Module):
    """Without claims, masks or options."""

    def forward(self, input, target):
        return functional.mse_loss(input, target)


def built(**options):
    """Build a loss."""
    return DiceLoss(**options)


class Masks(Bare):
    """Takes a mask, and offers nothing else."""

    def forward(self, input, target, *, mask=None):
        return super().forward(input, target)


class Asserts(nn.Module):
    """Refuses everything without saying a word."""

    claims = Claims(targets={"values": {}})

    def forward(self, input, target):
        assert not input.numel()
        return input.sum()


@pytest.mark.parametrize(
    "loss",
    [DiceLoss, DiceLoss(smooth=0.5), partial(DiceLoss, smooth=0.5), built],
    ids=["class", "instance", "partial", "function"],
)
def test_classes_losses_and_builders_are_taken(loss):
    """A loss is given as a class, as a loss that was built, or as what builds one."""
    report = check_loss(loss, targets=["binary"], only=QUICK)
    assert len(report.having("passed")) == len(QUICK)


def test_a_function_that_computes_at_once_is_refused():
    """What computes a loss and builds none is refused by name, with what is needed."""
    with pytest.raises(
        TypeError, match=r"what builds one is needed; mse_loss builds none: .*missing 2 required"
    ):
        check_loss(functional.mse_loss, targets=["values"])


def test_an_instance_is_examined_with_its_options():
    """What a loss was built with holds while it is examined, and a rule may change other options."""
    seen = []

    class Spy(DiceLoss):
        def forward(self, input, target, *, mask=None, weight=None):
            seen.append((self.smooth, self.reduction))
            return super().forward(input, target, mask=mask, weight=weight)

    check_loss(Spy(smooth=0.25), targets=["binary"], only=["sum_is_the_sum_of_none"])
    assert seen == [(0.25, "none"), (0.25, "sum")]


def test_what_partial_builds_claims_what_its_class_does():
    """A partial of a class needs no targets: the claims of the class hold."""
    report = check_loss(partial(DiceLoss, smooth=0.5), only=["any_space"])
    assert {each.kind for each in report.results} == set(DiceLoss.claims.targets)


@pytest.mark.parametrize(
    "loss", [CrossEntropyLoss(weight=[1, 2, 3, 4]), partial(CrossEntropyLoss, weight=[1, 2, 3, 4])]
)
def test_classes_with_numbers_of_their_own_are_not_exchanged(loss):
    """A loss that was built with class weights is not blamed for telling classes apart."""
    check_loss(loss, targets=["labels"], only=["order_of_classes_does_not_matter"])


def test_probabilities_are_examined_as_probabilities():
    """A loss of probabilities gets nothing but numbers from 0 to 1."""
    report = examine_loss(
        DiceLoss,
        options={"activation": "none"},
        targets=["binary"],
        input="probabilities",
        only=[name for name in rule_registry if name not in SLOW],
    )
    assert str(report).endswith("0 broken")


def test_options_of_a_kind_of_target_are_used():
    """A class is built with the options that its claims say a kind of target needs."""
    check_loss(DiceLoss, targets=["distributions"], only=["descent_reaches_a_good_fit", "any_space"])


def test_targets_must_be_known():
    """A loss without claims needs its kinds of target said, and the error lists them."""
    with pytest.raises(
        ValueError, match=r"which targets does Bare take\? Say targets=\[...\], some of labels, "
    ):
        examine_loss(Bare)


def test_targets_must_be_right():
    """A kind of target that does not exist is refused, with those that do."""
    with pytest.raises(
        ValueError, match=r"logits does not go with a target of 'masks': known are labels, binary, "
    ):
        examine_loss(Bare, targets=["masks"])


@pytest.mark.parametrize("option", ["targets", "only"])
def test_a_single_string_is_no_list(option):
    """A string where a list is meant is refused with what to write, not read letter by letter."""
    with pytest.raises(TypeError, match=rf"{option} must be a list, such as \['values'\], got 'values'"):
        examine_loss(MSELoss, **{option: "values"})


def test_input_must_be_right():
    """A kind of input that does not exist is refused, with the nearest, and so is one with another target."""
    with pytest.raises(ValueError, match=r"no kind of input 'imges': did you mean 'images'\?"):
        examine_loss(Bare, targets=["values"], input="imges")
    with pytest.raises(ValueError, match=r"images does not go with a target of 'values': .* images, nothing"):
        examine_loss(Bare, targets=["values"], input="images")


@pytest.mark.parametrize(
    "given", [{"only": ["exprts"]}, {"exempt": {"exprts": "no"}}], ids=["only", "exempt"]
)
def test_an_unknown_rule_is_refused(given):
    """A rule that does not exist is refused with the nearest name."""
    with pytest.raises(ValueError, match=r"there is no rule 'exprts': did you mean 'exports'\?"):
        examine_loss(MSELoss, **given)


def test_a_rule_like_no_other_is_refused_with_all():
    """Where no name is near, the error lists the rules."""
    with pytest.raises(ValueError, match=r"there is no rule 'zzz': the rules are .*, one_signature, "):
        examine_loss(MSELoss, only=["zzz"])


@pytest.mark.parametrize("only", [["wrong_labels_are_refused"], []])
def test_nothing_to_try_is_an_error(only):
    """An examination of nothing would pass, and prove nothing: it is refused."""
    with pytest.raises(ValueError, match=r"nothing to try: .* nothing about MSELoss with targets values"):
        check_loss(MSELoss, only=only)


@pytest.mark.parametrize("wrong", [3, int, lambda: 3])
def test_what_is_no_loss_is_refused(wrong):
    """What neither is a loss nor builds one is refused at once, not rule by rule."""
    with pytest.raises(TypeError, match="a loss class, a loss or what builds one is needed, got "):
        examine_loss(wrong, targets=["values"])


def test_what_a_loss_does_not_offer_is_missing():
    """A loss without what a rule is about is told so, and does not pass."""
    (result,) = examine_loss(Bare, targets=["values"], only=["masked_is_cut_out"]).broken
    assert (result.status, result.detail) == ("missing", "forward of Bare takes no argument 'mask'")


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("sum_is_the_sum_of_none", "takes no option 'reduction'"),
        ("mean_is_the_fraction", "no method 'fraction'"),
    ],
)
def test_missing_options_and_methods_are_named(name, detail):
    """What is missing is named: an option, a method."""
    (result,) = examine_loss(Masks, targets=["values"], only=[name]).broken
    assert result.detail.endswith(detail)


def test_a_loss_that_asserts_is_reported_as_such():
    """An error of the loss's own is named by its type, also where it says nothing."""
    (result,) = examine_loss(Asserts, only=["any_space"]).broken
    assert result.detail.startswith("AssertionError")


def test_check_raises_with_the_report():
    """A broken promise raises an AssertionError that holds the report, and shows it."""
    with pytest.raises(ConformanceError) as caught:
        check_loss(Bare, targets=["values"], only=["one_signature", "any_space"])
    assert isinstance(caught.value, AssertionError)
    assert [each.rule for each in caught.value.report.broken] == ["one_signature"]
    assert str(caught.value) == str(caught.value.report)


def test_exempt_rules_are_not_tried():
    """A rule that does not apply is not broken, and its reason is shown."""
    report = check_loss(
        Bare, targets=["values"], only=["one_signature"], exempt={"one_signature": "no masks"}
    )
    assert str(report) == "Bare: 0 passed, 0 broken\n  one_signature: exempt, no masks"


def test_report_brings_kinds_together():
    """A report says once what is broken for several kinds of target, with the promise and what happened."""
    report = Report(
        "SomeLoss",
        (
            Result("a", "All is well.", "binary", "passed"),
            Result("b", "It holds.", "binary", "failed", "got 1"),
            Result("b", "It holds.", "labels", "failed", "got 1"),
            Result("b", "It holds.", "soft", "failed", "got 2"),
            Result("c", "It is there.", "soft", "missing", "no c"),
        ),
    )
    assert str(report) == (
        "SomeLoss: 1 passed, 4 broken\n"
        "  b [binary, labels, soft]: failed\n"
        "    promise: It holds.\n"
        "    got 1\n"
        "    got 2\n"
        "  c: missing, no c"
    )


def test_warnings_do_not_count():
    """A loss that warns is examined all the same."""

    class Warns(MSELoss):
        def forward(self, input, target, *, mask=None, weight=None):
            torch.tensor(1.0).new_tensor(torch.tensor(1.0))  # torch warns of this
            return super().forward(input, target, mask=mask, weight=weight)

    assert not examine_loss(Warns, only=["any_space"]).broken


def test_every_rule_says_what_it_promises():
    """Each rule has a promise, one sentence in its docstring, and is tagged by what it is about."""
    for name in rule_registry:
        promise = rule_registry.get(name).__doc__
        assert promise
        assert promise.endswith(".")
        assert "\n" not in promise
        assert len(rule_registry.entry(name).tags) == 1


def test_a_rule_can_be_added():
    """What is entered in the registry of rules is tried like the others."""
    with rule_registry.isolated():

        @rule("meaning", kinds=["values"])
        def is_never_small(subject, data):
            """No value is below ten."""
            assert subject.value(data.draw()) >= 10, "it is small"

        (result,) = examine_loss(MSELoss, only=["is_never_small"]).broken
        assert result.detail == "AssertionError: it is small"


def test_losses_are_imported_without_the_suite():
    """Importing the losses imports neither pytest nor the suite."""
    code = "import lossary_losses, sys; assert not {'pytest', 'lossary_losses.testing'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code


def test_the_suite_is_imported_without_pytest():
    """The suite works where pytest is not installed: only the plugin needs it."""
    code = "import lossary_losses.testing, sys; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
