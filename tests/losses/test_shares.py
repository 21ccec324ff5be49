"""The choice of losses for one of several pairs of Python and torch."""

import pytest
from shares import REPRESENTATIVES, About, is_in_share

from lossary_losses import loss_registry

SHARES = ["1/3", "2/3", "3/3"]


def test_together_the_shares_have_every_loss(case):
    """Each form of a loss is tested in one share, or in all."""
    about = About(case.build, f"{case.build.__name__}{case.options}", not case.options)
    held = [share for share in SHARES if is_in_share(about, share)]
    assert held == SHARES if about.is_plain and case.build in REPRESENTATIVES else len(held) == 1


@pytest.mark.parametrize("share", SHARES)
def test_no_share_has_nearly_all_of_the_rest(share):
    """What is not tested everywhere is spread over the shares."""
    rest = [each for each in map(loss_registry.get, loss_registry) if each not in REPRESENTATIVES]
    held = [each for each in rest if is_in_share(About(each, each.__name__, is_plain=True), share)]
    assert len(rest) / 6 < len(held) < len(rest) / 2


def test_every_base_has_a_representative():
    """Whatever a loss derives from, one that derives from the same is tested on every pair."""
    assert {each.__base__ for each in REPRESENTATIVES} == {
        loss_registry.get(name).__base__ for name in loss_registry
    }


@pytest.mark.xdist_group("processes")
def test_a_group_stays_together(request):
    """Where groups are asked for, they have a name that the scheduler goes by."""
    has_groups = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@processes") == has_groups
