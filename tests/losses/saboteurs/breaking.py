"""How a saboteur says what it breaks."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from torch import nn

__all__ = ["SABOTEURS", "Saboteur", "breaks"]

_Class = TypeVar("_Class", bound=type[nn.Module])


class Saboteur(NamedTuple):
    """A loss, and what must be said of it."""

    rule: str
    loss: type[nn.Module]
    complaint: str
    """A regular expression that the message holds."""
    targets: list[str] | None
    """The kinds of target to try it on; None: those of its claims."""


SABOTEURS: list[Saboteur] = []


def breaks(rule: str, complaint: str, *, targets: list[str] | None = None) -> Callable[[_Class], _Class]:
    """Enter a class among the saboteurs."""

    def enter(cls: _Class) -> _Class:
        SABOTEURS.append(Saboteur(rule, cls, complaint, targets))
        return cls

    return enter
