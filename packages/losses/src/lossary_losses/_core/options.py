"""Declarations of constructor options: each is default, type check, bounds and schema at once.

The validators carry their bounds as ``ge``, ``gt``, ``le`` and ``lt``, so that tools can read them; one with
``declares_all`` checks nothing beyond these and the field's type, so that tools need not run it.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.checks import values_readable
from lossary_losses.errors import OptionTypeError, OptionValueError

__all__ = ["choice", "flag", "group", "integer", "is_buffer", "number", "per_class"]

_BUFFER = "lossary_losses.buffer"


@attrs.frozen
class _Number:
    """Accepts a finite number within bounds; a bool is no number."""

    declares_all: ClassVar = True
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    optional: bool = False

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise OptionTypeError(f"{attribute.name} must be {self}, got {_shown(value)}")
        if not (math.isfinite(value) and self._within(value)):
            raise OptionValueError(f"{attribute.name} must be {self}, got {value!r}")

    def _within(self, value: float) -> bool:
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )

    def __str__(self) -> str:
        signs = {">=": self.ge, ">": self.gt, "<=": self.le, "<": self.lt}
        bounds = " and ".join(f"{sign} {bound}" for sign, bound in signs.items() if bound is not None)
        return " ".join(filter(None, ["a finite number", bounds, "or None" if self.optional else ""]))


@attrs.frozen
class _Integer:
    """Accepts an integer within bounds; a bool is none."""

    declares_all: ClassVar = True
    ge: int | None = None
    optional: bool = False

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise OptionTypeError(f"{attribute.name} must be {self}, got {_shown(value)}")
        if self.ge is not None and value < self.ge:
            raise OptionValueError(f"{attribute.name} must be {self}, got {value!r}")

    def __str__(self) -> str:
        bound = "" if self.ge is None else f">= {self.ge}"
        return " ".join(filter(None, ["an integer", bound, "or None" if self.optional else ""]))


@attrs.frozen
class _Choice:
    """Accepts one of a few words."""

    declares_all: ClassVar = True
    options: tuple[str | None, ...]

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value not in self.options:
            wanted = ", ".join(repr(each) for each in self.options)
            error = OptionValueError if isinstance(value, str) else OptionTypeError
            raise error(f"{attribute.name} must be one of {wanted}, got {_shown(value)}")


@attrs.frozen
class _Flag:
    """Accepts True and False, and nothing that only behaves like them."""

    declares_all: ClassVar = True

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, bool):
            raise OptionTypeError(f"{attribute.name} must be True or False, got {_shown(value)}")


def _group(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not isinstance(value, ProcessGroup):
        raise OptionTypeError(
            f"{attribute.name} must be a torch.distributed.ProcessGroup or None, got {value!r}"
        )


def _shown(value: object) -> str:
    return f"{value!r} ({type(value).__name__})"


def number(
    *,
    default: float | None = attrs.NOTHING,  # type: ignore[assignment]
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> Any:  # noqa: ANN401 - the annotation of the field says what it is
    """Declare an option that is a finite number within bounds, or None where None is the default."""
    bounds = _Number(ge=at_least, gt=above, le=at_most, lt=below, optional=default is None)
    return attrs.field(default=default, validator=bounds)


def integer(*, default: int | None, at_least: int | None = None) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is an integer within bounds, or None where None is the default."""
    return attrs.field(default=default, validator=_Integer(ge=at_least, optional=default is None))


def choice(*options: str | None, default: str | None) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is one of a few words."""
    return attrs.field(default=default, validator=_Choice(options))


def flag(*, default: bool) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is True or False."""
    return attrs.field(default=default, validator=_Flag())


def group(*, default: None) -> Any:  # noqa: ANN401 - as above
    """Declare the option of a process group, which is no matter of configuration."""
    return attrs.field(default=default, validator=_group, repr=False)


def per_class(*, default: float | None, one_for_all: bool = False) -> Any:  # noqa: ANN401 - as above
    """Declare an option of one number per class, as a sequence or a tensor, or one number for all of them.

    It is copied, and becomes a buffer that follows the module but is not part of its ``state_dict``.
    """
    return attrs.field(
        default=default,
        converter=_to_tensor,
        validator=_PerClass(one_for_all=one_for_all, optional=default is None),
        metadata={_BUFFER: True},
    )


def is_buffer(field: "attrs.Attribute[Any]") -> bool:
    """Tell whether a field is to be held as a buffer of the module."""
    return bool(field.metadata.get(_BUFFER, False))


def _to_tensor(value: Sequence[float] | Tensor | float | None) -> object:
    if isinstance(value, Tensor):
        return value.detach().clone() if value.is_floating_point() else value.detach().float()
    if value is None or isinstance(value, (bool, str)):
        return value
    try:
        return torch.as_tensor(value, dtype=torch.get_default_dtype())
    except (TypeError, ValueError, RuntimeError):
        # The validator names the option, which a converter cannot.
        return value


@attrs.frozen
class _PerClass:
    one_for_all: bool
    optional: bool

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        wanted = f"{attribute.name} must be {self}"
        if not isinstance(value, Tensor):
            raise OptionTypeError(f"{wanted}, got {_shown(value)}")
        if value.ndim > 1 or value.numel() == 0 or (value.ndim == 0 and not self.one_for_all):
            raise OptionValueError(f"{wanted}, got a tensor of shape {tuple(value.shape)}")
        if values_readable(value) and not bool((value.isfinite() & (value >= 0)).all()):
            raise OptionValueError(f"{wanted}, got {value.tolist()}")

    def __str__(self) -> str:
        one = "a finite number >= 0 or " if self.one_for_all else ""
        none = ", or None" if self.optional else ""
        return f"{one}a sequence of finite numbers >= 0, one per class{none}"
