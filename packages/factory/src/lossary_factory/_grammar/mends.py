"""How what somebody wrote becomes what was meant, in the words of the config itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossary_factory._problems import ConfigPath, show, show_key, show_path

from .keys import LOSS_WORDS, NODE_KEYS, as_written

if TYPE_CHECKING:
    from lossary_registry import Registry

_MOST_TERMS = 4
_MOST_PLACES = 1000
_ENDING = "_loss"


def as_terms(losses: Sequence[object], registry: Registry[Any]) -> str:
    """Write losses as a map of named terms, such as ``{dice: dice_loss, focal: {name: focal_loss}}``."""
    terms: dict[str, str] = {}
    for number, loss in enumerate(losses[:_MOST_TERMS], 1):
        name = _name_of(loss, registry)
        key = word = _key_of(name, registry) or f"term{number}"
        while key in terms:
            key = f"{word}_{number}"
        terms[key] = _brief(loss)
    written = [f"{key}: {term}" for key, term in terms.items()]
    return "{" + ", ".join([*written, *(["..."] if len(losses) > _MOST_TERMS else [])]) + "}"


def _name_of(loss: object, registry: Registry[Any]) -> object:
    """Return the name of a loss, however it was written."""
    if not isinstance(loss, Mapping):
        return loss
    written = as_written(loss, NODE_KEYS)
    if "name" in written:
        return loss[written["name"]]
    return next((key for key in loss if isinstance(key, str) and key in registry), None)


def _key_of(name: object, registry: Registry[Any]) -> str:
    """Return a key for the term of a loss: its name, without what all names have."""
    if not isinstance(name, str):
        return ""
    word = registry.entry(name).name if name in registry else name.rpartition(".")[2]
    word = word.removesuffix(_ENDING)
    return word if word.isidentifier() else ""


def _brief(value: object) -> str:
    """Write a value on one line, what is deep in it as dots."""
    if isinstance(value, Mapping):
        meant = {written: key for key, written in as_written(value, (*NODE_KEYS, "weight")).items()}
        entries = (f"{show_key(meant.get(key, key))}: {_in_short(item)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    return _in_short(value)


def _in_short(value: object) -> str:
    if isinstance(value, Mapping):
        return "{...}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[...]" if value else "[]"
    return show_key(value) if isinstance(value, str) else show(value)


def deeper_loss(config: object, registry: Registry[Any]) -> str:
    """Return the path at which a larger config probably has its loss; an empty text if there is none."""
    for path, value in _places(config):
        if path and path[-1] in LOSS_WORDS:
            is_name = isinstance(value, str) and value in registry
            if is_name or (isinstance(value, Mapping) and "name" in as_written(value, NODE_KEYS)):
                return show_path(path)
            if isinstance(value, Mapping) and any(key in value for key in NODE_KEYS):
                return show_path(path)
    return ""


def _places(config: object) -> Iterator[tuple[ConfigPath, object]]:
    """Yield the values inside mappings, those near the top first, and no more than a few."""
    level: list[tuple[ConfigPath, object]] = [((), config)]
    count = 0
    while level:
        below: list[tuple[ConfigPath, object]] = []
        for path, value in level:
            for key, item in value.items() if isinstance(value, Mapping) else ():
                count += 1
                if count > _MOST_PLACES:
                    return
                yield (*path, key), item
                below.append(((*path, key), item))
        level = below
