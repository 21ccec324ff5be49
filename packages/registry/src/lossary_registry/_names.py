"""Which of many names somebody probably meant who wrote another one."""

from __future__ import annotations

from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# difflib takes tens of microseconds a candidate: beyond this many, a cheap measure picks whom it looks at.
_FEW = 100
_SUGGESTED = 3
# Nobody misspells a longer name, and a comparison takes quadratic time.
_LONGEST = 80
# So that two words of three letters are alike with two of them in common.
_LIKENESS = 0.6
# An ending that many names share makes them alike already: with it, more has to be, and most of all where
# that ending is spelled as it should be.
_LIKENESS_OF_WHOLE = 0.7
_LIKENESS_WITH_ENDING = 0.82
# What is less alike than the best, by more than this, was not meant.
_BEHIND = 0.1
# A shorter word is part of too many names to be a hint.
_SHORTEST_PART = 3


def nearest_names(name: object, names: Iterable[object], /) -> tuple[str, ...]:
    """Return the names that somebody probably meant who wrote another one: best first, three at most.

    Case and separators make no difference, and an ending that most of the names share may be missing.
    Names are found by their initials, by their spelling, by a part of them, or as the beginning of what was
    written, in this order.

    Args:
        name: What was written. Nothing is near to what is not a string, or is longer than 80 characters.
        names: What could have been written. Whatever is not a string is passed over.

    >>> losses = ["dice_loss", "focal_loss", "cross_entropy_loss"]
    >>> nearest_names("Dise", losses), nearest_names("ce", losses), nearest_names("entropy", losses)
    (('dice_loss',), ('cross_entropy_loss',), ('cross_entropy_loss',))
    >>> nearest_names("banana", losses)
    ()
    """
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ()
    known: dict[str, str] = {}
    whole: dict[str, str] = {}
    for candidate in names:
        if isinstance(candidate, str):
            folded = _folded(candidate)
            known.setdefault(folded, candidate)
            whole.setdefault(folded.replace("_", ""), candidate)
    ending = _shared_ending(known)
    stems = whole
    if ending:
        stems = {}
        for form, candidate in whole.items():
            stems.setdefault(form.removesuffix(ending) or form, candidate)
    word = _folded(name).replace("_", "")
    stem = word.removesuffix(ending) or word
    same = whole.get(word) or stems.get(stem)
    if same:
        return (same,)
    found = (
        _with_initials(stem, known, ending)
        # The ending itself may be misspelled, and is then taken for a part of the stem.
        or (stem == word and _spelled_alike(word, whole, _LIKENESS_OF_WHOLE))
        or _spelled_alike(stem, stems, _LIKENESS)
        or _spelled_alike(word, whole, _LIKENESS_WITH_ENDING)
        or _with_part(word, whole)
        or _at_the_beginning(stem, stems)
    )
    return tuple(dict.fromkeys(found))[:_SUGGESTED]


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def _shared_ending(names: Collection[str]) -> str:
    """Return the last word that most names have, such as ``loss``: it tells none from another."""
    counts = Counter([name[at + 1 :] for name in names if (at := name.rfind("_")) > 0])
    ending = max(counts, key=counts.__getitem__, default="")
    sharing = [name for name in names if name.endswith(ending)]
    return ending if len(sharing) > len(names) / 2 else ""


def _with_initials(word: str, known: Mapping[str, str], ending: str) -> list[str]:
    """Return the names whose words begin with these letters: of ``ce``, it is ``cross_entropy_loss``."""
    found = []
    # Splitting takes longer than counting, and there may be thousands of names.
    for folded in [folded for folded in known if folded.count("_") >= len(word) - 1 > 0]:
        parts = folded.removesuffix(ending).strip("_").split("_")
        if len(parts) == len(word) and word == "".join(part[:1] for part in parts):
            found.append(known[folded])
    return sorted(found)


def _spelled_alike(word: str, names: Mapping[str, str], likeness: float) -> list[str]:
    """Return the names that share most letters with a word, in the same order, best first."""
    import difflib  # noqa: PLC0415 - slow to import, and only messages need it

    candidates: Iterable[str] = names
    if len(names) > _FEW:
        candidates = sorted(names, key=lambda form: -_shared_ends(word, form))[:_FEW]
    matcher = difflib.SequenceMatcher(b=word)
    found = []
    for form in candidates:
        matcher.set_seq1(form)
        if matcher.quick_ratio() >= likeness:
            found.append((-matcher.ratio(), form))
    found.sort()
    return [names[form] for score, form in found if score <= min(-likeness, found[0][0] + _BEHIND)]


def _with_part(word: str, names: Mapping[str, str]) -> list[str]:
    """Return the names that hold a word, the shortest first."""
    if len(word) < _SHORTEST_PART:
        return []
    return [names[form] for form in sorted(names, key=lambda form: (len(form), form)) if word in form]


def _at_the_beginning(word: str, names: Mapping[str, str]) -> list[str]:
    """Return the longest name with which a word begins: BCEWithLogits begins as ``bce`` does."""
    found = [form for form in names if len(form) >= _SHORTEST_PART and word.startswith(form)]
    return [names[max(found, key=len)]] if found else []


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
