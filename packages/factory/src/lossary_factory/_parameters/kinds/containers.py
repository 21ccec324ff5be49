"""Values that hold other values."""
# ruff: noqa: ANN401  # values are of any type until they are checked

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, cast

import attrs

from lossary_factory._problems import ConfigPath, counted, did_you_mean, label, listing, plural, show
from lossary_factory._values import FrozenDict, FrozenList

from .base import Anything, Kind

if TYPE_CHECKING:
    from lossary_factory._validation import Validation


@attrs.frozen
class Items(Kind):
    """A list of values of one kind; ``make`` builds what the annotation asks for."""

    item: Kind
    make: Callable[[list[object]], object] = FrozenList

    @property
    def text(self) -> str:
        return "a list" if type(self.item) is Anything else f"a list of {plural(self.item.text)}"

    def fits(self, value: object) -> bool:
        kinds = (Sequence, AbstractSet) if issubclass(cast("type", self.make), frozenset) else Sequence
        return isinstance(value, kinds) and not isinstance(value, (str, bytes))

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if validation.is_too_deep(path):
            return value
        validation.count(len(value), path)
        before = len(validation.problems)
        items = [self.item(item, (*path, index), validation) for index, item in enumerate(value)]
        if len(validation.problems) > before:
            return FrozenList(items)  # what is wrong may have no place in what is made
        try:
            return self.make(items)
        except TypeError as error:  # what an object in Python has no hash for
            validation.add(
                "invalid-value", f"{label(path)} becomes a set, and holds what no set can: {error}", path
            )
            return FrozenList(items)

    def hint(self, value: object) -> str:
        return f"a list has brackets: [{show(value)}]" if self.item.fits(value) else ""

    def example(self, loss: str) -> object:
        return [self.item.example(loss)]


@attrs.frozen
class FixedItems(Kind):
    """A tuple whose places each have a kind of their own.

    Attributes:
        items: What stands in the first places.
        rest: What may follow, any number of times; nothing where it is None.
        last: What stands in the last places.
    """

    items: tuple[Kind, ...]
    rest: Kind | None = None
    last: tuple[Kind, ...] = ()

    @property
    def text(self) -> str:
        texts = [item.text for item in self.items]
        if self.rest is not None:
            texts.append(f"any number of {plural(self.rest.text)}")
        texts += [item.text for item in self.last]
        least = len(self.items) + len(self.last)
        number = counted(least, "value") if self.rest is None else f"at least {counted(least, 'value')}"
        return f"a list of {number} ({', '.join(texts)})"

    def fits(self, value: object) -> bool:
        is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        if not is_list:
            return False
        more = len(value) - len(self.items) - len(self.last)  # type: ignore[arg-type]
        return more == 0 or (more > 0 and self.rest is not None)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        validation.count(len(value), path)
        more = len(value) - len(self.items) - len(self.last)
        rest = () if self.rest is None else (self.rest,) * more
        pairs = enumerate(zip((*self.items, *rest, *self.last), value, strict=True))
        return tuple(kind(item, (*path, index), validation) for index, (kind, item) in pairs)

    def example(self, loss: str) -> object:
        return [item.example(loss) for item in (*self.items, *self.last)]


@attrs.frozen
class Entries(Kind):
    """A mapping whose keys are of one kind, and its values of another."""

    key: Kind
    value: Kind

    @property
    def text(self) -> str:
        return "a mapping" if type(self.value) is Anything else f"a mapping to {plural(self.value.text)}"

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if validation.is_too_deep(path):
            return value
        validation.count(len(value), path)
        entries = {}
        for written, item in value.items():
            key = written if self.key.fits(written) else _number_of(written)
            if self.key.fits(key):
                read_key = self.key.read(key, (*path, written), validation)
                entries[read_key] = self.value(item, (*path, written), validation)
            else:
                message = f"a key of {label(path)} must be {self.key.text}, not {show(written)}"
                validation.add("bad-key", message, (*path, written), at_key=True)
        return FrozenDict(entries)

    def example(self, loss: str) -> object:
        return {"key": self.value.example(loss)}


@attrs.frozen
class Fields(Kind):
    """A mapping with certain keys, each with a kind of its own, as a ``TypedDict`` has them."""

    names: tuple[str, ...]
    values: tuple[Kind, ...]
    required: tuple[bool, ...]

    @property
    def text(self) -> str:
        return f"a mapping with the keys {listing(self.names)}" if self.names else "an empty mapping"

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if validation.is_too_deep(path):
            return value
        validation.count(len(value), path)
        kinds = dict(zip(self.names, self.values, strict=True))
        entries = {}
        for key, item in value.items():
            if key in kinds:
                entries[key] = kinds[key](item, (*path, key), validation)
            else:
                hint = f"{did_you_mean(key, self.names)}its keys are: {listing(self.names)}"
                message = f"{label(path)} has no key {show(key)}"
                validation.add("bad-key", message, (*path, key), hint=hint, at_key=True)
        for name, is_required in zip(self.names, self.required, strict=True):
            if is_required and name not in value:
                message = f"{label(path)} needs the key {name!r}, which must be {kinds[name].text}"
                validation.add("missing-key", message, path, at_key=True)
        return FrozenDict(entries)

    def example(self, loss: str) -> object:
        parts = zip(self.names, self.values, self.required, strict=True)
        return {name: kind.example(loss) for name, kind, is_required in parts if is_required}


def _number_of(key: object) -> object:
    """Return the number that a key spells: keys of TOML and JSON are always text."""
    if isinstance(key, str):
        with contextlib.suppress(ValueError):
            return int(key)
        with contextlib.suppress(ValueError):
            return float(key)
    return key
