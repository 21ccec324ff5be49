"""Negative binomial negative log-likelihood: counts that vary more than a Poisson distribution allows for."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.stable import softplus
from lossary_losses.forecasting.likelihood import CountLoss
from lossary_losses.forecasting.special import deviance, stirling_error
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["NegativeBinomialNLLLoss"]

_POISSON = 48.0
"""The logarithm of a concentration from which on a distribution is a Poisson distribution, to all digits.

With a larger one products in the gradient would overflow."""


@loss_registry.register(
    name="negative_binomial_nll_loss",
    aliases=["NegativeBinomialNLLLoss"],
    tags=["forecasting", "regression", "probabilistic"],
)
@define_loss
class NegativeBinomialNLLLoss(CountLoss):
    r"""Negative log-likelihood of counts under a negative binomial distribution: mean and spread.

    .. math:: \ell = -\log \frac{\Gamma(y + r)}{\Gamma(r)\, y!} - r \log \frac{r}{r + \mu}
        - y \log \frac{\mu}{r + \mu}, \quad \mu = e^m, \quad r = e^{r'}

    Convention:
        The input is the logarithm of the mean, and ``log_concentration`` that of r: the variance is
        :math:`\mu + \mu^2 / r`, so that a large r makes it a Poisson distribution, and does so to all digits.
        neuralforecast's ``alpha`` and pytorch-forecasting's ``shape``, also called dispersion, are 1 / r;
        torch's ``NegativeBinomial(total_count=r, logits=input - log_concentration)`` is this one, and its
        ``probs`` is one less scipy's p. ``zero_logit`` makes it a zero-inflated one: the logit of the
        probability that a count is zero whatever the mean. Nothing is left out of the likelihood.

    Shapes:
        ``input``: any, logarithms of means. ``target``: the input's, counts of any real dtype.
        ``log_concentration`` and ``zero_logit``: the input's, or ``(B, *S)`` for one per position.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = NegativeBinomialNLLLoss()
        >>> loss(torch.zeros(2), torch.tensor([0, 1]), log_concentration=torch.zeros(2))
        tensor(1.0397)

    Reference:
        Lawless 1987, "Negative binomial and mixed Poisson regression", doi:10.2307/3314912. Zeros: Lambert
        1992, "Zero-Inflated Poisson Regression, with an Application to Defects in Manufacturing",
        doi:10.2307/1269547.
    """

    claims: ClassVar = Claims(
        input="location",
        targets={"counts": {}},
        element="element",
        perfect=None,
        layout="*",
        arguments={"log_concentration": "real"},
    )

    def forward(  # type: ignore[override] # without a spread there is nothing to compute
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_concentration: Tensor,
        zero_logit: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The logarithms of the means; half precision is computed in float32.
            target: The counts.
            log_concentration: The logarithms of r.
            zero_logit: The logits of always being zero; None: nothing is.
            mask: Bool, True where an element counts; of shape ``(B, *S)`` or the target's.
            weight: How much each element counts; of shape ``(B, *S)`` or the input's.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a target is no count.
            InputTypeError: A dtype is unusable.
        """
        return self.result(
            input,
            target,
            log_concentration=log_concentration,
            zero_logit=zero_logit,
            mask=mask,
            weight=weight,
        )

    def surprise_of_count(  # type: ignore[override] # it has the parameters that forward takes
        self, target: Tensor, location: Tensor, *, log_concentration: Tensor
    ) -> Tensor:
        """Give the negative log-likelihood of each count, as the deviance of the mean, and what is left."""
        log_size = log_concentration.clamp(max=_POISSON)
        size, spread = log_size.exp(), softplus(location - log_size)
        nothing = target == 0
        counts = torch.where(nothing, 1, target)
        log_counts = counts.log()
        beyond = softplus(log_counts - log_size)
        # What the sum of count and concentration is expected to be made of.
        of_counts = softplus(log_size - log_counts) - softplus(log_size - location)
        fit = deviance(size, log_size, beyond - spread) + deviance(counts, log_counts, of_counts)
        rest = (
            (math.log(2 * math.pi) + log_counts + beyond) / 2
            + stirling_error(size, log_size)
            + stirling_error(counts, log_counts)
            - stirling_error(size + counts, log_size + beyond)
        )
        return torch.where(nothing, size * spread, fit + rest)
