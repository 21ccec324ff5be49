"""Selectors: where in a model's output, a target or a batch an argument of a loss is found."""

import re
from collections.abc import Mapping, Sequence

import attrs

from lossary_losses.errors import InputValueError, OptionTypeError, OptionValueError
from lossary_registry import nearest_names

__all__ = ["Selector", "check_selector", "entry", "select", "selector_of"]

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


@attrs.frozen(slots=False)  # no named tuple, which torch 2.6 cannot trace a call of
class Selector:
    """A selector that was read; found out once, since a graph that is compiled could not."""

    text: str
    root: str
    steps: tuple[str | int, ...]
    """A name for each step by name, a number for each by index."""


def selector_of(text: str) -> Selector:
    """Read a selector that was checked."""
    root = re.split(r"[.\[]", text, maxsplit=1)[0]
    found = _STEP.findall(text[len(root) :])
    return Selector(text, root, tuple(name or int(index) for name, index in found))


def select(selector: Selector, roots: Mapping[str, object], where: str) -> object:
    """Follow a selector; say what was there where a step leads nowhere."""
    value, path = roots[selector.root], selector.root
    for step in selector.steps:
        place = f"{where} wants {selector.text}, and {path}"
        if isinstance(step, str):
            value, path = entry(value, step, place), f"{path}.{step}"
        else:
            value, path = _item(value, step, place), f"{path}[{step}]"
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
