"""What happens to the entries whose names a new entry wants: nothing, replacement, or a refusal.

Imported when a name is taken for the first time; most programs never need it.
"""

from __future__ import annotations

from lossary_registry import _provenance
from lossary_registry._errors import DuplicateNameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lossary_registry._entry import Entry


class Change:
    """A decision: what to take away, what to put in, and what to warn about before."""

    __slots__ = ("added", "removed", "warning")

    def __init__(self, entry: Entry[Any]) -> None:
        self.added = [entry]
        self.removed: list[Entry[Any]] = []
        self.warning = ""


def decide(entry: Entry[Any], holders: list[Entry[Any]], *, force: bool) -> Change | None:
    """Decide how a new entry gets its names from the entries that hold them.

    Returns:
        The change, or ``None`` if the new entry says nothing new.

    Raises:
        DuplicateNameError: A name is taken by something else.
    """
    change = Change(entry)
    for holder in holders:
        if holder.name == entry.name and _says_nothing_new(entry, holder):
            return None
        _settle(change, holder, force=force)
    return change


def _settle(change: Change, holder: Entry[Any], *, force: bool) -> None:
    """Take from one holder the names that the new entry wants."""
    entry = change.added[0]
    if holder.distribution:
        change.removed.append(holder)  # what the program itself registers goes before plugins
    elif _is_placeholder(holder, entry):
        change.removed.append(holder)
        change.added[0] = _merged(entry, holder)
    elif holder.name == entry.name and _is_same_definition(entry, holder):
        change.removed.append(holder)
        change.warning = "" if force else _find_warning(entry, holder)
    elif not force:
        raise _duplicate(entry, holder)
    else:
        change.removed.append(holder)
        if holder.name not in set(entry.names()):
            change.added.append(holder._without(set(entry.names())))


def _says_nothing_new(entry: Entry[Any], holder: Entry[Any]) -> bool:
    """Tell whether an entry repeats one that is there: the same object, and no option that differs."""
    same = entry._item is holder._item if entry.is_resolved else entry.target == holder.target
    return (
        same
        and set(entry.aliases) <= set(holder.aliases)
        and entry.deprecated.items() <= holder.deprecated.items()
        and (not entry.tags or set(entry.tags) == set(holder.tags))
        and (not entry.metadata or _is_alike(entry.metadata, holder.metadata))
        and (not entry.requires or entry.requires == holder.requires)
        and (not entry.install or entry.install == holder.install)
    )


def _is_alike(metadata: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Tell whether two mappings say the same; arrays in them are compared as wholes."""
    if metadata.keys() != other.keys():
        return False
    return all(value is other[key] or _is_equal(value, other[key]) for key, value in metadata.items())


def _is_equal(value: Any, other: Any) -> bool:
    try:
        same: Any = value == other
        # Arrays are compared item by item, and tell their result only as a whole.
        return bool(same.all() if hasattr(same, "all") else same)
    except Exception:  # noqa: BLE001 - what cannot be compared may be anything, and is not known to be the same
        return False


def _is_placeholder(holder: Entry[Any], entry: Entry[Any]) -> bool:
    """Tell whether a lazy entry announced the object that now registers itself.

    The announcement may name the package that re-exports it.
    """
    if holder.is_resolved or not entry.is_resolved or holder.name != entry.name:
        return False
    announced_module, _, announced_name = holder.target.partition(":")
    module, _, name = entry.target.partition(":")
    return name == announced_name and f"{module}.".startswith(f"{announced_module}.")


def _merged(entry: Entry[Any], placeholder: Entry[Any]) -> Entry[Any]:
    """Return the entry with all that its placeholder promised, so that no alias or tag is lost by loading."""
    aliases = dict.fromkeys((*placeholder.aliases, *entry.aliases))
    return entry._replace(
        aliases=tuple(aliases),
        tags=tuple(dict.fromkeys((*placeholder.tags, *entry.tags))),
        metadata={**placeholder.metadata, **entry.metadata},
        deprecated={**placeholder.deprecated, **entry.deprecated},
        source=placeholder._source,
    )


def _is_same_definition(entry: Entry[Any], holder: Entry[Any]) -> bool:
    """Tell whether the same lines of source made both: a cell that ran again, a reload, a second import."""
    if entry.target.partition(":")[2] != holder.target.partition(":")[2]:
        return False
    if not _provenance.is_importable(entry.target):
        # A partial, a lambda, a local class: nothing but the lines that registered it tells what it is.
        return _provenance.ran_again(entry._place, holder._place)
    if entry.target == holder.target:
        return True
    file = _provenance.defining_file(entry.target, entry._place)
    return file is not None and file == _provenance.defining_file(holder.target, holder._place)


def _find_warning(entry: Entry[Any], holder: Entry[Any]) -> str:
    """Return what to say about a replacement that may be a copy somebody forgot to rename."""
    if entry.where is None or holder.where is None or entry.where == holder.where:
        return ""
    if _provenance.is_interactive(entry.where, entry.target):
        return ""
    return (
        f"{entry.name!r} in {entry.registry}, registered at {_provenance.shown(holder.where)},"
        f" is replaced by the {entry.target.partition(':')[2]} at {_provenance.shown(entry.where)}"
    )


def _duplicate(entry: Entry[Any], holder: Entry[Any]) -> DuplicateNameError:
    taken = set(holder.names())
    name = next(key for key in entry.names() if key in taken)
    first, second = _label(holder), _label(entry)
    if first[0] == second[0]:
        # Two of one name: where they are defined tells them apart.
        first, second = (holder.target, first[1]), (entry.target, second[1])
    return DuplicateNameError(name, entry.registry, first, second)


def _label(entry: Entry[Any]) -> tuple[str, str]:
    """Return what an entry holds and where that comes from, for a message."""
    where = entry.distribution if entry.where is None else _provenance.shown(entry.where)
    return entry.target.partition(":")[2], where
