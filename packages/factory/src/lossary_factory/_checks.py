"""What a parameter accepts: one small class per kind of value.

A check tells whether a value is of its kind (``fits``), turns it into what the constructor gets (``read``),
describes itself (``text``) and knows a value that it accepts (``example``).
"""
# ruff: noqa: ANN401, ARG002  # values are of any type until they are checked, in one signature for all

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ._annotations import Unknown
from ._suggest import nearest
from ._wording import ConfigPath, counted, either, label, plural, show

if TYPE_CHECKING:
    import enum

    from ._validation import Validation

_LONGEST_NUMBER = 40


class Check:
    """What all checks share."""

    @property
    def text(self) -> str:
        """What a value has to be, as a sentence says it."""
        raise NotImplementedError

    def __call__(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Return what the constructor gets for ``value``; note what is wrong with it."""
        if self.fits(value):
            return self.read(value, path, validation)
        validation.wrong_type(path, value, self.text, hint=self.hint(value))
        return value

    def fits(self, value: object) -> bool:
        """Tell whether a value is of this kind, without looking inside."""
        raise NotImplementedError

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Check the inside of a value that fits."""
        return value

    def hint(self, value: object) -> str:
        """Say how to mend a value that does not fit."""
        return ""

    def example(self, loss: str) -> object:
        """Return a value that this check accepts; ``loss`` is a name to use where one is needed."""
        raise NotImplementedError


@attrs.frozen
class Anything(Check):
    """A parameter without an annotation, or with one that says nothing about plain data."""

    @property
    def text(self) -> str:
        return "anything"

    def fits(self, value: object) -> bool:
        return True

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        return validation.copied(value, path)

    def example(self, loss: str) -> object:
        return 1.0


@attrs.frozen
class Null(Check):
    """Nothing: ``null`` in YAML and JSON; TOML leaves the key out."""

    @property
    def text(self) -> str:
        return "null"

    def fits(self, value: object) -> bool:
        return value is None

    def example(self, loss: str) -> object:
        return None


@attrs.frozen
class Boolean(Check):
    """True or false, and no number."""

    @property
    def text(self) -> str:
        return "true or false"

    def fits(self, value: object) -> bool:
        return isinstance(value, bool)

    def hint(self, value: object) -> str:
        words = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}
        word = words.get(value.lower()) if isinstance(value, str) else None
        return f"write {word}, without quotes" if word else ""

    def example(self, loss: str) -> object:
        return True


@attrs.frozen
class Integer(Check):
    """A whole number, and neither a truth value nor a text."""

    @property
    def text(self) -> str:
        return "a whole number"

    def fits(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def hint(self, value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return f"write {value:.0f}"
        return _unquoted_number(value)

    def example(self, loss: str) -> object:
        return 1


@attrs.frozen
class Number(Check):
    """A number, whole or not; finite unless the class says that it means infinities."""

    finite: bool = True

    @property
    def text(self) -> str:
        return "a number"

    def fits(self, value: object) -> bool:
        return isinstance(value, (float, int)) and not isinstance(value, bool)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        try:
            number = float(value)
        except OverflowError:
            validation.add("out-of-range", f"{label(path)} is too large for a number", path)
            return value
        if self.finite and not math.isfinite(number):
            validation.add("not-finite", f"{label(path)} must be finite, not {show(number)}", path)
        return number

    def hint(self, value: object) -> str:
        return _unquoted_number(value)

    def example(self, loss: str) -> object:
        return 1.0


@attrs.frozen
class Text(Check):
    """A text."""

    @property
    def text(self) -> str:
        return "text"

    def fits(self, value: object) -> bool:
        return isinstance(value, str)

    def hint(self, value: object) -> str:
        return "put it in quotes" if isinstance(value, (bool, int, float)) else ""

    def example(self, loss: str) -> object:
        return "text"


@attrs.frozen
class Choice(Check):
    """One of a few values, as ``Literal`` lists them."""

    options: tuple[object, ...]

    @property
    def text(self) -> str:
        return either(map(show, self.options))

    def fits(self, value: object) -> bool:
        # Equality alone would take true for 1.
        return any(type(value) is type(option) and value == option for option in self.options)

    def hint(self, value: object) -> str:
        guess = nearest(value, self.options)
        return f"did you mean {guess!r}?" if guess else ""

    def example(self, loss: str) -> object:
        return self.options[0]


@attrs.frozen
class Member(Check):
    """A member of an enum, by its value or by its name."""

    kind: type[enum.Enum]

    @property
    def text(self) -> str:
        return either(map(show, self.spellings()))

    def spellings(self) -> list[object]:
        """List how the members are written: by value where the value is text, by name otherwise."""
        return [member.value if isinstance(member.value, str) else member.name for member in self.kind]

    def fits(self, value: object) -> bool:
        return self.find(value) is not None

    def find(self, value: object) -> enum.Enum | None:
        if isinstance(value, self.kind):
            return value
        for member in self.kind:
            if type(value) is type(member.value) and value == member.value:
                return member
        return self.kind.__members__.get(value) if isinstance(value, str) else None

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        return self.find(value)

    def hint(self, value: object) -> str:
        guess = nearest(value, self.spellings())
        return f"did you mean {guess!r}?" if guess else ""

    def example(self, loss: str) -> object:
        return self.spellings()[0]


@attrs.frozen
class Instance(Check):
    """An object that plain data cannot spell; a config in Python may hold it."""

    kind: type

    @property
    def text(self) -> str:
        return f"a {self.kind.__name__}"

    def fits(self, value: object) -> bool:
        if issubclass(self.kind, Unknown):  # only its name is known
            return any(base.__name__ == self.kind.__name__ for base in type(value).__mro__)
        try:
            return isinstance(value, self.kind)
        except TypeError:  # a protocol that is for type checkers only
            return False

    def example(self, loss: str) -> object:
        return None


@attrs.frozen
class Items(Check):
    """A list of values of one kind; ``make`` builds what the annotation asks for."""

    item: Check
    make: Callable[[list[object]], object] = list

    @property
    def text(self) -> str:
        return "a list" if type(self.item) is Anything else f"a list of {plural(self.item.text)}"

    def fits(self, value: object) -> bool:
        return isinstance(value, Sequence) and not isinstance(value, (str, bytes))

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if validation.is_too_deep(path):
            return value
        return self.make([self.item(item, (*path, index), validation) for index, item in enumerate(value)])

    def hint(self, value: object) -> str:
        return f"a list has brackets: [{show(value)}]" if self.item.fits(value) else ""

    def example(self, loss: str) -> object:
        return [self.item.example(loss)]


@attrs.frozen
class FixedItems(Check):
    """A tuple whose places each have a kind of their own."""

    items: tuple[Check, ...]

    @property
    def text(self) -> str:
        return (
            f"a list of {counted(len(self.items), 'value')} ({', '.join(item.text for item in self.items)})"
        )

    def fits(self, value: object) -> bool:
        is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        return is_list and len(value) == len(self.items)  # type: ignore[arg-type]

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        pairs = enumerate(zip(self.items, value, strict=True))
        return tuple(check(item, (*path, index), validation) for index, (check, item) in pairs)

    def example(self, loss: str) -> object:
        return [item.example(loss) for item in self.items]


@attrs.frozen
class Entries(Check):
    """A mapping whose keys are of one kind, and its values of another."""

    key: Check
    value: Check

    @property
    def text(self) -> str:
        return "a mapping" if type(self.value) is Anything else f"a mapping to {plural(self.value.text)}"

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if validation.is_too_deep(path):
            return value
        entries = {}
        for key, item in value.items():
            if self.key.fits(key):
                entries[key] = self.value(item, (*path, key), validation)
            else:
                message = f"a key of {label(path)} must be {self.key.text}, not {show(key)}"
                validation.add("bad-key", message, (*path, key), at_key=True)
        return entries

    def example(self, loss: str) -> object:
        return {"key": self.value.example(loss)}


@attrs.frozen
class Nested(Check):
    """Another loss."""

    kind: type
    is_base: bool = True
    """Whether every loss of the registry is of this kind."""

    @property
    def text(self) -> str:
        return "a loss"

    def fits(self, value: object) -> bool:
        return isinstance(value, (str, Mapping))

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        spec = validation.read_node(value, path, validation)
        if spec is not None and not self.is_base and self.kind not in spec.loss_class.__mro__:
            message = f"{label(path)} must be a {self.kind.__name__}, and {spec.name} is none"
            validation.add("wrong-kind", message, path)
        return spec

    def example(self, loss: str) -> object:
        return loss


@attrs.frozen
class AnyOf(Check):
    """A value that one of several checks accepts."""

    options: tuple[Check, ...]

    @property
    def text(self) -> str:
        return either(option.text for option in self.options)

    def fits(self, value: object) -> bool:
        return any(option.fits(value) for option in self.options)

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        candidates = [option for option in self.options if option.fits(value)]
        for option in candidates[:-1]:
            trial = validation.trial()
            result = option.read(value, path, trial)
            if not trial.problems:
                return result
        return candidates[-1].read(value, path, validation)

    def hint(self, value: object) -> str:
        return next(filter(None, (option.hint(value) for option in self.options)), "")

    def example(self, loss: str) -> object:
        return self.options[0].example(loss)


def any_of(options: Sequence[Check]) -> Check:
    """Join checks; what accepts plain data of any kind accepts it in company too."""
    flat: dict[Check, None] = {}
    for option in options:
        flat.update(dict.fromkeys(option.options if isinstance(option, AnyOf) else [option]))
    if len(flat) == 1:
        return next(iter(flat))
    return AnyOf(tuple(flat))


def _unquoted_number(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return f"write {value.strip()}, without quotes"
