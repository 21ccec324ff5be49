"""Declarations of constructor options: each is default, type check, bounds and schema at once.

The validators carry their bounds as ``ge``, ``gt``, ``le`` and ``lt``, so that tools can read them; one with
``declares_all`` checks nothing beyond these and the field's type, so that tools need not run it.
"""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.checks import plain, values_readable
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses.errors import OptionTypeError, OptionValueError

__all__ = [
    "ALLOW_INFINITY",
    "choice",
    "flag",
    "group",
    "integer",
    "is_buffer",
    "number",
    "per_class",
]

_BUFFER = "lossary_losses.buffer"


@attrs.frozen
class _AllowInfinity:
    """A mark of ``Annotated``, under the name that tools look for."""

    allow_inf_nan: ClassVar = True


ALLOW_INFINITY = _AllowInfinity()
"""Marks the type of a number that may be infinite."""


@attrs.frozen
class _Number:
    """Accepts a finite number within bounds; a bool is no number."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    optional: bool = False
    or_minus_infinity: bool = False

    @property
    def declares_all(self) -> bool:
        """Whether bounds and type say all: a type that allows infinities allows the other one, and NaN."""
        return not self.or_minus_infinity

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        if not is_number(value):
            raise OptionTypeError(f"{attribute.name} must be {self}, got {_shown(value)}")
        is_limit = self.or_minus_infinity and value == -math.inf
        if not (is_limit or (is_finite(value) and self._within(value))):
            raise OptionValueError(f"{attribute.name} must be {self}, got {value!r}")

    def _within(self, value: float) -> bool:
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )

    def __str__(self) -> str:
        parts = [
            "a finite number",
            _in_words(ge=self.ge, gt=self.gt, le=self.le, lt=self.lt),
            "or minus infinity" if self.or_minus_infinity else "",
            "or None" if self.optional else "",
        ]
        return " ".join(filter(None, parts))


@attrs.frozen
class _Integer:
    """Accepts an integer within bounds; a bool is none."""

    ge: int | None = None
    optional: bool = False
    odd: bool = False

    @property
    def declares_all(self) -> bool:
        """Whether bounds and type say all: no schema knows odd numbers."""
        return not self.odd

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise OptionTypeError(f"{attribute.name} must be {self}, got {_shown(value)}")
        if (self.ge is not None and int(value) < self.ge) or (self.odd and int(value) % 2 == 0):
            raise OptionValueError(f"{attribute.name} must be {self}, got {value!r}")

    def __str__(self) -> str:
        return " ".join(
            filter(
                None,
                [
                    "an odd integer" if self.odd else "an integer",
                    _in_words(ge=self.ge),
                    "or None" if self.optional else "",
                ],
            )
        )


@attrs.frozen
class _Choice:
    """Accepts one of a few words, or numbers."""

    declares_all: ClassVar = True
    options: tuple[str | int | None, ...]
    refused: tuple[tuple[str, str], ...] = ()
    """Words that could be expected among them, each with the reason why it is none."""

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        fits = isinstance(value, tuple(map(type, self.options))) and not isinstance(value, bool)
        if not (fits and value in self.options):
            wanted = ", ".join(repr(each) for each in self.options)
            error = OptionValueError if fits else OptionTypeError
            reason = dict(self.refused).get(value, "") if isinstance(value, str) else ""
            raise error(
                f"{attribute.name} must be one of {wanted}, got {_shown(value)}"
                + (f": {reason}" if reason else "")
            )


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


def _in_words(
    *, ge: float | None = None, gt: float | None = None, le: float | None = None, lt: float | None = None
) -> str:
    """Put bounds into words, to stand behind the kind of value."""
    signs = {">=": ge, ">": gt, "<=": le, "<": lt}
    return " and ".join(f"{sign} {bound}" for sign, bound in signs.items() if bound is not None)


def _shown(value: object) -> str:
    return f"{value!r} ({type(value).__name__})"


def number(
    *,
    default: float | None = attrs.NOTHING,  # type: ignore[assignment]
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    or_minus_infinity: bool = False,
) -> Any:  # noqa: ANN401 - the annotation of the field says what it is
    """Declare an option that is a finite number within bounds, or None where None is the default.

    With ``or_minus_infinity`` the annotation is ``Annotated[float, ALLOW_INFINITY]``: a type says nothing
    of infinities, and configs refuse them otherwise.
    """
    bounds = _Number(
        ge=at_least,
        gt=above,
        le=at_most,
        lt=below,
        optional=default is None,
        or_minus_infinity=or_minus_infinity,
    )
    return attrs.field(default=default, validator=bounds)


def integer(
    *,
    default: int | None = attrs.NOTHING,  # type: ignore[assignment]
    at_least: int | None = None,
    odd: bool = False,
) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is an integer within bounds, or None where None is the default."""
    return attrs.field(default=default, validator=_Integer(ge=at_least, optional=default is None, odd=odd))


def choice(
    *options: str | int | None,
    default: str | int | None = attrs.NOTHING,  # type: ignore[assignment]
    refused: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is one of a few words or numbers; ``refused`` says why others are not."""
    return attrs.field(default=default, validator=_Choice(options, tuple((refused or {}).items())))


def flag(*, default: bool) -> Any:  # noqa: ANN401 - as above
    """Declare an option that is True or False."""
    return attrs.field(default=default, validator=_Flag())


def group(*, default: None) -> Any:  # noqa: ANN401 - as above
    """Declare the option of a process group, which is no matter of configuration."""
    return attrs.field(default=default, validator=_group, repr=False)


def per_class(
    *,
    default: float | None = attrs.NOTHING,  # type: ignore[assignment]
    one_for_all: bool = False,
    above: float | None = None,
    below: float | None = None,
) -> Any:  # noqa: ANN401 - as above
    """Declare an option of one number per class, as a sequence or a tensor, or one number for all of them.

    The numbers are >= 0 unless ``above`` says otherwise. They are copied, and become a buffer that follows
    the module but is not part of its ``state_dict``.
    """
    bounds = {"ge": 0 if above is None else None, "gt": above, "lt": below}
    return attrs.field(
        default=default,
        converter=_to_tensor,
        validator=_PerClass(one_for_all=one_for_all, optional=default is None, **bounds),
        metadata={_BUFFER: True},
    )


def is_buffer(field: "attrs.Attribute[Any]") -> bool:
    """Tell whether a field is to be held as a buffer of the module."""
    return bool(field.metadata.get(_BUFFER, False))


def _to_tensor(value: Sequence[float] | Tensor | float | None) -> object:
    """Copy numbers; what is no tensor yet keeps its digits, and moves to the default device once checked."""
    if value is None or isinstance(value, (bool, str)):
        return value
    try:
        if hasattr(value, "__array__") and not isinstance(value, Tensor):
            value = torch.as_tensor(value, device="cpu")
        if not isinstance(value, Tensor):
            exact = torch.tensor(value, dtype=torch.float64, device="cpu")
            # What float32 holds as well is spared a conversion in every call.
            return exact.float() if bool((exact.float() == exact).all()) else exact
    except (TypeError, ValueError, RuntimeError):
        # The validator names the option, which a converter cannot.
        return value
    is_exact = value.is_floating_point() or value.is_complex()
    return plain(value.detach().clone() if is_exact else value.detach().to(_widest(value.device)))


def _widest(device: torch.device) -> torch.dtype:
    """Metal has nothing wider than float32."""
    return torch.float32 if device.type == "mps" else torch.float64


@attrs.frozen
class _PerClass:
    """Accepts one finite number per class, each within bounds."""

    one_for_all: bool
    optional: bool
    ge: float | None
    gt: float | None
    lt: float | None

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        wanted = f"{attribute.name} must be {self}"
        if not isinstance(value, Tensor):
            raise OptionTypeError(f"{wanted}, got {_shown(value)}")
        if value.is_complex():
            raise OptionTypeError(f"{wanted}, got a tensor of {value.dtype}")
        if value.ndim > 1 or value.numel() == 0 or (value.ndim == 0 and not self.one_for_all):
            raise OptionValueError(f"{wanted}, got a tensor of shape {tuple(value.shape)}")
        if values_readable(value) and not bool(self._within(value).all()):
            raise OptionValueError(f"{wanted}, got {value.tolist()}")

    def _within(self, values: Tensor) -> Tensor:
        within = values.isfinite()
        for bound, holds in ((self.ge, torch.ge), (self.gt, torch.gt), (self.lt, torch.lt)):
            within = within if bound is None else within & holds(values, bound)
        return within

    def __str__(self) -> str:
        bounds = _in_words(ge=self.ge, gt=self.gt, lt=self.lt)
        one = f"a finite number {bounds} or " if self.one_for_all else ""
        none = ", or None" if self.optional else ""
        return f"{one}a sequence of finite numbers {bounds}, one per class{none}"
