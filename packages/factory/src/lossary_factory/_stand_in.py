"""Classes that stand for others, which need not be imported to check a config."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ._plan import Plan


class StandIn:
    """The base of such classes: it is known what the constructor takes, and nothing can be constructed.

    Attributes:
        stands_for: Where the real class is defined.
        kinds: Where that class and its bases are defined.
        origin: The distribution that has it.
    """

    stands_for: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]] = frozenset()
    origin: ClassVar[str] = ""

    def __init__(self, **_arguments: object) -> None:
        raise TypeError(f"{type(self).__name__} was described and not imported: it cannot be built")

    @staticmethod
    def make_plan() -> Plan:
        """Return what the constructor of the real class takes."""
        raise NotImplementedError


def is_kind_of(cls: type, kind: type) -> bool:
    """Tell whether a class is of a kind, where both may be stand-ins."""
    # Not issubclass: the kind may be a protocol, which does not answer.
    return kind in cls.__mro__ or (
        StandIn in kind.__mro__ and StandIn in cls.__mro__ and kind.stands_for in cls.kinds  # type: ignore[attr-defined]
    )
