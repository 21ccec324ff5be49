"""What a registry answers. Nothing in here changes what a name means."""

from __future__ import annotations

from lossary_registry import _provenance, _registration
from lossary_registry._errors import RegistryError, UnknownNameError, UnknownTagError
from lossary_registry._store import View, is_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Generic, TypeAlias, TypeVar, overload

    from typing_extensions import Self

    from lossary_registry._entry import Entry
    from lossary_registry._registration import Acceptance
    from lossary_registry._store import Store

    Item = TypeVar("Item")
    Default = TypeVar("Default")

    # Within the class `list` is the method, so annotations need another word for the type.
    Names: TypeAlias = list[str]
    TagsByName: TypeAlias = dict[str, list[str]]
else:
    from lossary_registry._typing import Generic, Item, overload


class _Missing:
    """Stands where no default was given; None is a default like any other."""


_MISSING: Any = _Missing()


class Reading(Generic[Item]):
    """The reading half of a registry: point look-ups, and listings made from a cached view."""

    _name: str
    _acceptance: Acceptance
    _vocabulary: frozenset[str] | None
    _parent: Any
    _group: str
    _store: Store
    _objects: dict[str, Any]
    _merged: View | None

    @property
    def name(self) -> str:
        """What messages call the registry."""
        return self._name

    @property
    def parent(self) -> Self | None:
        """The registry that is asked for what this one does not know."""
        parent: Self | None = self._parent
        return parent

    @property
    def version(self) -> int:
        """A number that grows with every change to what a name means, here or in a parent.

        A cache that remembers it knows when it is stale. Importing a lazy entry changes no meaning.
        """
        inherited: int = 0 if self._parent is None else self._parent.version
        return self._store.version + inherited

    @overload
    def get(self, name: str, /) -> Item: ...
    @overload
    def get(self, name: str, /, default: Default) -> Item | Default: ...
    def get(self, name: str, /, default: Any = _MISSING) -> Any:
        """Return what a name or alias leads to, importing it first if it is a lazy entry.

        Args:
            name: A name or an alias. A deprecated one warns, with the caller's line.
            default: Returned instead of raising when nobody registered the name. It does not hide an entry
                that is there and cannot be imported.

        Raises:
            UnknownNameError: Nobody registered the name; the message names the nearest ones.
            UnavailableError: It is registered, but something that it needs is missing or broken.
        """
        try:
            return self._objects[name]
        except KeyError:
            pass  # outside of the handler, so that no message begins with the chained KeyError
        return self._find(name, default)

    def __getitem__(self, name: str, /) -> Item:
        """Return what a name or alias leads to, as ``get`` does."""
        return self.get(name)

    def entry(self, name: str, /) -> Entry[Item]:
        """Return the record behind a name or alias. Imports nothing.

        Raises:
            UnknownNameError: Nobody registered the name.
        """
        entry = self._find_entry(name)
        if entry is None:
            raise UnknownNameError(name, self._name, self._view())
        return entry

    def __contains__(self, name: object, /) -> bool:
        """Tell whether a name or alias is known. Imports nothing."""
        return name in self._objects or self._find_entry(name) is not None

    def __len__(self) -> int:
        return len(self._view().canonical)

    def __iter__(self) -> Iterator[str]:
        """Yield the names in the order of registration, as they were when the iteration began."""
        return iter(self._view().canonical)

    def list(self, *, available: bool | None = None) -> Names:
        """Return the names, sorted, without the aliases. Imports nothing.

        Args:
            available: Only those that can be loaded as far as is known (True), or only the others (False).
        """
        view = self._view()
        if available is None:
            return view.names.copy()
        return [name for name in view.names if view.canonical[name].available is available]

    def list_with_tags(self) -> TagsByName:
        """Return the tags of every name, sorted by name."""
        view = self._view()
        return {name: [*view.canonical[name].tags] for name in view.names}

    def filter_by_tag(self, tag: str, /) -> Names:
        """Return the sorted names that have a tag.

        Args:
            tag: A tag, or a pattern with the wildcards ``*``, ``?`` and ``[...]``.

        Raises:
            UnknownTagError: The registry has a closed vocabulary, and this tag is not in it.
        """
        view = self._view()
        names = view.index.get(tag)
        if names is None:
            self._check_queries((tag,), view)
            names = view.tagged(tag)
        return names.copy()

    def filter(
        self,
        *,
        any_of: Iterable[str] = (),
        all_of: Iterable[str] = (),
        none_of: Iterable[str] = (),
        pattern: str | None = None,
    ) -> Names:
        """Return the sorted names that satisfy every condition given.

        Args:
            any_of: At least one of these tags; each may be a pattern, here and below.
            all_of: Every one of these tags.
            none_of: None of these tags.
            pattern: What the name looks like, with wildcards, case and all.

        Raises:
            UnknownTagError: The registry has a closed vocabulary, and one of the tags is not in it.
        """
        some = _registration.checked_words(any_of, "any_of")
        every = _registration.checked_words(all_of, "all_of")
        none = _registration.checked_words(none_of, "none_of")
        view = self._view()
        self._check_queries((*some, *every, *none), view)
        return view.select(some, every, none, pattern)

    def snapshot(self) -> Mapping[str, Entry[Item]]:
        """Return a read-only mapping of names to entries that later registrations leave as it is."""
        return self._view().canonical

    def describe(self, name: str | None = None, /) -> str:
        """Return a few lines about one name, or a table of all of them. Imports no lazy entry."""
        from lossary_registry import _tables  # noqa: PLC0415 - brings inspect along

        return _tables.table(self._in_order()) if name is None else _tables.description(self.entry(name))

    def to_markdown(self) -> str:
        """Return a table of all names in Markdown. Imports no lazy entry."""
        from lossary_registry import _tables  # noqa: PLC0415 - brings inspect along

        return _tables.markdown(self._in_order())

    def _repr_html_(self) -> str:
        """Return a table of all names for a notebook."""
        from lossary_registry import _tables  # noqa: PLC0415 - brings inspect along

        return _tables.html(self._in_order(), repr(self))

    def __repr__(self) -> str:
        base_class = self._acceptance.base_class
        kind = "" if base_class is None else f" of {base_class.__qualname__}"
        count = len(self._store.view().canonical)
        frozen = ", frozen" if self._store.frozen else ""
        return f"<{type(self).__name__} {self._name!r}{kind}: {count} name{'s' * (count != 1)}{frozen}>"

    def _find(self, name: str, default: Any) -> Any:
        """Answer what the dictionary of ready objects could not."""
        entry = self._store.entries.get(name)
        if entry is None and (self._store.plugins_pending or self._parent is not None):
            entry = self._find_entry(name)
        if entry is not None:
            return self._load(entry, name)
        if default is not _MISSING:
            return default
        raise UnknownNameError(name, self._name, self._view())

    def _find_entry(self, name: Any) -> Entry[Item] | None:
        entry = self._store.entries.get(name)
        if entry is None and self._store.plugins_pending:
            self._add_plugins()
            entry = self._store.entries.get(name)
        if entry is None and self._parent is not None:
            entry = self._parent._find_entry(name)
        return entry

    def _load(self, entry: Entry[Item], asked: str) -> Any:
        """Return the object of an entry, with no lock held while other people's modules are imported."""
        if self._parent is not None and self._store.entries.get(asked) is not entry:
            return self._parent._load(entry, asked)
        if asked in entry.deprecated:
            self._warn_of(entry, asked)
        source = entry._source
        if source is None or entry.is_resolved:
            return entry._item
        source.demand(entry.name, self._name)
        try:
            item = source.fetch(entry.name, self._name)
            self._acceptance.verify(entry.name, item)
        except RegistryError as error:
            self._store.publish(entry._replace(source=source.with_problem(str(error))), instead_of=entry)
            raise
        self._store.publish(entry._replace(item=item), instead_of=entry)
        return item

    def _warn_of(self, entry: Entry[Item], asked: str) -> None:
        reason = entry.deprecated[asked]
        since = f" since {reason.since}" if reason.since else ""
        instead = reason.use or (entry.name if asked != entry.name else "")
        hint = f": use {instead!r}" if instead else ""
        _provenance.warn_caller(f"{asked!r} of {self._name} is deprecated{since}{hint}", DeprecationWarning)

    def _view(self) -> View:
        """Return the names of now, a parent's included where this registry does not shadow them."""
        if self._store.plugins_pending:
            self._add_plugins()
        own = self._store.cached or self._store.view()
        if self._parent is None:
            return own
        inherited = self._parent._view()
        merged = self._merged
        if merged is None or merged.sources[0] is not own or merged.sources[1] is not inherited:
            merged = View({**inherited.entries, **own.entries}, sources=(own, inherited))
            self._merged = merged
        return merged

    def _in_order(self) -> Iterator[Entry[Item]]:
        """Yield the entries sorted by name, for tables that do not depend on the order of imports."""
        view = self._view()
        return (view.canonical[name] for name in view.names)

    def _check_queries(self, tags: Iterable[str], view: View) -> None:
        if self._vocabulary is None:
            return
        for tag in tags:
            if tag not in self._vocabulary and not is_pattern(tag) and tag not in view.index:
                raise UnknownTagError(tag, self._name, self._vocabulary)

    def _add_plugins(self) -> None:
        """Take in what installed distributions offer; what the program registered itself goes first."""
        from lossary_registry import _plugins  # noqa: PLC0415 - importlib.metadata is 80 modules

        self._store.fill(_plugins.find_plugins(self._group, self._name))
        self._store.plugins_pending = False
