"""Where an object is imported from, when it is asked for."""

from __future__ import annotations

import sys

from lossary_registry import _provenance
from lossary_registry._errors import DuplicateNameError, InvalidNameError, UnavailableError
from lossary_registry._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Source(Record):
    """Where an object is imported from, and what is known about that without importing it.

    Attributes:
        target: ``"module:qualname"``.
        requires: Modules that have to be there.
        install: How to install them.
        distribution: The distribution that offers it, with its version, where it is a plugin.
        rival: Another distribution that offers something else under the same name, with its target.
        problem: What the last attempt to import it ended in.
    """

    __slots__ = ("distribution", "install", "problem", "requires", "rival", "target")
    target: str
    requires: tuple[str, ...]
    install: str
    distribution: str
    rival: tuple[str, str] | None
    problem: str

    def __init__(
        self,
        target: str,
        *,
        requires: tuple[str, ...] = (),
        install: str = "",
        distribution: str = "",
        rival: tuple[str, str] | None = None,
        problem: str = "",
    ) -> None:
        self._set_fields(
            target=target,
            requires=requires,
            install=install,
            distribution=distribution,
            rival=rival,
            problem=problem,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_source, ({name: getattr(self, name) for name in self.__slots__},)

    def with_problem(self, problem: str) -> Source:
        """Return a source that remembers how the last attempt ended."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return Source(**{**fields, "problem": problem})

    def find_failure(self) -> str:
        """Return what stands in the way, as far as that shows without importing anything."""
        if self.rival is not None:
            return f"{self.distribution} and {self.rival[0]} both offer this name"
        missing = self.find_missing()
        if missing:
            return f"it needs {' and '.join(missing)}"
        return self.problem

    def find_missing(self) -> list[str]:
        """Return the required modules that are not installed, judged by their top-level package."""
        return [module for module in self.requires if not _is_installed(module.partition(".")[0])]

    def demand(self, name: str, registry: str) -> None:
        """Refuse what cannot be imported, as far as that shows before trying.

        Raises:
            UnavailableError: Something required is missing.
            DuplicateNameError: Two distributions offer the name.
        """
        if self.rival is not None:
            first, second = (self.target, self.distribution), (self.rival[1], self.rival[0])
            hint = f"Uninstall one of them, or register what you want as {name!r}: that goes before plugins."
            raise DuplicateNameError(name, registry, first, second, hint)
        if self.find_missing():
            raise UnavailableError(name, registry, self.target, self.find_failure(), self.install)

    def fetch(self, name: str, registry: str) -> Any:
        """Import the object.

        Raises:
            UnavailableError: The import ended in an error, which is chained.
        """
        try:
            return _provenance.import_target(self.target)
        # A module that ends the program ends only its own import: whoever asked knows no better.
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnavailableError(name, registry, self.target, reason, self.install) from error


def checked_target(target: str) -> str:
    """Return the target where it is one: ``"package.module:Name"``, never a bare dotted name."""
    module, colon, qualname = target.partition(":")
    parts = (*module.split("."), *qualname.split("."))
    if not colon or not all(part.isidentifier() for part in parts):
        raise InvalidNameError(f"{target!r} names no object: write 'package.module:Name'")
    return target


def _is_installed(module: str) -> bool:
    import importlib.util  # noqa: PLC0415 - few entries require anything

    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a module that some program put together has no spec to find
        return module in sys.modules


def _restore_source(fields: dict[str, Any]) -> Source:
    return Source(**fields)
