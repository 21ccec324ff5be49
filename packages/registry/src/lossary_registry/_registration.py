"""What may be registered, and with which options: all that is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping

from lossary_registry import _provenance
from lossary_registry._entry import Deprecated, Entry
from lossary_registry._errors import InvalidNameError, NotAcceptedError, UnknownTagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from lossary_registry._source import Source


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


class Options:
    """The options of one registration, and the place that gave them.

    They are checked when they are given, and not when a decorator meets its class.
    """

    __slots__ = ("aliases", "deprecated", "metadata", "place", "reasons", "registry", "tags")

    def __init__(
        self,
        registry: str,
        vocabulary: Collection[str] | None,
        *,
        tags: Iterable[str],
        aliases: Iterable[str] | Mapping[str, Deprecated | None],
        metadata: Mapping[str, Any] | None,
        deprecated: Deprecated | None = None,
    ) -> None:
        self.registry = registry
        self.tags = checked_words(tags, "tag") if tags else ()
        if vocabulary is not None:
            check_vocabulary(self.tags, registry, vocabulary)
        self.aliases, self.reasons = checked_aliases(aliases) if aliases else ((), {})
        self.metadata = checked_metadata(metadata)
        self.deprecated = checked_reason(deprecated, "deprecated=")
        self.place = _provenance.calling_place()

    def make_entry(self, name: str, *, item: object = None, source: Source | None = None) -> Entry[Any]:
        """Return an entry with these options; an alias that repeats the name says nothing."""
        reasons = self.reasons
        if self.deprecated is not None:
            reasons = {**reasons, name: self.deprecated}
        return Entry(
            name,
            registry=self.registry,
            aliases=tuple([alias for alias in self.aliases if alias != name]) if self.aliases else (),
            tags=self.tags,
            metadata=self.metadata,
            deprecated=reasons,
            item=item,
            place=self.place,
            source=source,
        )


def checked_name(name: object, kind: str = "name") -> str:
    """Return a name as a plain string.

    A subclass of ``str`` (a member of a string enumeration) could bring an ``__eq__`` of its own into every
    look-up, so its plain value is kept.
    """
    if not isinstance(name, str):
        raise NotAcceptedError(f"a {kind} is a string, and {name!r} is of type {type(name).__name__}")
    if not name.strip():
        raise InvalidNameError(f"a {kind} cannot be empty, and {name!r} is")
    if not name.isprintable():
        strange = ", ".join(sorted({ascii(character) for character in name if not character.isprintable()}))
        raise InvalidNameError(f"a {kind} is printable, and {name!r} has {strange} in it")
    return str.__str__(name)


def default_name(item: object) -> str:
    """Return the name of a class or function as its definition gives it."""
    name = getattr(item, "__name__", None)
    if not isinstance(name, str) or name == "<lambda>":
        raise InvalidNameError(f"{item!r} has no name of its own: pass name=")
    return name


def checked_words(words: Iterable[str], kind: str) -> tuple[str, ...]:
    """Return tags or aliases without repetitions, in the order given."""
    if isinstance(words, str):
        raise NotAcceptedError(f"{kind}: a list of strings is wanted: write [{words!r}], not {words!r}")
    return tuple(dict.fromkeys([checked_name(word, kind) for word in words]))


def check_vocabulary(tags: Iterable[str], registry: str, vocabulary: Collection[str]) -> None:
    """Refuse a tag that a closed vocabulary does not hold."""
    for tag in tags:
        if tag not in vocabulary:
            raise UnknownTagError(tag, registry, vocabulary)


def checked_aliases(
    aliases: Iterable[str] | Mapping[str, Deprecated | None],
) -> tuple[tuple[str, ...], dict[str, Deprecated]]:
    """Return the aliases, and the reasons of those that a mapping deprecates."""
    words = checked_words(aliases, "alias")
    if not isinstance(aliases, Mapping):
        return words, {}
    for word, reason in aliases.items():
        checked_reason(reason, f"the alias {word!r}")
    return words, {str.__str__(word): reason for word, reason in aliases.items() if reason is not None}


def checked_reason(reason: Deprecated | None, what: str) -> Deprecated | None:
    """Return the reason for which a name is deprecated, where it is one."""
    if not isinstance(reason, Deprecated | None):
        raise NotAcceptedError(
            f"{what} takes a Deprecated or None, not {reason!r}: write Deprecated(since='...', use='...')"
        )
    return reason


def checked_metadata(metadata: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what to keep with an entry, where it is a mapping."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise NotAcceptedError(f"metadata is a mapping such as {{'key': 'value'}}, not {metadata!r}")
    return metadata


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
