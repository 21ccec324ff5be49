"""Checks that have to read values: when they can run, and the one switch that turns them off.

On a GPU each such check waits for the device. They never run while a graph is compiled, exported or traced,
nor on tensors without values (meta, fake, or inside ``torch.func`` transforms).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor, is_legacy_batchedtensor

from lossary_losses.errors import InputValueError

__all__ = [
    "check_between",
    "check_binary",
    "check_counts",
    "check_known",
    "check_labels",
    "check_nonnegative",
    "check_positive",
    "check_unit_interval",
    "plain",
    "value_checks",
    "values_readable",
]

_ROUNDING = 1e-6
"""How far outside of 0 to 1 a probability may be, at least: a few digits that float32 does not have."""

_OWN_CLASSES = (Tensor, torch.nn.Parameter)
_DISPATCH = Tensor.__torch_dispatch__  # pyright: ignore[reportAttributeAccessIssue]

_own: ContextVar[bool | None] = ContextVar("value_checks", default=None)
"""What the innermost block of this thread or task says."""
_blocks: list["_Block"] = []
"""What all blocks say, the latest last: for threads that are in none, such as those of DataParallel."""


def _enabled() -> bool:
    own = _own.get()
    if own is not None:
        return own
    # A copy, since another thread may leave its block at any time.
    return next((block.enabled for block in reversed(_blocks.copy())), True)


class _Block:
    """One of several, which may say the same."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled


@contextmanager
def value_checks(*, enabled: bool) -> Iterator[None]:
    """Turn the checks that read values on or off, for every loss called within a block, in any thread.

    They are on by default: a label outside the classes, or a probability outside 0 to 1, raises
    :class:`InputValueError`. On a GPU each check waits for the device; once the data are known to be right,
    ``with value_checks(enabled=False):`` around the training loop saves that.
    Shapes and dtypes are checked in any case. A thread or task with a block of its own goes by that.

    Example:
        >>> with value_checks(enabled=False):
        ...     pass
    """
    token, block = _own.set(enabled), _Block(enabled=enabled)
    _blocks.append(block)
    try:
        yield
    finally:
        _own.reset(token)
        _blocks.remove(block)  # wherever it is: those of other threads may have begun since


def values_readable(tensor: Tensor) -> bool:
    """Tell whether the values of a tensor can be looked at here and now."""
    return not (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        or tensor.is_meta
        or _stands_for_others(tensor)
        or is_functorch_wrapped_tensor(tensor)
        # The vmap of before torch.func, which is_grads_batched still goes through.
        or is_legacy_batchedtensor(tensor)
    )


def plain(tensor: Tensor) -> Tensor:
    """Give a tensor without the class that a library derived from Tensor to carry metadata along.

    What is computed with it is the same, and does not pass through that class at every step.
    """
    if torch.compiler.is_compiling() or type(tensor) in _OWN_CLASSES or _stands_for_others(tensor):
        return tensor
    return tensor.as_subclass(Tensor)


def _stands_for_others(tensor: Tensor) -> bool:
    """Tell whether a tensor has no memory of its own, but says what becomes of operations on it.

    Fake tensors are such, and those that are spread over devices.
    """
    return type(tensor).__torch_dispatch__ is not _DISPATCH  # pyright: ignore[reportAttributeAccessIssue]


def check_labels(target: Tensor, classes: int, ignore_index: float | None) -> None:
    """Raise for labels outside ``[0, classes)``; excluded positions hold a label inside by now."""
    if not (values_readable(target) and target.numel() and _enabled()):
        return
    lowest, highest = (int(each) for each in target.aminmax())
    for label in (lowest, highest):
        if not 0 <= label < classes:
            raise InputValueError(
                f"target holds the label {label}, outside the classes 0 to {classes - 1} of the input; "
                + (
                    "if it marks positions to leave out, pass it as ignore_index"
                    if ignore_index is None
                    else f"only ignore_index ({ignore_index}) may lie outside"
                )
            )


def check_unit_interval(values: Tensor, name: str, given: torch.dtype = torch.float32) -> bool:
    """Raise for values outside 0 to 1, NaN included, where probabilities are meant.

    What rounding adds to one is let through: mixed labels and resized masks may be 1.0000001, and 1.001 where
    they were given in half precision.

    Tells whether all are 0 or 1, as far as that is known: which makes formulas shorter.
    """
    if not (values_readable(values) and values.numel() and _enabled()):
        return False
    values = values.detach()
    # v - v * v is below zero outside, zero at both ends, and above zero between them.
    lowest, highest = torch.addcmul(values, values, values, value=-1).aminmax()
    rounding = max(_ROUNDING, 2 * torch.finfo(given).eps) if given.is_floating_point else _ROUNDING
    if not lowest >= -rounding:
        lowest, highest = values.aminmax()
        raise InputValueError(
            f"{name} must hold probabilities, 0 to 1; it holds {lowest.item():.7g} to {highest.item():.7g}"
            + ("; divide a mask of 0 and 255 by 255" if highest.item() == 255 else "")  # noqa: PLR2004
        )
    return bool(lowest == highest == 0)


def check_binary(values: Tensor, name: str) -> None:
    """Raise for values other than 0 and 1, where a loss has no meaning for anything between."""
    if not (values_readable(values) and values.numel() and _enabled()):
        return
    if not ((values == 0) | (values == 1)).all():
        raise InputValueError(f"{name} must hold 0 and 1 and nothing between: this loss has no soft form")


def check_counts(values: Tensor, name: str) -> None:
    """Raise for what counts nothing: below zero, or between whole numbers; NaN is let through."""
    if not (values_readable(values) and values.numel() and _enabled()):
        return
    values = values.detach()
    wrong = values[(values < 0) | (values.frac() > 0)]
    if wrong.numel():
        raise InputValueError(f"{name} must hold counts, 0, 1, 2 ...; it holds {wrong[0].item():g}")


def check_nonnegative(values: Tensor, name: str) -> None:
    """Raise for negative values, where there can be none; NaN is let through, to be seen in the result."""
    if not (values_readable(values) and values.numel() and _enabled()):
        return
    lowest = values.detach().min()
    if lowest < 0:
        raise InputValueError(f"{name} must not be negative; it holds {lowest.item():g}")


def check_between(values: Tensor, low: float, high: float, name: str) -> None:
    """Raise for values outside of bounds; NaN is let through, to be seen in the result."""
    if not (values_readable(values) and values.numel() and _enabled()):
        return
    lowest, highest = (each.item() for each in values.detach().aminmax())
    if lowest < low or highest > high:
        raise InputValueError(
            f"{name} must hold values from {low:g} to {high:g}; it holds {lowest:g} to {highest:g}"
        )


def check_positive(values: Tensor, name: str) -> None:
    """Raise for values that are not above zero, where something is divided by them."""
    if not (values_readable(values) and values.numel() and _enabled()):
        return
    lowest = values.detach().min()
    if lowest <= 0:
        raise InputValueError(f"{name} must be above zero; it holds {lowest.item():g}")


def check_known(values: Tensor, name: str) -> None:
    """Raise for NaN, where there is an order that it has no place in."""
    if not (values_readable(values) and values.is_floating_point() and _enabled()):
        return
    if values.detach().isnan().any():
        raise InputValueError(f"{name} must not hold NaN; mask what is not known")
