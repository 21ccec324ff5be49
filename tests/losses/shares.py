"""Which losses a pair of Python and torch tests, where another pair tests them all."""

from typing import NamedTuple
from zlib import crc32

import pytest
from torch import nn

from lossary_losses import loss_registry

__all__ = ["REPRESENTATIVES", "About", "falls_to", "is_in_share", "loss_under_test"]


def representatives() -> set[type[nn.Module]]:
    """Give one loss of each folder and base: what the others of its kind share is tried with it."""
    found: dict[tuple[str, type], type[nn.Module]] = {}
    for loss in map(loss_registry.get, loss_registry):
        found.setdefault((loss.__module__.rpartition(".")[0], loss.__base__), loss)
    return set(found.values())


REPRESENTATIVES = representatives()


class About(NamedTuple):
    """What a test of one loss is about."""

    loss: type[nn.Module]
    name: str
    """With the options and the kind of target, where one loss is tested with several."""
    is_plain: bool
    """Whether it is the loss as it is built without options, with the first kind of target that it takes."""


def is_in_share(about: About, share: str) -> bool:
    """Tell whether a test of a loss is in a share such as ``1/3``.

    Versions of torch and Python differ in what losses have in common, more than in their few lines of
    mathematics. So every share has all tests of the representatives in their plain form. Of all others it has
    those whose name falls to it: all shares together have everything, and nothing depends on the order or the
    number of losses.
    """
    is_everywhere = about.is_plain and about.loss in REPRESENTATIVES
    return is_everywhere or falls_to(about.name, share)


def falls_to(name: str, share: str) -> bool:
    """Tell whether a name falls to a share; together the shares have each name once."""
    part, parts = map(int, share.split("/"))
    return crc32(name.encode()) % parts == part % parts


def loss_under_test(item: pytest.Item) -> About | None:
    """Tell what a test is about, if it is one of many such tests of single losses."""
    given = getattr(getattr(item, "callspec", None), "params", {})
    if trial := given.get("loss_trial"):
        loss, target = trial.subject.own_class, trial.data.target
        is_first = target == next(iter(loss.claims.targets), None)
        return About(loss, f"{loss.__name__}{dict(trial.options)}{target}", is_first and not trial.options)
    if case := given.get("case") or given.get("logit_case") or given.get("hard_case"):
        return About(case.build, f"{case.build.__name__}{case.options}", not case.options)
    if registered := given.get("registered"):
        loss = loss_registry.get(registered)
        return About(loss, loss.__name__, is_plain=True)
    return None
