"""The base class: how a loss is declared, built and shown."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import attrs
import torch
from torch import Tensor

from lossary_losses._core.options import (
    choice,
    flag,
    group,
    integer,
    is_buffer,
    number,
    per_class,
)
from lossary_losses._core.plain_numbers import plain_number
from lossary_losses._core.sequences import numbers
from lossary_losses._core.state import Stateful
from lossary_losses.errors import InputTypeError

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Any:  # noqa: ANN401 - type checkers never see it
        """Stand in for the real one, which only type checkers need."""
        return lambda decorator: decorator


__all__ = ["Loss", "define_loss", "full_precision", "require_floating_point"]

_Class = TypeVar("_Class", bound=type)


@overload
@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(attrs.field, number, integer, choice, flag, per_class, group, numbers),
)
def define_loss(cls: _Class, /) -> _Class: ...
@overload
@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(attrs.field, number, integer, choice, flag, per_class, group, numbers),
)
def define_loss(*, kw_only: bool) -> Callable[[_Class], _Class]: ...
def define_loss(cls: Any = None, /, *, kw_only: bool = True) -> Any:
    """Turn the annotated options of a loss class into its constructor, with attrs.

    The options are keyword-only, unless ``kw_only`` is off, and validated when a loss is built.
    """
    if cls is None:
        return partial(define_loss, kw_only=kw_only)
    return attrs.define(
        cls,
        eq=False,
        slots=False,
        repr=False,
        kw_only=kw_only,
        # nn.Module's own __setattr__ stays: attrs would write one that does not register submodules.
        on_setattr=attrs.setters.NO_OP,
        # A loss's own options come before those that all losses have.
        field_transformer=lambda _, fields: sorted(
            fields, key=lambda field: getattr(field, "inherited", False)
        ),
    )


class Loss(Stateful):
    """A loss whose options are declared with attrs; smaller is better.

    Subclasses are decorated with :func:`define_loss`. Nothing in the registry or the factory asks for this
    base: any ``nn.Module`` can be a loss.
    """

    def __attrs_pre_init__(self) -> None:
        """Make the module ready to hold buffers and submodules before attrs sets the options."""
        super().__init__()

    def __attrs_post_init__(self) -> None:
        """Turn tensor options into buffers that move with the module and stay out of its state."""
        for field in _options(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor) and is_buffer(field):
                del self.__dict__[field.name]
                self.hold(field.name, value)
            elif is_buffer(field):
                self.register_buffer(field.name, self.__dict__.pop(field.name), persistent=False)
            else:
                setattr(self, field.name, plain_number(value))

    def extra_repr(self) -> str:
        """Show the options that differ from their defaults."""
        return ", ".join(
            f"{field.name}={_plain(getattr(self, field.name))!r}"
            for field in _options(self)
            if field.repr and not _is_default(getattr(self, field.name), field.default)
        )


def full_precision(input: Tensor) -> AbstractContextManager[object]:
    """Keep autocast from taking precision away, for as long as a loss computes with this input."""
    require_floating_point(input, "input")
    # The meta device knows no autocast; asking torch whether a device does breaks the graph up to torch 2.11.
    return nullcontext() if input.is_meta else torch.autocast(input.device.type, enabled=False)


def _options(loss: Loss) -> "tuple[attrs.Attribute[Any], ...]":
    options: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast("type[attrs.AttrsInstance]", type(loss)))
    return options


def require_floating_point(value: object, name: str) -> None:
    """Refuse what is no tensor of floats, such as predicted labels where logits are meant."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        shown = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise InputTypeError(f"{name} must be a floating-point tensor, got {shown}")


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, Tensor) and not value.is_meta else value


def _is_default(value: object, default: object) -> bool:
    return bool(_plain(value) == default)
