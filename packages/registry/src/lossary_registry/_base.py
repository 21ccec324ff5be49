"""What every registry answers, and what changes it, whatever it holds."""

from __future__ import annotations

from lossary_registry import _provenance
from lossary_registry._errors import (
    FrozenRegistryError,
    NotAcceptedError,
    RegistrationWarning,
    RegistryError,
    UnknownNameError,
    UnknownTagError,
)
from lossary_registry._registration import Acceptance, Options, checked_name, checked_words, default_name
from lossary_registry._source import Source, checked_target
from lossary_registry._store import Store, View, is_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, Generic, TypeAlias, TypeVar, overload

    from typing_extensions import Self

    from lossary_registry._entry import Deprecated, Entry

    Item = TypeVar("Item")
    Default = TypeVar("Default")

    # Within the class `list` is the method, so annotations need another word for the type.
    Names: TypeAlias = list[str]
    TagsByName: TypeAlias = dict[str, list[str]]
    Aliases: TypeAlias = Iterable[str] | Mapping[str, Deprecated | None]
else:
    from lossary_registry._typing import Generic, Item, overload


class _Missing:
    """Stands where nothing was given; None is something like any other."""

    # Documentation shows it in the signature.
    def __repr__(self) -> str:
        return "<no default>"


MISSING: Any = _Missing()


class BaseRegistry(Generic[Item]):
    """A registry of anything: point look-ups, listings made from a cached view, and what changes them."""

    def __init__(
        self,
        acceptance: Acceptance,
        *,
        tags: Iterable[str] | None,
        parent: BaseRegistry[Item] | None,
        entry_points: str | None,
    ) -> None:
        self._name = acceptance.registry
        self._acceptance = acceptance
        self._vocabulary = None if tags is None else frozenset(checked_words(tags, "tags"))
        self._parent: Any = parent
        self._group = entry_points or ""
        self._store = Store(plugins_pending=entry_points is not None)
        self._objects = self._store.objects
        self._module = _provenance.calling_frame().f_globals.get("__name__", "__main__")

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
    def get(self, name: str, /, default: Any = MISSING) -> Any:
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

    def __reversed__(self) -> Iterator[str]:
        return reversed([*self._view().canonical])

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
            NotAcceptedError: It is no string.
        """
        view = self._view()
        names = view.index.get(tag) if isinstance(tag, str) else None  # type: ignore[redundant-expr]
        if names is None:
            tag = checked_name(tag, "tag")
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
        some = checked_words(any_of, "any_of")
        every = checked_words(all_of, "all_of")
        none = checked_words(none_of, "none_of")
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

    def register_lazy(
        self,
        name: str,
        target: str,
        /,
        *,
        requires: Iterable[str] = (),
        install: str = "",
        tags: Iterable[str] = (),
        aliases: Aliases = (),
        metadata: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> None:
        """Register what will be imported when it is asked for. Until then its module is left alone.

        Args:
            name: The name to register it under.
            target: Where it is, as ``"package.module:Name"``.
            requires: Modules that have to be installed first; the entry is listed without them, too.
            install: What to do to have them, such as ``"pip install shapes[solid]"``.
            tags: Words to find it by.
            aliases: Other names for it.
            metadata: Anything worth keeping with it.
            force: Replace whatever holds the name.

        Raises:
            InvalidNameError: The target does not read ``"package.module:Name"``, or a name is empty or
                not printable.
            DuplicateNameError: The name or an alias is taken by something else.
            UnknownTagError: A tag is not in the registry's vocabulary.
            FrozenRegistryError: The registry is frozen.
        """
        words = checked_words(requires, "requires")
        source = Source(checked_target(target), requires=words, install=install)
        options = Options(self._name, self._vocabulary, tags=tags, aliases=aliases, metadata=metadata)
        self._insert(options.make_entry(checked_name(name), source=source), force=force)

    def unregister(self, name: str, /) -> Entry[Item]:
        """Take out the entry behind a name or alias, with all its names, and return it.

        Raises:
            UnknownNameError: Nobody registered the name here; a parent's entries stay where they are.
            FrozenRegistryError: The registry is frozen.
        """
        while True:
            self._refuse_if_frozen(f"unregister {name!r}")
            if self._store.plugins_pending:
                self._add_plugins()
            entry = self._store.entries.get(name)
            if entry is None:
                raise UnknownNameError(name, self._name, self._store.view())
            if self._store.swap({entry.name: entry}, removed=[entry], added=[]):
                return entry

    def override(self, name: str, item: Item, /) -> AbstractContextManager[None]:
        """Let a name and its aliases lead to something else while a block runs, in every thread.

        Meant for tests and set-up. Blocks may overlap in any order; what somebody registered under the name
        meanwhile is left alone.

        Raises:
            UnknownNameError: Nobody registered the name.
            NotAcceptedError: The item is not what this registry holds.
            FrozenRegistryError: The registry is frozen.
        """
        from lossary_registry import _scopes  # noqa: PLC0415 - contextlib is eight modules

        return _scopes.override(self._store, name, item, acceptance=self._acceptance, find=self.entry)

    def isolated(self, *, empty: bool = False) -> AbstractContextManager[Self]:
        """Undo at the end of a block all that it did to the registry; a frozen one is thawed within.

        One thing stays: what was registered by modules that the block imported for the first time. They will
        not run again, so whoever imports them next would find nothing.

        Args:
            empty: Begin with a blank registry, without the plugins too. A parent's names stay visible.
        """
        from lossary_registry import _scopes  # noqa: PLC0415 - contextlib is eight modules

        return _scopes.isolated(self, self._store, empty=empty)

    def freeze(self) -> None:
        """Refuse every change from now on. Plugins are looked for first; lazy entries still load."""
        if self._store.plugins_pending:
            self._add_plugins()
        self._store.freeze()

    def _repr_html_(self) -> str:
        """Return a table of all names for a notebook."""
        from lossary_registry import _tables  # noqa: PLC0415 - brings inspect along

        return _tables.html(self._in_order(), repr(self))

    def _ipython_key_completions_(self) -> Names:
        """Return what a session may complete between the brackets of ``registry[...]``."""
        return [*self._view()]

    def __repr__(self) -> str:
        base_class = self._acceptance.base_class
        kind = "" if base_class is None else f" of {base_class.__qualname__}"
        count = len(self._store.view().canonical)
        frozen = ", frozen" if self._store.frozen else ""
        return f"<{type(self).__name__} {self._name!r}{kind}: {count} name{'s' * (count != 1)}{frozen}>"

    def __reduce__(self) -> tuple[Callable[[str, str, str], Any], tuple[str, str, str]]:
        return _provenance.find_registry, (*_provenance.find_home(self, self._module), self._name)

    # A registry is one place in a program: who copies what holds it wants the same one.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _register(
        self,
        item: Any,
        name: str | None,
        *,
        tags: Iterable[str],
        aliases: Aliases,
        deprecated: Deprecated | None,
        metadata: Mapping[str, Any] | None,
        force: bool,
    ) -> Any:
        """Register an item and return it, or return the decorator that will."""
        if isinstance(item, str):
            if name is not None:
                raise NotAcceptedError(f"the name is given twice: {item!r} and name={name!r}")
            item, name = MISSING, item
        if item is None:
            raise NotAcceptedError(f"{self._name} cannot hold None: for a decorator, leave the item out")
        options = Options(
            self._name,
            self._vocabulary,
            tags=tags,
            aliases=aliases,
            metadata=metadata,
            deprecated=deprecated,
        )
        if item is MISSING:
            return lambda target: self._add(target, name, options, force=force)
        return self._add(item, name, options, force=force)

    def _add(self, item: Any, name: str | None, options: Options, *, force: bool) -> Any:
        """Register an item, and return it."""
        name = checked_name(default_name(item) if name is None else name)
        self._acceptance.verify(name, item)
        self._insert(options.make_entry(name, item=item), force=force)
        return item

    def _insert(self, entry: Entry[Item], *, force: bool) -> None:
        """Put an entry in, deciding again whenever another thread was faster."""
        while not self._store.add(entry):
            self._refuse_if_frozen(f"register {entry.name!r}")
            if self._replace(entry, force=force):
                return

    def _replace(self, entry: Entry[Item], *, force: bool) -> bool:
        """Take the names of an entry from those that hold them, and tell whether all is said."""
        from lossary_registry import _duplicates  # noqa: PLC0415 - in most programs no name is ever taken

        expected = {key: self._store.entries.get(key) for key in entry.names()}
        # Several names may lead to the same holder.
        holders = list({id(holder): holder for holder in expected.values() if holder is not None}.values())
        change = _duplicates.decide(entry, holders, force=force)
        if change is None:
            return True
        if change.warning:
            # Before the change: where warnings are errors, a failed call changes nothing.
            _provenance.warn_caller(change.warning, RegistrationWarning)
        return self._store.swap(expected, removed=change.removed, added=change.added)

    def _refuse_if_frozen(self, change: str) -> None:
        if self._store.frozen:
            raise FrozenRegistryError(self._name, change)

    def _find(self, name: str, default: Any) -> Any:
        """Answer what the dictionary of ready objects could not."""
        entry = self._store.entries.get(name)
        if entry is None and (self._store.plugins_pending or self._parent is not None):
            entry = self._find_entry(name)
        if entry is not None:
            return self._load(entry, name)
        if default is not MISSING:
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
        inherited: View | None = None if self._parent is None else self._parent._view()
        return own if inherited is None else inherited.below(own)

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
