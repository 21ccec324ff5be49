"""What a registry refuses, and how it says so.

Each exception keeps data in ``args``, so it pickles across processes;
the text is put together when somebody reads it, so that a miss which is caught costs nothing.
"""

from __future__ import annotations

from lossary_registry._names import nearest_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# A message lists this many names at most.
_SHOWN = 10


class RegistryError(Exception):
    """The base of everything that a registry raises on its own account."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class InvalidNameError(RegistryError, ValueError):
    """A name, alias, tag or target that cannot be one, such as an empty name."""


class NotAcceptedError(RegistryError, TypeError):
    """An object that this registry does not hold: of the wrong class, or refused by its check."""


class UnknownNameError(RegistryError, KeyError):
    """A look-up of a name that nobody registered."""

    # No __init__: a miss that is caught costs what its arguments cost.
    args: tuple[str, str, Iterable[str]]

    @property
    def name(self) -> str:
        """The name that was asked for."""
        return self.args[0]

    @property
    def registry(self) -> str:
        """The name of the registry."""
        return self.args[1]

    @property
    def known(self) -> Iterable[str]:
        """The names and aliases that the registry had then."""
        return self.args[2]

    @property
    def nearest(self) -> tuple[str, ...]:
        """The known names that look most like the one asked for, best first."""
        return nearest_names(self.name, self.known)

    # KeyError shows the repr of its argument, and a message of several lines would lose its lines.
    def __str__(self) -> str:
        close = self.nearest
        hint = f": did you mean {' or '.join(map(repr, close))}?" if close else ""
        known = _shortened(self.known)
        return f"{self.name!r} is not in {self.registry}{hint}\n    {self.registry} knows {known}"


class UnknownTagError(RegistryError, ValueError):
    """A tag outside the closed vocabulary of its registry."""

    def __init__(self, tag: str, registry: str, vocabulary: Iterable[str]) -> None:
        super().__init__(tag, registry, tuple(vocabulary))
        self.tag = tag
        self.registry = registry
        self.vocabulary: tuple[str, ...] = self.args[2]

    def __str__(self) -> str:
        close = nearest_names(self.tag, self.vocabulary)
        hint = f": did you mean {' or '.join(map(repr, close))}?" if close else ""
        tags = ", ".join(sorted(self.vocabulary))
        return f"{self.tag!r} is not a tag of {self.registry}{hint}\n    Its tags are {tags}"


class DuplicateNameError(RegistryError, ValueError):
    """A name that is already taken by something else.

    Attributes:
        name: The name or alias that both want.
        registry: The name of the registry.
        first: What holds the name, and the place where it was registered.
        second: What asked for it, and where.
        hint: What to do about it.
    """

    def __init__(
        self,
        name: str,
        registry: str,
        first: tuple[str, str],
        second: tuple[str, str],
        hint: str = "Give it another name, or pass force=True to replace the first.",
    ) -> None:
        super().__init__(name, registry, first, second, hint)
        self.name = name
        self.registry = registry
        self.first = first
        self.second = second
        self.hint = hint

    def __str__(self) -> str:
        width = max(len(self.first[0]), len(self.second[0]))
        return (
            f"{self.name!r} is already taken in {self.registry}\n"
            f"    by  {self.first[0]:<{width}}  {self.first[1]}   (first)\n"
            f"    now {self.second[0]:<{width}}  {self.second[1]}\n"
            f"    {self.hint}"
        )


class FrozenRegistryError(RegistryError, RuntimeError):
    """A change to a registry that was frozen."""

    def __init__(self, registry: str, change: str) -> None:
        super().__init__(registry, change)
        self.registry = registry
        self.change = change

    def __str__(self) -> str:
        return (
            f"cannot {self.change}: {self.registry} is frozen\n"
            f"    Do it before freeze(), or inside `with registry.isolated():` in a test."
        )


class UnavailableError(RegistryError, ImportError):
    """An entry that is known, but whose object cannot be imported; the cause is chained.

    Attributes:
        name: The name of the entry.
        registry: The name of the registry.
        target: Where the object should be, as ``"module:qualname"``.
        reason: What went wrong, in one line.
        install: What the entry says to install, or an empty string.
    """

    def __init__(self, name: str, registry: str, target: str, reason: str, install: str = "") -> None:
        super().__init__(name, registry, target, reason, install)
        self.name: str = name
        self.registry = registry
        self.target = target
        self.reason = reason
        self.install = install

    def __str__(self) -> str:
        hint = f"\n    To have it: {self.install}" if self.install else ""
        return f"{self.name!r} of {self.registry} cannot be loaded from {self.target}: {self.reason}{hint}"


class RegistrationWarning(UserWarning):
    """A definition replaced an earlier one of the same module and name, from another line."""


def _shortened(known: Iterable[str]) -> str:
    """Return the names for a message: all of them while they are few, then their number."""
    names = list(known)
    if not names:
        return "no name yet"
    if len(names) <= _SHOWN:
        return ", ".join(sorted(names))
    return f"{len(names):,} names and aliases; list() gives the names"


# A traceback shows the path from which the error can be imported.
for _public in (RegistryError, *RegistryError.__subclasses__(), RegistrationWarning):
    _public.__module__ = "lossary_registry"
