"""The name that somebody probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Nobody misspells a longer name, and the comparison takes quadratic time.
_LONGEST_NAME = 80
_SHORTEST_START = 3


def nearest(word: object, names: Iterable[object]) -> str | None:
    """Return the name that is spelled most like ``word``, or None where nothing is near."""
    if not isinstance(word, str) or not 0 < len(word) <= _LONGEST_NAME:
        return None
    by_form: dict[str, str] = {}
    for name in names:
        if isinstance(name, str):
            by_form.setdefault(_form(name), name)
    form = _form(word)
    if form in by_form:
        return by_form[form]
    known = _by_initials(form, by_form.values())
    if known:
        return known
    import difflib  # noqa: PLC0415  # only what is wrong needs it

    close = difflib.get_close_matches(form, by_form, n=1, cutoff=0.6)
    if close:
        return by_form[close[0]]
    # BCEWithLogits begins as bce does.
    starts = [known for known in by_form if len(known) >= _SHORTEST_START and form.startswith(known)]
    return by_form[max(starts, key=len)] if starts else None


def _by_initials(form: str, names: Iterable[str]) -> str | None:
    """Return the name whose words begin with these letters: of ``ce``, it is ``cross_entropy_loss``."""
    for name in names:
        words = name.removesuffix("_loss").split("_")
        if len(words) > 1 and "".join(word[:1] for word in words) == form:
            return name
    return None


def did_you_mean(word: object, names: Iterable[object]) -> str:
    """Ask about the nearest name, before more is said; return an empty text where nothing is near."""
    guess = nearest(word, names)
    return f"did you mean {guess!r}? " if guess else ""


def _form(name: str) -> str:
    """Reduce a name to what people remember of it: no case, no separators, no ``loss`` at the end."""
    form = name.casefold().replace("-", "").replace("_", "").replace(" ", "")
    return form.removesuffix("loss") or form
