"""Poisson negative log-likelihood: counts of what happens independently."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import flag
from lossary_losses.forecasting.likelihood import CountLoss
from lossary_losses.forecasting.special import deviance, exponential, stirling_error
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["PoissonNLLLoss"]


@loss_registry.register(
    name="poisson_nll_loss", aliases=["PoissonNLLLoss"], tags=["forecasting", "regression", "probabilistic"]
)
@define_loss
class PoissonNLLLoss(CountLoss):
    r"""Negative log-likelihood of counts under a Poisson distribution whose mean is predicted.

    .. math:: \ell = e^m - y\, m \; (+ \log y!)

    Convention:
        The input is the logarithm of the mean, as torch has it by default, and without the term of the count
        alone unless ``full``. With ``full`` it is exact, and keeps its digits for counts of millions, where
        torch adds Stirling's approximation from two upwards. ``zero_logit`` makes it a zero-inflated one: the
        logit of the probability that a count is zero whatever the mean, which is not that of a zero
        altogether. Counts are whole numbers; rates are to be multiplied by their exposure, whose logarithm is
        added to the input. Where the mean would overflow it is followed along its tangent.

    Shapes:
        ``input``: any, logarithms of means. ``target``: the input's, counts of any real dtype.
        ``zero_logit``: the input's, or ``(B, *S)`` for one per position.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        full: Whether to add the logarithm of the factorial of the count. Default: False.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> PoissonNLLLoss(full=True)(torch.zeros(3), torch.tensor([0, 1, 2]))
        tensor(1.2310)

    Reference:
        Lambert 1992, "Zero-Inflated Poisson Regression, with an Application to Defects in Manufacturing",
        doi:10.2307/1269547.
    """

    claims: ClassVar = Claims(
        input="location", targets={"counts": {}}, element="element", low=None, perfect=None, layout="*"
    )

    full: bool = flag(default=False)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        zero_logit: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The logarithms of the means; half precision is computed in float32.
            target: The counts.
            zero_logit: The logits of always being zero; None: nothing is.
            mask: Bool, True where an element counts; of shape ``(B, *S)`` or the target's.
            weight: How much each element counts; of shape ``(B, *S)`` or the input's.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a target is no count.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, zero_logit=zero_logit, mask=mask, weight=weight)

    def surprise_of_count(self, target: Tensor, location: Tensor, **_: Tensor) -> Tensor:
        """Give the negative log-likelihood of each count."""
        mean = exponential(location)
        if not self.full:
            return mean - target * location
        nothing = target == 0
        counts = torch.where(nothing, 1, target)
        log_counts = counts.log()
        rest = (math.log(2 * math.pi) + log_counts) / 2 + stirling_error(counts, log_counts)
        return torch.where(nothing, mean, deviance(counts, log_counts, location - log_counts) + rest)
