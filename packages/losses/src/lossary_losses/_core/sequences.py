"""Declarations of options that hold several numbers, of which there is one for each dimension or scale."""

from collections.abc import Iterable
from typing import Any

import attrs
from torch import Tensor

from lossary_losses._core.plain_numbers import is_finite, is_number, plain_number
from lossary_losses.errors import OptionTypeError, OptionValueError

__all__ = ["numbers"]


def numbers(*, default: float | tuple[float, ...], above: float) -> Any:  # noqa: ANN401 - attrs' own
    """Declare an option of one finite number or more, above a bound; alone where the default is."""
    return attrs.field(
        default=default,
        converter=_to_tuple,
        validator=_Numbers(gt=above, one_for_all=not isinstance(default, tuple)),
    )


def _to_tuple(value: object) -> object:
    """Copy what holds several; the validator says what is wrong with anything else."""
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return tuple(plain_number(each) for each in value)
    return value


@attrs.frozen
class _Numbers:
    """Accepts several finite numbers above a bound."""

    gt: float
    one_for_all: bool

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        wanted = f"{attribute.name} must be {self}, got {value!r}"
        each: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)
        if not (isinstance(value, tuple) or self.one_for_all) or not all(map(is_number, each)):
            raise OptionTypeError(wanted)
        if not (each and all(is_finite(number) and number > self.gt for number in each)):
            raise OptionValueError(wanted)

    def __str__(self) -> str:
        one = "a finite number or " if self.one_for_all else ""
        return f"{one}a sequence of finite numbers > {self.gt:g}"
