"""Names, tags and aliases: what may be one, and which known one is nearest to a wrong one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# difflib takes tens of microseconds a candidate: beyond this many, a cheap measure picks whom it looks at.
_FEW = 100
# A message lists this many names at most.
_SHOWN = 10
_SUGGESTED = 3
# Names of one collection share endings such as "_loss", which alone makes them half alike.
_LIKENESS = 0.7
# A shorter word is part of too many names to be a hint.
_SHORTEST_PART = 3


def nearest(word: object, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that look most like ``word``, best first, three at most."""
    import difflib  # noqa: PLC0415 - slow to import, and only messages need it

    if not isinstance(word, str):  # a look-up takes whatever somebody asks for
        return ()
    lowered = word.casefold()
    spellings = {name.casefold(): name for name in known}
    candidates: Iterable[str] = spellings
    if len(spellings) > _FEW:
        candidates = sorted(spellings, key=lambda name: -_shared_ends(lowered, name))[:_FEW]
    found = difflib.get_close_matches(lowered, candidates, _SUGGESTED, _LIKENESS)
    if not found and len(lowered) >= _SHORTEST_PART:
        found = [name for name in spellings if lowered in name][:_SUGGESTED]
    return tuple(spellings[name] for name in found)


def shortened(known: Iterable[str]) -> str:
    """Return the names for a message: all of them while they are few, then their number."""
    names = sorted(known)
    if not names:
        return "no name yet"
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{len(names):,} names and aliases; list() gives the names"


def _shared_ends(word: str, name: str) -> int:
    """Count the characters that two words share from the left and from the right.

    A word with one typing error shares all but one or two.
    """
    limit = min(len(word), len(name))
    left = 0
    while left < limit and word[left] == name[left]:
        left += 1
    right = 0
    while right < limit - left and word[-1 - right] == name[-1 - right]:
        right += 1
    return left + right
