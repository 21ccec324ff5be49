"""What a registry refuses, and how it says so.

Each exception keeps data in ``args``, so it pickles across processes;
the text is put together when somebody reads it, so that a miss which is caught costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


# difflib takes tens of microseconds a candidate: beyond this many, a cheap measure picks whom it looks at.
_FEW = 100
# A message lists this many names at most.
_SHOWN = 10
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


class RegistryError(Exception):
    """The base of everything that a registry raises on its own account."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class InvalidNameError(RegistryError, ValueError):
    """A name, alias or tag that cannot be one: empty, or not a string."""


class NotAcceptedError(RegistryError, TypeError):
    """An object that this registry does not hold: of the wrong class, or refused by its check."""


class UnknownNameError(RegistryError, KeyError):
    """A look-up of a name that nobody registered."""

    # No __init__: a miss that is caught costs what its arguments cost.
    args: tuple[str, str, Iterable[str]]

    @property
    def name(self) -> str:
        """The name that was asked for."""
        return self.args[0]

    @property
    def registry(self) -> str:
        """The name of the registry."""
        return self.args[1]

    @property
    def known(self) -> Iterable[str]:
        """The names and aliases that the registry had then."""
        return self.args[2]

    @property
    def nearest(self) -> tuple[str, ...]:
        """The known names that look most like the one asked for, best first."""
        return nearest_names(self.name, self.known)

    # KeyError shows the repr of its argument, and a message of several lines would lose its lines.
    def __str__(self) -> str:
        close = self.nearest
        hint = f": did you mean {' or '.join(map(repr, close))}?" if close else ""
        known = _shortened(self.known)
        return f"{self.name!r} is not in {self.registry}{hint}\n    {self.registry} knows {known}"


class UnknownTagError(RegistryError, ValueError):
    """A tag outside the closed vocabulary of its registry."""

    def __init__(self, tag: str, registry: str, vocabulary: Iterable[str]) -> None:
        super().__init__(tag, registry, tuple(vocabulary))
        self.tag = tag
        self.registry = registry
        self.vocabulary: tuple[str, ...] = self.args[2]

    def __str__(self) -> str:
        close = nearest_names(self.tag, self.vocabulary)
        hint = f": did you mean {' or '.join(map(repr, close))}?" if close else ""
        tags = ", ".join(sorted(self.vocabulary))
        return f"{self.tag!r} is not a tag of {self.registry}{hint}\n    Its tags are {tags}"


class DuplicateNameError(RegistryError, ValueError):
    """A name that is already taken by something else.

    Attributes:
        name: The name or alias that both want.
        registry: The name of the registry.
        first: What holds the name, and the place where it was registered.
        second: What asked for it, and where.
    """

    def __init__(self, name: str, registry: str, first: tuple[str, str], second: tuple[str, str]) -> None:
        super().__init__(name, registry, first, second)
        self.name = name
        self.registry = registry
        self.first = first
        self.second = second

    def __str__(self) -> str:
        width = max(len(self.first[0]), len(self.second[0]))
        return (
            f"{self.name!r} is already taken in {self.registry}\n"
            f"    by  {self.first[0]:<{width}}  {self.first[1]}   (first)\n"
            f"    now {self.second[0]:<{width}}  {self.second[1]}\n"
            f"    Give it another name, or pass force=True to replace the first."
        )


class FrozenRegistryError(RegistryError, RuntimeError):
    """A change to a registry that was frozen."""

    def __init__(self, registry: str, change: str) -> None:
        super().__init__(registry, change)
        self.registry = registry
        self.change = change

    def __str__(self) -> str:
        return (
            f"cannot {self.change}: {self.registry} is frozen\n"
            f"    Do it before freeze(), or inside `with registry.isolated():` in a test."
        )


class UnavailableError(RegistryError, ImportError):
    """An entry that is known, but whose object cannot be imported; the cause is chained.

    Attributes:
        name: The name of the entry.
        registry: The name of the registry.
        target: Where the object should be, as ``"module:qualname"``.
        reason: What went wrong, in one line.
        install: What the entry says to install, or an empty string.
    """

    def __init__(self, name: str, registry: str, target: str, reason: str, install: str = "") -> None:
        super().__init__(name, registry, target, reason, install)
        self.name: str = name
        self.registry = registry
        self.target = target
        self.reason = reason
        self.install = install

    def __str__(self) -> str:
        hint = f"\n    To have it: {self.install}" if self.install else ""
        return f"{self.name!r} of {self.registry} cannot be loaded from {self.target}: {self.reason}{hint}"


class RegistrationWarning(UserWarning):
    """A definition replaced an earlier one of the same module and name, from another line."""


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
    for candidate in names:
        if isinstance(candidate, str):
            known.setdefault(_folded(candidate), candidate)
    ending = _shared_ending(known)
    whole: dict[str, str] = {}
    stems: dict[str, str] = {}
    for folded, candidate in known.items():
        form = folded.replace("_", "")
        whole.setdefault(form, candidate)
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


def _shortened(known: Iterable[str]) -> str:
    """Return the names for a message: all of them while they are few, then their number."""
    names = sorted(known)
    if not names:
        return "no name yet"
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{len(names):,} names and aliases; list() gives the names"


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def _shared_ending(names: Collection[str]) -> str:
    """Return the last word that most names have, such as ``loss``: it tells none from another."""
    counts: dict[str, int] = {}
    for name in names:
        beginning, _, word = name.rpartition("_")
        if beginning:
            counts[word] = counts.get(word, 0) + 1
    ending = max(counts, key=counts.__getitem__, default="")
    sharing = sum(name.endswith(ending) for name in names)
    return ending if sharing > len(names) / 2 else ""


def _with_initials(word: str, known: Mapping[str, str], ending: str) -> list[str]:
    """Return the names whose words begin with these letters: of ``ce``, it is ``cross_entropy_loss``."""
    found = []
    for folded, name in known.items():
        stem = folded.removesuffix(ending).strip("_")
        # Splitting takes longer than counting, and there may be thousands of names.
        if 0 < stem.count("_") == len(word) - 1 and word == "".join(part[:1] for part in stem.split("_")):
            found.append(name)
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


# A traceback shows the path from which the error can be imported.
for _public in (RegistryError, *RegistryError.__subclasses__(), RegistrationWarning):
    _public.__module__ = "lossary_registry"
