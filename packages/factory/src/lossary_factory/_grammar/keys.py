"""The keys of the grammar, and what somebody meant who wrote another one."""
# ruff: noqa: ANN401  # a key may be anything

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from lossary_factory._composites import OF_PARAMETERS, OF_TERMS
from lossary_factory._parameters import Constructor
from lossary_factory._problems import (
    MOST_PROBLEMS,
    ConfigPath,
    did_you_mean,
    listing,
    nearest,
    show,
    show_key,
)

if TYPE_CHECKING:
    from lossary_factory._validation import Validation

DOCUMENT_KEYS = ("version", "defs", "loss")
NODE_KEYS = ("name", "params", *OF_TERMS, *OF_PARAMETERS, "use")

# What other tools call these keys.
_ELSEWHERE = {
    **dict.fromkeys(["type", "_target_", "class_path", "class_name", "_type_", "@losses"], "name"),
    **dict.fromkeys(["init_args", "kwargs", "dict_kwargs", "config", "args", "arguments"], "params"),
    "loss_weight": "weight",
    **dict.fromkeys(["criterion", "objective", "loss_fn", "loss_function"], "loss"),
}
LOSS_WORDS = ("loss", *(word for word, meaning in _ELSEWHERE.items() if meaning == "loss"))
"""What the key of a loss is called, here and elsewhere."""

WEIGHTS = ("weight", "loss_weight")
_PURPOSE = {
    "name": "a loss is chosen with 'name'",
    "params": "the parameters of a loss stand under 'params'",
    "loss": "the loss stands under 'loss'",
    "weight": "how much a term counts is its 'weight'",
}


@functools.cache
def named_keys(more_keys: tuple[str, ...]) -> frozenset[str]:
    """Return the keys of a node that chooses a loss by its name."""
    return frozenset({"name", "params", *more_keys})


def as_written(mapping: Mapping[Any, object], allowed: Collection[str]) -> dict[str, Any]:
    """Return the keys of the grammar with what the config has for them, misspelled ones and synonyms too.

    A wrong key is a problem all the same; but what stands under it can be checked in the same pass.
    """
    written: dict[str, Any] = {key: key for key in allowed if key in mapping}
    if len(written) < len(mapping):
        others = [key for key in itertools.islice(mapping, MOST_PROBLEMS) if key not in allowed]
        # What another tool calls a key is sure to mean it; what is spelled like one is a guess.
        for key in others:
            synonym = _ELSEWHERE.get(key, "") if isinstance(key, str) else ""
            if synonym in allowed:
                written.setdefault(synonym, key)
        for key in others:
            # The name of a loss in the place of a key misspells nothing, though it ends as a key is called.
            is_loss = isinstance(key, str) and key.endswith("_loss")
            is_plural = key == "weights" and not OF_TERMS.keys().isdisjoint(mapping)  # those of all terms
            is_known = isinstance(key, str) and _ELSEWHERE.get(key) in allowed
            meant = None if is_loss or is_plural or is_known else nearest(key, allowed)
            if meant is not None and key not in written.values():
                written.setdefault(meant, key)
    return written


_UNKNOWN = Constructor({})


class _Complaint(NamedTuple):
    code: str
    message: str
    hint: str


@attrs.frozen
class Level:
    """One mapping of the config, whose stray keys are to be explained.

    Attributes:
        mapping: What stands there.
        path: Where it stands.
        allowed: The keys that it may have.
        written: What ``as_written`` found in it.
        loss: The name of the loss that it is about; empty where that is not known.
        constructor: What the constructor of that loss takes.
        inside: The key of the loss, where that stands one level deeper.
    """

    mapping: Mapping[Any, object]
    path: ConfigPath
    allowed: Collection[str]
    written: Mapping[str, Any]
    loss: str = ""
    constructor: Constructor = _UNKNOWN
    inside: str = ""

    def complain(self, validation: Validation) -> None:
        """Note every key that is not allowed here, with what to do about it."""
        for key in self.mapping:
            if key not in self.allowed:
                code, message, hint = self._explain(key, validation)
                validation.add(code, message, (*self.path, key), hint=hint, at_key=True)

    def _explain(self, key: Any, validation: Validation) -> _Complaint:
        meant = next((name for name, written in self.written.items() if written is key), "")
        if meant and _ELSEWHERE.get(key) == meant:
            return _Complaint(
                "unexpected-key", f"{_PURPOSE[meant]}, not {key!r}", f"write '{meant}:' in its place"
            )
        parameter = "" if meant else nearest(key, self.constructor.parameters)
        if self.inside and not meant and key in NODE_KEYS:
            message = f"{key!r} stands beside {self.inside!r}, and is a key of the loss itself"
            return _Complaint("misplaced-key", message, f"write it under {self.inside!r}")
        if not meant and (key in WEIGHTS or (key == "weights" and self._composite)):
            return self._stray_weight(key, takes_weight=parameter == key)
        if parameter:
            message = f"{parameter!r} is a parameter of {self.loss} and stands outside 'params'"
            if key != parameter:
                message = f"there is no key {show(key)} here, and {self.loss} has a parameter {parameter!r}"
            return _Complaint("misplaced-key", message, self._moved(parameter, self.mapping[key]))
        if isinstance(key, str) and key in validation.registry:
            message = f"{key!r} is the name of a loss, and stands here as a key"
            return _Complaint(
                "unexpected-key", message, f"write 'name: {key}', and its parameters under 'params'"
            )
        hint = f"{did_you_mean(meant or key, self.allowed)}the keys here are: {listing(self.allowed)}"
        if "params" in self.allowed and not meant:
            hint += "\nwhat the constructor of a loss takes stands under 'params'"
        return _Complaint("unexpected-key", f"there is no key {show(key)} here", hint)

    @property
    def _composite(self) -> str:
        """The key of a composite that stands here, if one does."""
        return next((form for form in OF_TERMS if form in self.mapping), "")

    def _each_weight(self, composite: str) -> str:
        """Say how the first of several weights is written in its term."""
        weights, terms = self.mapping["weights"], self.mapping[composite]
        key = next(iter(terms), "KEY") if isinstance(terms, Mapping) else "KEY"
        values = weights.values() if isinstance(weights, Mapping) else weights
        first = next(iter(values), ...) if isinstance(values, Collection) else values
        weight = show(first) if isinstance(first, (int, float)) else "..."
        return f"write {composite}: {{{show_key(key)}: {{name: ..., weight: {weight}}}}}"

    def _stray_weight(self, key: str, *, takes_weight: bool) -> _Complaint:
        if key == "weights":
            message = f"'weights' has no meaning beside {self._composite!r}: each term has its own"
            return _Complaint("misplaced-key", message, self._each_weight(self._composite))
        hint = "only a term of a sum, or of heads, has one: {sum: {KEY: {name: ..., weight: ...}}}"
        if takes_weight:
            hint += f"\nthe parameter of {self.loss} with this name stands under 'params'"
        return _Complaint("misplaced-key", f"a {key!r} has no meaning here", hint)

    def _moved(self, parameter: str, value: object) -> str:
        brief = "..." if isinstance(value, (list, Mapping)) else show(value)
        place = f" under {self.inside!r}" if self.inside else ""
        return f"write params: {{{parameter}: {brief}}}{place}"
