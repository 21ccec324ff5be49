"""The record of one registered name."""

from __future__ import annotations

from types import MappingProxyType

from lossary_registry import _provenance
from lossary_registry._record import Record
from lossary_registry._source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Generic, TypeVar

    from lossary_registry._provenance import Place

    Item = TypeVar("Item")
else:
    from lossary_registry._typing import Generic, Item

# Most entries have no metadata and no deprecated name: they share one empty mapping.
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Deprecated(Record):
    """Says that a name should no longer be used.

    Args:
        since: The version that deprecated it.
        use: What to use instead; the entry's own name where nothing is said.

    >>> Deprecated(since="0.3", use="dice_loss")
    Deprecated(since='0.3', use='dice_loss')
    """

    __slots__ = ("since", "use")
    since: str
    use: str

    def __init__(self, *, since: str = "", use: str = "") -> None:
        self._set_fields(since=since, use=use)

    def __repr__(self) -> str:
        return f"Deprecated(since={self.since!r}, use={self.use!r})"

    def __reduce__(self) -> tuple[Callable[..., Deprecated], tuple[str, str]]:
        return _restore_deprecated, (self.since, self.use)


class Entry(Record, Generic[Item]):
    """What a registry knows about one name. Immutable: a change in the registry makes a new entry.

    Attributes:
        name: The canonical name.
        aliases: The other names that lead here.
        tags: Its tags, in the order in which they were given.
        metadata: A read-only mapping of whatever was given.
        deprecated: Those of its names that warn, with their reasons.
        registry: The name of the registry that it was registered in.
    """

    __slots__ = (
        "_item",
        "_place",
        "_source",
        "aliases",
        "deprecated",
        "metadata",
        "name",
        "registry",
        "tags",
    )
    name: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    deprecated: Mapping[str, Deprecated]
    registry: str
    _item: Any
    _place: Place | None
    _source: Source | None

    def __init__(
        self,
        name: str,
        *,
        registry: str,
        aliases: tuple[str, ...] = (),
        tags: tuple[str, ...] = (),
        metadata: Mapping[str, Any] | None = None,
        deprecated: Mapping[str, Deprecated] | None = None,
        item: object = None,
        place: Place | None = None,
        source: Source | None = None,
    ) -> None:
        """Make a record; registries do, users read them."""
        # Written out, where a loop over the fields would double the cost of a registration.
        put = object.__setattr__
        put(self, "name", name)
        put(self, "registry", registry)
        put(self, "aliases", aliases)
        put(self, "tags", tags)
        put(self, "metadata", MappingProxyType(dict(metadata)) if metadata else _NOTHING)
        put(self, "deprecated", MappingProxyType(dict(deprecated)) if deprecated else _NOTHING)
        put(self, "_item", item)
        put(self, "_place", place)
        put(self, "_source", source)

    @property
    def is_resolved(self) -> bool:
        """Whether the object is at hand, so that a look-up imports nothing."""
        return self._item is not None

    @property
    def target(self) -> str:
        """Where the object can be imported from, as ``"module:qualname"``."""
        return _provenance.target_of(self._item) if self._source is None else self._source.target

    @property
    def where(self) -> tuple[str, int] | None:
        """The file and line that registered it; ``None`` for what an installed distribution offers."""
        return None if self._place is None else _provenance.file_and_line(self._place)

    @property
    def requires(self) -> tuple[str, ...]:
        """The modules that have to be installed before the object can be imported."""
        return () if self._source is None else self._source.requires

    @property
    def install(self) -> str:
        """How to install what it requires."""
        return "" if self._source is None else self._source.install

    @property
    def distribution(self) -> str:
        """The installed distribution that offers it as a plugin, with its version; else an empty string."""
        return "" if self._source is None else self._source.distribution

    @property
    def failure(self) -> str:
        """Why it cannot be loaded, as far as that is known without trying; else an empty string."""
        return "" if self.is_resolved or self._source is None else self._source.find_failure()

    @property
    def available(self) -> bool:
        """Whether nothing is known to stand in the way of loading it. Imports nothing."""
        return not self.failure

    def load(self) -> Item:
        """Return the object, importing it where that has not happened yet.

        Raises:
            UnavailableError: It cannot be imported; the cause is chained.
        """
        item: Item = self._item
        if self._source is not None and not self.is_resolved:
            self._source.demand(self.name, self.registry)
            item = self._source.fetch(self.name, self.registry)
        return item

    def names(self) -> tuple[str, ...]:
        """Return every name that leads here, the canonical one first."""
        return (self.name, *self.aliases)

    def _without(self, aliases: set[str]) -> Entry[Item]:
        """Return an entry like this one that gave up some of its aliases."""
        return self._replace(
            aliases=tuple(alias for alias in self.aliases if alias not in aliases),
            deprecated={key: reason for key, reason in self.deprecated.items() if key not in aliases},
        )

    def _replace(self, **changes: Any) -> Entry[Item]:
        """Return an entry like this one but for some fields."""
        fields = {name.lstrip("_"): getattr(self, name) for name in self.__slots__}
        return Entry(**{**fields, **changes})

    def _portable_source(self) -> Source:
        """Return where another process finds the object."""
        if self._source is not None:
            return self._source
        import pickle  # noqa: PLC0415 - only workers need it

        target = self.target
        if not _provenance.is_importable(target):
            raise pickle.PicklingError(
                f"{self.name!r} of {self.registry} is {target}, which no other process can import:"
                " define it at the top level of a module"
            )
        try:
            found = _provenance.import_target(target)
        except Exception as error:
            raise pickle.PicklingError(
                f"{self.name!r} of {self.registry} cannot be sent, since {target} cannot be imported: {error}"
            ) from error
        if found is not self._item:
            raise pickle.PicklingError(
                f"{self.name!r} of {self.registry} cannot be sent, since {target} is something else:"
                " register what stands there in the end, above any decorator that replaces it"
            )
        return Source(target)

    def _fields(self) -> tuple[object, ...]:
        """Return what makes two entries equal: all that survives a journey to another process."""
        return (
            self.name,
            self.registry,
            self.aliases,
            self.tags,
            dict(self.metadata),
            dict(self.deprecated),
            self.target,
            self.where,
        )

    def __hash__(self) -> int:
        return hash((self.name, self.registry, self.target))

    def __repr__(self) -> str:
        tags = f" tags={', '.join(self.tags)}" if self.tags else ""
        return f"<Entry {self.name} -> {self.target}{tags}>"

    def __reduce__(self) -> tuple[Callable[..., Entry[Any]], tuple[dict[str, object]]]:
        return _restore_entry, (
            {
                "name": self.name,
                "registry": self.registry,
                "aliases": self.aliases,
                "tags": self.tags,
                "metadata": dict(self.metadata),
                "deprecated": dict(self.deprecated),
                "place": self.where,
                "source": self._portable_source(),
            },
        )


def _restore_deprecated(since: str, use: str) -> Deprecated:
    return Deprecated(since=since, use=use)


def _restore_entry(fields: dict[str, Any]) -> Entry[Any]:
    return Entry(**fields)
