"""What ``stft_loss`` compares, and how finely: options that are lists of lists, or go by names."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from lossary_losses._core.plain_numbers import is_finite, is_number, plain_number
from lossary_losses.errors import OptionTypeError, OptionValueError

__all__ = ["TERMS", "resolutions", "terms"]

TERMS = ("convergence", "log", "linear")
"""What can be compared."""


def resolutions(*, default: tuple[tuple[int, int, int], ...]) -> Any:  # noqa: ANN401 - the annotation of the field says what it is
    """Declare an option of one resolution or more, each of three whole numbers."""
    return attrs.field(default=default, converter=_to_tuples, validator=_check_resolutions)


def terms(*, default: Mapping[str, float]) -> Any:  # noqa: ANN401 - as above
    """Declare an option of what to compare, by name, with the weight of each."""
    return attrs.field(default=default, converter=_copied, validator=_check_terms)


def _to_tuples(value: object) -> object:
    """Copy a list of lists; the validator says what is wrong with anything else."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return tuple(_to_tuples(each) for each in value)
    return plain_number(value)


def _copied(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: plain_number(weight) for name, weight in value.items()}
    return value


def _check_resolutions(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    wanted = (
        f"{attribute.name} must be a sequence of (transform, hop, window) in whole steps, all above zero and "
        f"no window longer than its transform, got {value!r}"
    )
    if not isinstance(value, tuple) or not all(map(_is_three_integers, value)):
        raise OptionTypeError(wanted)
    if not value or not all(min(each) > 0 and each[2] <= each[0] for each in value):
        raise OptionValueError(wanted)


def _is_three_integers(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == len(("transform", "hop", "window"))
        and all(type(each) is int for each in value)
    )


def _check_terms(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    wanted = (
        f"{attribute.name} must be a mapping of {', '.join(map(repr, TERMS))} to finite numbers > 0, "
        f"got {value!r}"
    )
    if not isinstance(value, Mapping) or not all(map(is_number, value.values())):
        raise OptionTypeError(wanted)
    if not value or not all(
        name in TERMS and is_finite(weight) and weight > 0 for name, weight in value.items()
    ):
        raise OptionValueError(wanted)
