"""Risk sets: at each time, what has not happened to whom until then, in the last dimension of a tensor."""

from typing import Any, Literal

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
    risk = _log_sums(log_hazard.flip(-1)).flip(-1).gather(-1, first)
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


def _log_sums(values: Tensor) -> Tensor:
    """Give the logarithms of running sums of exponentials."""
    if torch.compiler.is_compiling():  # nothing that is compiled is differentiated twice
        return values.logcumsumexp(dim=-1)
    sums: Tensor = _LogSums.apply(values)  # type: ignore[no-untyped-call]
    return sums


class _LogSums(torch.autograd.Function):
    """Sums that can be differentiated twice, as those of torch cannot.

    Their second derivative is NaN where the gradient from above is zero, as it is for every row but the
    first of a time.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        """Compute as torch does."""
        return values.logcumsumexp(dim=-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:  # noqa: ANN401 - torch's own signature
        """Keep both."""
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:  # noqa: ANN401 - torch's own signature
        """Add up by logarithms, or, to be differentiated again, pair by pair."""
        values, sums = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return _slope_of(values, sums, upstream) - _slope_of(values, sums, -upstream)
        count = values.shape[-1]
        later = torch.ones(count, count, dtype=torch.bool, device=values.device).tril()
        pairs = torch.where(later, values.unsqueeze(-2), -torch.inf)
        return (pairs.softmax(dim=-1) * upstream.unsqueeze(-1)).sum(-2)


def _slope_of(values: Tensor, sums: Tensor, upstream: Tensor) -> Tensor:
    """Give what of the slope comes from gradients above zero."""
    above = (upstream.clamp(min=0).log() - sums).flip(-1).logcumsumexp(dim=-1).flip(-1)
    return (values + above).exp()
