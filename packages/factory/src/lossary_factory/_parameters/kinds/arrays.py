"""Arrays, which a config writes as the numbers that are in them."""
# ruff: noqa: ANN401, ARG002  # values are of any type until they are checked, in one signature for all

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import ConfigPath, counted, label, show
from lossary_factory._values import FrozenList, Numbers

from .base import Kind
from .nested import is_instance
from .scalars import Number

if TYPE_CHECKING:
    from lossary_factory._validation import Validation

_LARGEST = 1 << 63


@attrs.frozen
class Array(Kind):
    """A tensor: a number, or lists of numbers that are equally long; truth values make a mask.

    Attributes:
        kind: The class, which has to be ``torch.Tensor``: a config in Python may hold one.
        finite: Whether the numbers must be finite.
    """

    kind: type
    finite: bool = True

    @property
    def text(self) -> str:
        return "a tensor (a number, or lists of numbers)"

    def fits(self, value: object) -> bool:
        return isinstance(value, (bool, int, float)) or _is_list(value) or is_instance(value, self.kind)

    def read(self, value: Any, path: ConfigPath, validation: Validation) -> object:
        if is_instance(value, self.kind):
            return value
        before = len(validation.problems)
        types: set[type] = set()
        self._look(value, path, types, validation)
        if len(validation.problems) > before:
            return value
        if bool in types and len(types) > 1:
            message = f"{label(path)} holds numbers beside true or false, and a tensor has one of them"
            validation.add("wrong-type", message, path)
        return Numbers(_converted(value, float if float in types else None))

    def _look(
        self, value: Any, path: ConfigPath, types: set[type], validation: Validation
    ) -> tuple[int, ...]:
        """Return the shape of a value; note what is no number, and lists that differ in length."""
        if not _is_list(value):
            self._look_at_number(value, path, types, validation)
            return ()
        if validation.is_too_deep(path):
            return ()
        validation.count(len(value), path)
        before = len(validation.problems)
        shapes = [self._look(item, (*path, index), types, validation) for index, item in enumerate(value)]
        if len(validation.problems) == before:
            for index, shape in enumerate(shapes):
                if shape != shapes[0]:
                    message = (
                        f"the lists of {label(path)} must be equally long: "
                        f"[0] is {_in_words(shapes[0])}, and [{index}] is {_in_words(shape)}"
                    )
                    validation.add("invalid-value", message, (*path, index))
                    break
        return (len(value), *(shapes[0] if shapes else ()))

    def _look_at_number(
        self, value: object, path: ConfigPath, types: set[type], validation: Validation
    ) -> None:
        if not isinstance(value, bool):
            Number(self.finite)(value, path, validation)
            if isinstance(value, int) and abs(value) >= _LARGEST:
                message = f"{label(path)} is too large for a whole number in a tensor, not {show(value)}"
                validation.add("out-of-range", message, path, hint=f"write {show(value)}.0")
        types.add(bool if isinstance(value, bool) else float if isinstance(value, float) else int)

    def hint(self, value: object) -> str:
        return Number().hint(value) or "write numbers in brackets: [0.2, 0.8]"

    def example(self, loss: str) -> object:
        return [1.0]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _in_words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return f"a list of {counted(shape[0], 'value')}"


def _converted(value: Any, make: Any) -> Any:
    """Copy numbers; where one has a fraction, all become floats."""
    if _is_list(value):
        return FrozenList(_converted(item, make) for item in value)
    return value if make is None else make(value)
