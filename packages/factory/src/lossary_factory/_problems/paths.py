"""Paths in a config: read as people write them, shown, and followed to another value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .suggest import did_you_mean
from .words import counted, listing, show, show_key

ConfigPath = tuple[object, ...]
"""The keys and indexes that lead from the top of a config to a value in it."""


_FIRST = re.compile(r"""([^.\[\]'"\s=]+)|'([^']*)'|"([^"]*)"|\[(-?\d{1,9})\]""")
_NEXT = re.compile(r"""\.([^.\[\]'"\s=]+)|\.'([^']*)'|\."([^"]*)"|\[(-?\d{1,9})\]""")


def parse_path(text: str) -> ConfigPath:
    """Return the keys and indexes of a path; ``show_path`` writes them back.

    Raises:
        ValueError: This is no path; the message says from where on.
    """
    path: list[object] = []
    position = 0
    while position < len(text) or not path:
        found = (_NEXT if path else _FIRST).match(text, position)
        if found is None:
            rest = text[position : position + 20]
            raise ValueError(
                f"a path reads like loss.sum.region.weight or params.weight[0], and not {rest!r}"
            )
        path.append(int(found[4]) if found[4] else next(word for word in found.groups() if word is not None))
        position = found.end()
    return tuple(path)


def show_path(path: ConfigPath) -> str:
    """Write a path with dots and indexes, such as ``loss.sum.pixel.params.weight[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int) and not isinstance(part, bool):
            text += f"[{show(part)}]"
        else:
            text += ("." if text else "") + show_key(part)
    return text


def label(path: ConfigPath) -> str:
    """Name the end of a path: the last key, with the indexes that follow it."""
    start = len(path)
    while start:
        start -= 1
        if not isinstance(path[start], int):
            break
    return show_path(path[start:]) or "the config"


_LOSS_KEYS = ("inputs", "name", "params", "weight")
_NEW_KEYS = ("inputs", "params")


class LostPathError(LookupError):
    """A path leads nowhere: the message says where it ends, the hint what is there."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def with_value(data: object, path: ConfigPath, value: object, *, done: ConfigPath = ()) -> object:
    """Return a copy of the data along the path, with the value at its end.

    The last key of a path may be new, and so may ``params`` and ``inputs``; a loss that is written as a mere
    name becomes ``{name: NAME}`` where the path goes on with a key of a loss.

    Raises:
        LostPathError: The path goes through what is not there.
    """
    if not path:
        return value
    key, rest = path[0], path[1:]
    deeper = (*done, key)
    if isinstance(data, str) and key in _LOSS_KEYS:
        return with_value({"name": data}, path, value, done=done)
    if isinstance(data, Mapping):
        if key not in data and rest and key not in _NEW_KEYS:
            loss = data.get("loss")
            is_inside = not done and isinstance(loss, Mapping) and key in loss
            guess = f"did you mean {show_path(('loss', *path))!r}? " if is_inside else did_you_mean(key, data)
            hint = f"{guess}it has: {listing(map(show_key, data)) or 'nothing'}"
            raise LostPathError(f"{_place(done)} has no {show(key)}", hint)
        inside = data.get(key, {}) if rest else None
        return {**data, key: with_value(inside, rest, value, done=deeper)}
    if isinstance(data, (list, tuple)) and isinstance(key, int):
        if not -len(data) <= key < len(data):
            raise LostPathError(f"{_place(done)} has no [{key}]", f"it has {counted(len(data), 'value')}")
        items = list(data)
        items[key] = with_value(items[key], rest, value, done=deeper)
        return items
    kind = "a list, whose values are chosen by [index]" if isinstance(data, (list, tuple)) else "no mapping"
    raise LostPathError(f"{_place(done)} is {kind}, and so has no {show(key)}", "")


def _place(path: ConfigPath) -> str:
    return show_path(path) or "the config"
