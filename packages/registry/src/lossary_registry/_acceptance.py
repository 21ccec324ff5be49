"""What a registry holds: subclasses of its base class, or whatever its check lets through."""

from __future__ import annotations

from lossary_registry import _provenance
from lossary_registry._errors import NotAcceptedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Acceptance:
    """The rule that every object has to pass. It may run other people's code: never call it under a lock."""

    __slots__ = ("base_class", "check", "is_protocol", "registry")

    def __init__(
        self, registry: str, base_class: type[Any] | None, check: Callable[[str, Any], object] | None
    ) -> None:
        if base_class is not None and not isinstance(base_class, type):
            raise NotAcceptedError(
                f"base_class is a class, and {base_class!r} is not: write Registry(MyBase, 'name'),"
                " or Registry(name='name') for a registry without one"
            )
        self.registry = registry
        self.base_class = base_class
        self.is_protocol = getattr(base_class, "_is_protocol", False)
        self.check = check

    def verify(self, name: str, item: object) -> None:
        """Let an object pass, or say why not.

        Raises:
            NotAcceptedError: It is not what this registry holds.
        """
        problem = self.find_problem(item)
        if problem:
            raise NotAcceptedError(
                f"{self.registry} cannot hold {_provenance.target_of(item)} as {name!r}: {problem}"
            )
        if self.check is not None:
            self._run_check(self.check, name, item)

    def find_problem(self, item: object) -> str:
        """Return why the base class does not allow an object, or an empty string."""
        if self.base_class is None:
            return "" if callable(item) else "it is neither a class nor a function, nor otherwise callable"
        if not isinstance(item, type):
            return f"it is not a class, and only subclasses of {self.base_class.__qualname__} belong here"
        if self.is_protocol:
            return _find_protocol_problem(item, self.base_class)
        if issubclass(item, self.base_class):
            return ""
        return f"it is not a subclass of {_provenance.target_of(self.base_class)}"

    def _run_check(self, check: Callable[[str, Any], object], name: str, item: object) -> None:
        try:
            check(name, item)
        except (TypeError, ValueError) as error:
            raise NotAcceptedError(
                f"{self.registry} cannot hold {_provenance.target_of(item)} as {name!r}: {error}"
            ) from error


def _find_protocol_problem(item: type, protocol: type) -> str:
    """Check a class by structure, where the protocol is runtime-checkable.

    Only methods are looked for: an attribute of the protocol may be set by ``__init__``.
    """
    if not getattr(protocol, "_is_runtime_protocol", False):
        return ""
    missing = [method for method in _methods_of(protocol) if getattr(item, method, None) is None]
    if not missing:
        return ""
    return f"it lacks {', '.join(missing)}, which {_provenance.target_of(protocol)} asks for"


def _methods_of(protocol: type) -> list[str]:
    """Return the names of a protocol's methods, inherited ones too."""
    # Before Python 3.12 protocols keep no list; what every class has is harmless in ours.
    names = getattr(protocol, "__protocol_attrs__", None) or {
        name for base in protocol.__mro__ if getattr(base, "_is_protocol", False) for name in vars(base)
    }
    return sorted(name for name in names if callable(getattr(protocol, name, None)))
