"""What a number is: Python's, NumPy's and any other real one, held as Python's."""

import math
from numbers import Integral, Real
from typing import TypeGuard

__all__ = ["is_finite", "is_number", "plain_number"]


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number, of Python, NumPy or elsewhere; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_finite(value: float) -> bool:
    """Tell whether a number is finite, as a float: an integer may be too large for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def plain_number(value: object) -> object:
    """Give a number of another library as one of Python; anything else as it is."""
    if type(value) in (bool, int, float):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
