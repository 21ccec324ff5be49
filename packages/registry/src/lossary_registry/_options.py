"""The options of a registration, checked and brought into one form before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping

from lossary_registry import _provenance
from lossary_registry._entry import Deprecated, Entry
from lossary_registry._errors import InvalidNameError, NotAcceptedError, UnknownTagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from lossary_registry._source import Source


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
        self.metadata = metadata
        self.deprecated = deprecated
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
        if not isinstance(reason, Deprecated | None):
            raise NotAcceptedError(f"the alias {word!r} has a Deprecated or None beside it, not {reason!r}")
    return words, {str.__str__(word): reason for word, reason in aliases.items() if reason is not None}
