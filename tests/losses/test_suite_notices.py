"""The conformance suite notices what it says that it does: a suite that cannot fail proves nothing."""

import re

import pytest
from saboteurs import SABOTEURS, Plain

from lossary_losses import BCELoss, CrossEntropyLoss, DiceLoss, MSELoss
from lossary_losses.testing import examine_loss, rule_registry

COMPILING = {"compiles_in_one_graph", "compiles_with_mask_and_weight", "exports"}


@pytest.mark.parametrize(
    "saboteur",
    [
        pytest.param(
            each,
            id=f"{each.rule}-{each.loss.__name__}",
            marks=[pytest.mark.compilers] if each.rule in COMPILING else [],
        )
        for each in SABOTEURS
    ],
)
def test_sabotage_is_noticed(saboteur):
    """A loss that breaks what a rule is about is reported, with what is wrong and what was promised."""
    report = examine_loss(saboteur.loss, targets=saboteur.targets, only=[saboteur.rule])
    (result, *_) = report.broken
    assert result.status == "failed"
    assert re.search(saboteur.complaint, result.detail), result.detail
    assert result.promise in str(report)


def test_every_rule_has_a_saboteur():
    """Each rule of the suite is known to fail where it should."""
    assert {each.rule for each in SABOTEURS} == set(rule_registry.list())


def test_what_is_plain_is_not_reported():
    """The loss that saboteurs change one step of keeps, unchanged, the rules that they break."""
    broken = {each.rule for each in SABOTEURS if issubclass(each.loss, Plain)}
    assert not examine_loss(Plain, only=sorted(broken)).broken


@pytest.mark.parametrize("loss", [BCELoss, CrossEntropyLoss, DiceLoss, MSELoss])
@pytest.mark.parametrize("channels", [2, 6])
def test_what_is_sound_is_not_reported(loss, channels):
    """The losses that saboteurs are made of keep every rule, for any number of classes.

    What a compiler makes of them does not depend on it.
    """
    only = [name for name in rule_registry if name not in {"half_holds_large_images", *COMPILING}]
    assert str(examine_loss(loss, channels=channels, only=only)).endswith("0 broken")
