"""Risk sets: at each time, what has not happened to whom until then, in the last dimension of a tensor."""

from typing import Literal

import torch
from torch import Tensor

__all__ = ["Ties", "log_risks"]

Ties = Literal["efron", "breslow"]
"""What of several events at one time: each leaves its part of the risk to the next, or none does."""


def log_risks(log_hazard: Tensor, times: Tensor, event: Tensor, ties: Ties) -> Tensor:
    """Give, for each event, the logarithm of the sum of the hazards at its time: of whom it could have met.

    After Efron the events of one time come one after the other, in every order alike: each has the mean of
    the logarithms. Rows may stand in any order, and rows without an event have a number without meaning.
    """
    times, order = times.sort(dim=-1, stable=True)
    log_hazard, event = log_hazard.gather(-1, order), event.gather(-1, order)
    first = torch.searchsorted(times, times)  # of those of the same time
    # All that come later are at risk as well.
    risk = log_hazard.flip(-1).logcumsumexp(dim=-1).flip(-1).gather(-1, first)
    if ties == "efron":
        risk = risk + _relief(log_hazard, event, risk, first)
    return torch.zeros_like(risk).scatter(-1, order, risk)


def _relief(log_hazard: Tensor, event: Tensor, risk: Tensor, first: Tensor) -> Tensor:
    """Give by how much the risk falls, in the mean of its logarithm, while the events of a time happen."""
    one = event.to(log_hazard.dtype)
    before = one.cumsum(dim=-1) - one
    number = _add_up(one, first).clamp(min=1)
    # The share of the risk that events of the time are: no more than all of it, but for rounding.
    part = _add_up(torch.where(event, (log_hazard - risk).exp(), 0), first).clamp(max=1)
    gone = torch.where(event, (before - before.gather(-1, first)) / number, 0)
    return _add_up((-gone * part).log1p(), first) / number


def _add_up(values: Tensor, first: Tensor) -> Tensor:
    """Give each row the sum over the rows of its time."""
    return torch.zeros_like(values).scatter_add(-1, first, values).gather(-1, first)
