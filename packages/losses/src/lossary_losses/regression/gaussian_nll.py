"""Gaussian negative log-likelihood: squared error against a variance that is predicted as well."""

import math
from typing import ClassVar, NamedTuple

from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision, require_floating_point
from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Selection, at_rank, prepare, ready
from lossary_losses._core.options import flag, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import bounded, times
from lossary_losses._core.streaming_pair import ready_beside, streamed_fraction
from lossary_losses.errors import InputTypeError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GaussianNLLLoss"]


@loss_registry.register(
    name="gaussian_nll_loss",
    aliases=["GaussianNLLLoss"],
    tags=["regression", "pointwise", "probabilistic"],
)
@define_loss
class GaussianNLLLoss(ReducedLoss):
    r"""Negative log-likelihood of a Gaussian whose mean and variance are both predicted.

    .. math:: \ell = \frac{1}{2} \left( \log v + \frac{(x - t)^2}{v} \right), \quad v = \max(v_{\text{given}},
        \epsilon)

    Convention:
        As torch's: without the constant unless ``full``, and with the gradient of a variance below ``eps``
        taken as if it were ``eps``, so that it can grow again. Unlike torch's, nothing broadcasts but a
        variance for each position, ``(B, *S)``; torch's ``(N, 1)`` is our ``(N,)``. The variance is given
        to ``forward`` as ``var``, or as its logarithm, ``log_var``, which a network can put out without
        further ado. In a config, a head selects it: ``inputs: {input: input.mean, target: target.depth,
        var: input.variance}``. Where the variance is small the loss is negative; its minimum over the
        variance is at the squared error. With ``beta`` each element is multiplied by its variance to that
        power, which has no gradient of its own, so that the gradient is not that of the value: 0.5 keeps
        errors from being hidden behind a large variance; with 1 the mean has the gradient of half the squared
        error.

    Shapes:
        ``input``: any, the means. ``target``: the input's.
        ``var`` or ``log_var``: the input's, or ``(B, *S)`` for one variance per position.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        full: Whether to add the constant, half the logarithm of two pi. Default: False.
        eps: The smallest variance that is computed with, > 0. Default: 1e-6.
        beta: To which power of its variance each element counts, >= 0; the paper has 0.5. Default: 0.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = GaussianNLLLoss()
        >>> loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]), var=torch.tensor([1.0, 4.0]))
        tensor(0.5966)

    Reference:
        Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution",
        doi:10.1109/ICNN.1994.374138. With ``beta``: Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic
        Uncertainty Estimation with Probabilistic Neural Networks", arXiv:2203.09168.
    """

    claims: ClassVar = Claims(
        targets={"values": {}},
        input="values",
        low=None,
        perfect=None,
        layout="*",
        arguments={"var": "positive"},
    )

    full: bool = flag(default=False)
    eps: float = number(default=1e-6, above=0)
    beta: float = number(default=0.0, at_least=0)
    ignore_index: float | None = number(default=None)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        var: Tensor | None = None,
        log_var: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The means; half precision is computed in float32.
            target: The values.
            var: The variances, >= 0; of the input's shape, or ``(B, *S)``.
            log_var: Their logarithms, instead of them.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: How much each position counts; of shape ``(B, *S)`` or the input's.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a variance is negative.
            InputTypeError: A dtype is unusable, or not exactly one of var and log_var is given.
        """
        return self.result(input, target, var=var, log_var=log_var, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        var: Tensor | None = None,
        log_var: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each element."""
        formula, dense, spread = self._formula(
            input, target, var, log_var, Selection(self.ignore_index, mask, weight)
        )
        return formula.point(dense, spread)

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        target: Tensor,
        *,
        var: Tensor | None = None,
        log_var: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            selection = Selection(self.ignore_index, mask, weight)
            return streamed_fraction(*self._formula(input, target, var, log_var, selection))

    def _formula(
        self, input: Tensor, target: Tensor, var: Tensor | None, log_var: Tensor | None, selection: Selection
    ) -> tuple["_Gaussian", Dense, Tensor]:
        """Give what each element costs, and in what; the shapes are checked."""
        dense = prepare(input, target, selection, "values")
        spread, is_logarithm = _only_one(var, log_var)
        spread = at_rank(spread, dense.input, "log_var" if is_logarithm else "var", elementwise=True)
        return _Gaussian(self.full, self.eps, self.beta, is_logarithm), dense, spread


class _Gaussian(NamedTuple):
    """What each element costs, given its mean and its variance."""

    full: bool
    eps: float
    beta: float
    is_logarithm: bool

    def point(self, dense: Dense, beside: Tensor) -> Elements:
        """Compute the negative log-likelihood of each element."""
        difference, log_variance, precision, share = self._prepared(dense, beside)
        return self._cost(difference.square() * precision, log_variance, share)

    def point_and_slopes(self, dense: Dense, beside: Tensor) -> tuple[Elements, Tensor, Tensor]:
        """Compute the derivatives too: of the mean, and of the variance or its logarithm."""
        difference, log_variance, precision, share = self._prepared(dense, beside)
        of_mean = difference * precision
        squares = difference.mul_(of_mean)
        of_spread = (1 - squares).mul_(0.5)
        if not self.is_logarithm:
            of_spread.mul_(precision)
        # What stands for infinity is a constant.
        of_spread.masked_fill_(beside.isinf(), 0)
        elements = self._cost(squares, log_variance, share)
        factor = share if not self.beta else times(self._factor(log_variance), share)
        return elements, times(of_mean, factor), times(of_spread, factor)

    def _cost(self, squares: Tensor, log_variance: Tensor, share: Tensor | None) -> Elements:
        value = (log_variance + squares) / 2
        value = value + math.log(2 * math.pi) / 2 if self.full else value
        return weigh(value * self._factor(log_variance) if self.beta else value, share)

    def _factor(self, log_variance: Tensor) -> Tensor:
        """Give the power of the variance, as a constant."""
        return (self.beta * log_variance.detach()).exp()

    def _prepared(self, dense: Dense, beside: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Give how far the means are off, the logarithm and reciprocal of the variances, and the shares."""
        spread = ready_beside(beside, dense, harmless=0 if self.is_logarithm else 1)
        means, values, share, *_ = ready(dense)
        if self.is_logarithm:
            log_variance = _at_least(spread, math.log(self.eps))
            precision = (-log_variance).exp()
        else:
            check_nonnegative(spread, "var")
            variance = _at_least(spread, self.eps)
            log_variance, precision = variance.log(), variance.reciprocal()
        return means - values, log_variance, precision, share


def _only_one(var: Tensor | None, log_var: Tensor | None) -> tuple[Tensor, bool]:
    """Give the one that is there, and whether it is the logarithm."""
    given = var if log_var is None else log_var
    if given is None or (var is not None and log_var is not None):
        raise InputTypeError(
            "give the variance as var=, or its logarithm as log_var=: "
            + ("neither is there" if given is None else "both are there")
        )
    name = "var" if log_var is None else "log_var"
    require_floating_point(given, name)
    return given, log_var is not None


def _at_least(values: Tensor, bound: float) -> Tensor:
    """Clamp from below, with the gradient of what is not clamped."""
    values = bounded(values)  # minus infinity is the logarithm of no variance, and less itself NaN
    return values.detach().clamp(min=bound) + (values - values.detach())
