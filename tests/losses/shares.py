"""Which losses a pair of Python and torch tests, where another pair tests them all."""

from zlib import crc32

import pytest
from torch import nn

from lossary_losses import loss_registry

__all__ = ["REPRESENTATIVES", "is_in_share", "loss_under_test"]


def representatives() -> set[type[nn.Module]]:
    """Give one loss of each folder and base: what the others of its kind share is tried with it."""
    found: dict[tuple[str, type], type[nn.Module]] = {}
    for loss in map(loss_registry.get, loss_registry):
        found.setdefault((loss.__module__.rpartition(".")[0], loss.__base__), loss)
    return set(found.values())


REPRESENTATIVES = representatives()


def is_in_share(loss: type[nn.Module], name: str, share: str) -> bool:
    """Tell whether a test of a loss is in a share such as ``1/3``.

    Versions of torch and Python differ in what losses have in common, more than in their few lines of
    mathematics. So every share has all tests of the representatives. Of the other losses it has those whose
    name (with the options, where a test gives some) falls to it: all shares together have everything, and
    nothing depends on the order or the number of losses.
    """
    part, parts = map(int, share.split("/"))
    return loss in REPRESENTATIVES or crc32(name.encode()) % parts == part % parts


def loss_under_test(item: pytest.Item) -> tuple[type[nn.Module], str] | None:
    """Give the class of the loss that a test is about and its name, if it is one of many such tests."""
    given = getattr(getattr(item, "callspec", None), "params", {})
    if trial := given.get("loss_trial"):
        return trial.subject.own_class, f"{trial.subject.own_class.__name__}{dict(trial.options)}"
    if case := given.get("case") or given.get("logit_case") or given.get("hard_case"):
        return case.build, f"{case.build.__name__}{case.options}"
    if registered := given.get("registered"):
        registered = loss_registry.get(registered)
        return registered, registered.__name__
    return None
