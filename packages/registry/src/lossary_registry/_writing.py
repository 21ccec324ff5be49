"""What changes a registry, whatever it holds."""

from __future__ import annotations

from lossary_registry import _provenance, _registration
from lossary_registry._errors import (
    FrozenRegistryError,
    NotAcceptedError,
    RegistrationWarning,
    UnknownNameError,
)
from lossary_registry._reading import Reading
from lossary_registry._registration import Options
from lossary_registry._source import Source, checked_target
from lossary_registry._store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias, TypeVar

    from typing_extensions import Self

    from lossary_registry._entry import Deprecated, Entry
    from lossary_registry._registration import Acceptance
    from lossary_registry._store import View

    Item = TypeVar("Item")
    Aliases: TypeAlias = Iterable[str] | Mapping[str, Deprecated | None]
else:
    from lossary_registry._typing import Item


class Writing(Reading[Item]):
    """The writing half of a registry: what is registered, taken out, overridden and frozen."""

    def _set_up(
        self,
        acceptance: Acceptance,
        tags: Iterable[str] | None,
        parent: Writing[Item] | None,
        entry_points: str | None,
    ) -> None:
        self._name = acceptance.registry
        self._acceptance = acceptance
        self._vocabulary = None if tags is None else frozenset(_registration.checked_words(tags, "tags"))
        self._parent = parent
        self._group = entry_points or ""
        self._store = Store(plugins_pending=entry_points is not None)
        self._objects = self._store.objects
        self._merged: View | None = None
        self._module = _provenance.calling_frame().f_globals.get("__name__", "__main__")

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
            item, name = None, item
        options = Options(
            self._name,
            self._vocabulary,
            tags=tags,
            aliases=aliases,
            metadata=metadata,
            deprecated=deprecated,
        )
        if item is None:
            return lambda target: self._add(target, name, options, force=force)
        return self._add(item, name, options, force=force)

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
            InvalidNameError: The target does not read ``"package.module:Name"``, or a name is empty.
            DuplicateNameError: The name or an alias is taken by something else.
            UnknownTagError: A tag is not in the registry's vocabulary.
            FrozenRegistryError: The registry is frozen.
        """
        words = _registration.checked_words(requires, "requires")
        source = Source(checked_target(target), requires=words, install=install)
        options = Options(self._name, self._vocabulary, tags=tags, aliases=aliases, metadata=metadata)
        self._insert(options.make_entry(_registration.checked_name(name), source=source), force=force)

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

    def __reduce__(self) -> tuple[Callable[[str, str], Any], tuple[str, str]]:
        return _provenance.find_registry, _provenance.find_home(self, self._module)

    def _add(self, item: Any, name: str | None, options: Options, *, force: bool) -> Any:
        """Register an item, and return it."""
        name = _registration.checked_name(_registration.default_name(item) if name is None else name)
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
