"""Student's t distribution: what of its ranked probability score is a distance, and what a scale."""

import math
from functools import cache

import torch
from torch import Tensor

from lossary_losses._core.checks import check_positive
from lossary_losses._core.stable import log_cosh
from lossary_losses.forecasting.special import half_step

__all__ = ["student_t_parts"]

_GAUSSIAN = 36.0
"""The logarithm of degrees of freedom from which on a score is a Gaussian one's, to all digits."""

_PLACES = 40
_NOTHING = 40.0
"""Minus the logarithm of a part of a density that adds nothing."""


def student_t_parts(ratio: Tensor, log_df: Tensor) -> tuple[Tensor, Tensor]:
    """Give the probability to be nearer than a ratio, and what is to be added for each scale.

    The score is the distance times the one, and the scale times the other. The ratio is not below zero.
    """
    check_positive(log_df, "log_df")
    log_df = log_df.clamp(max=_GAUSSIAN)
    df = log_df.exp()
    more = log_df.expm1()
    step = half_step(df / 2, log_df - math.log(2))
    at_zero = step.exp() / math.sqrt(2 * math.pi)
    narrow = ratio * (-log_df / 2).exp()
    nearer = 2 * at_zero * (log_df / 2).exp() * _integral(narrow, df)
    beyond = 2 * at_zero * df / more * (-more / 2 * narrow.square().log1p()).exp()
    other = half_step(df - 0.5, (df - 0.5).log())
    spread = df / more * (df / (math.pi * (df - 0.5))).sqrt() * (2 * step - other).exp()
    return nearer, beyond - spread


def _integral(narrow: Tensor, df: Tensor) -> Tensor:
    """Integrate a power of the hyperbolic cosine, which the density becomes, by Gauss and Legendre."""
    share = (_NOTHING / df).detach()
    end = share + (-(-2 * share).expm1()).sqrt().log1p()
    upper = torch.minimum(narrow.asinh(), end).unsqueeze(-1)
    places, weights = (upper.new_tensor(each) for each in _gauss_legendre(_PLACES))
    at = upper * (places + 1) / 2
    return ((-df.unsqueeze(-1) * log_cosh(at)).exp() * weights).sum(dim=-1) * upper.squeeze(-1) / 2


@cache
def _gauss_legendre(count: int) -> tuple[list[float], list[float]]:
    """Give places between -1 and 1 and the weights with which values there add up to an integral."""
    places, weights = [], []
    for index in range(count):
        place = math.cos(math.pi * (index + 0.75) / (count + 0.5))
        for _ in range(10):
            before, value = 1.0, place
            for degree in range(2, count + 1):
                before, value = value, ((2 * degree - 1) * place * value - (degree - 1) * before) / degree
            slope = count * (place * value - before) / (place * place - 1)
            place -= value / slope
        places.append(place)
        weights.append(2 / ((1 - place * place) * slope * slope))
    return places, weights
