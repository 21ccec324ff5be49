"""Selectors: where in a model's output, a target or a batch an argument of a loss is found."""

import re
from collections.abc import Mapping, Sequence

from lossary_losses.errors import InputValueError, OptionTypeError, OptionValueError
from lossary_registry import nearest_names

__all__ = ["check_selector", "entry", "select"]

_SELECTOR = re.compile(r"(input|target|batch)((?:\.[A-Za-z_]\w*|\[-?\d+\])*)")
_STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]")


def check_selector(selector: object, where: str) -> None:
    """Refuse what is not ``input``, ``target`` or ``batch``, followed by ``.name`` or ``[index]`` steps."""
    if not isinstance(selector, str):
        raise OptionTypeError(f"{where} must be a selector such as 'input.depth', got {selector!r}")
    if not _SELECTOR.fullmatch(selector):
        raise OptionValueError(
            f"{where} must begin with input, target or batch and go on with .name or [index], "
            f"got {selector!r}"
        )


def select(selector: str, roots: Mapping[str, object], where: str) -> object:
    """Follow a selector that was checked; say what was there where a step leads nowhere."""
    path = re.split(r"[.\[]", selector, maxsplit=1)[0]
    value = roots[path]
    for step in _STEP.finditer(selector[len(path) :]):
        name, index = step.groups()
        place = f"{where} wants {selector}, and {path}"
        value = entry(value, name, place) if name is not None else _item(value, int(index), place)
        path += step.group()
    return value


def entry(value: object, name: str, place: str) -> object:
    """Give what a mapping has under a name; ``place`` begins the message where it has nothing."""
    if not isinstance(value, Mapping):
        raise InputValueError(f"{place} is no mapping, but {type(value).__name__}")
    if name not in value:
        near = nearest_names(name, value)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputValueError(f"{place} has no {name!r}, but {', '.join(map(str, value)) or 'nothing'}{hint}")
    return value[name]


def _item(value: object, index: int, place: str) -> object:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise InputValueError(f"{place} is no sequence, but {type(value).__name__}")
    if not -len(value) <= index < len(value):
        raise InputValueError(f"{place} has {len(value)} entries, and no [{index}]")
    return value[index]
