"""Student's t negative log-likelihood: a spread that is predicted, and tails for what does not fit."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses.forecasting.likelihood import LikelihoodLoss
from lossary_losses.forecasting.special import half_step
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["StudentTNLLLoss"]

_GAUSSIAN = 60.0
"""The logarithm of degrees of freedom from which on a distribution is a Gaussian one, to all digits."""

_NARROWEST = -60.0
"""The logarithm of a width that a reciprocal can be taken of."""


@loss_registry.register(
    name="student_t_nll_loss",
    aliases=["StudentTNLLLoss"],
    tags=["forecasting", "regression", "probabilistic", "robust"],
)
@define_loss
class StudentTNLLLoss(LikelihoodLoss):
    r"""Negative log-likelihood under Student's t distribution, whose location, scale and tails are predicted.

    .. math:: \ell = \log s + \frac{\nu + 1}{2} \log \left( 1 + \frac{z^2}{\nu} \right)
        + \log \frac{\Gamma(\nu / 2) \sqrt{\pi \nu}}{\Gamma((\nu + 1) / 2)}, \quad z = \frac{y - x}{s}

    Convention:
        Scale and degrees of freedom are given by their logarithms. The scale is no standard deviation, which
        is larger, and infinite for two degrees of freedom or fewer. Nothing is left out of the likelihood:
        it is minus the ``log_prob`` of ``torch.distributions.StudentT``, which loses the degrees of freedom
        in single precision where they are many; here many make it the Gaussian one, with ``full`` and the
        variance ``exp(2 * log_scale)``. Where the scale is small the loss is negative.

    Shapes:
        ``input``: any, the locations. ``target``: the input's.
        ``log_scale`` and ``log_df``: the input's, or ``(B, *S)`` for one per position.
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
        >>> location, value, zero = torch.tensor([0.0]), torch.tensor([1.0]), torch.zeros(1)
        >>> StudentTNLLLoss()(location, value, log_scale=zero, log_df=zero)
        tensor(1.8379)

    Reference:
        Lange et al. 1989, "Robust Statistical Modeling Using the t Distribution",
        doi:10.1080/01621459.1989.10478852.
    """

    claims: ClassVar = Claims(
        input="location",
        targets={"values": {}},
        element="element",
        low=None,
        perfect=None,
        layout="*",
        invariant=("shift",),
        arguments={"log_scale": "real", "log_df": "real"},
    )

    def forward(  # type: ignore[override] # without its parameters there is nothing to compute
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_scale: Tensor,
        log_df: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The locations; half precision is computed in float32.
            target: The values.
            log_scale: The logarithms of the scales.
            log_df: The logarithms of the degrees of freedom.
            mask: Bool, True where an element counts; of shape ``(B, *S)`` or the target's.
            weight: How much each element counts; of shape ``(B, *S)`` or the input's.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, log_scale=log_scale, log_df=log_df, mask=mask, weight=weight)

    def surprise(  # type: ignore[override] # it has the parameters that forward takes
        self, target: Tensor, location: Tensor, *, log_scale: Tensor, log_df: Tensor
    ) -> Tensor:
        """Give the negative log-likelihood of each value."""
        log_df = log_df.clamp(max=_GAUSSIAN)
        df = log_df.exp()
        tail = (df + 1) / 2 * _log_of_one_and_square(target - location, log_scale + log_df / 2)
        rest = math.log(2 * math.pi) / 2 - half_step(df / 2, log_df - math.log(2))
        return log_scale + tail + rest


def _log_of_one_and_square(difference: Tensor, log_width: Tensor) -> Tensor:
    """Compute ``log(1 + (difference / width) ** 2)``, whatever the width."""
    size = difference.abs()
    log_ratio = torch.where(size == 0, 1, size).log() - log_width
    far = (size > 0) & (log_ratio > 0)
    ratio = torch.where(far, 0, difference * (-torch.where(far, 0, log_width).clamp(min=_NARROWEST)).exp())
    twice = 2 * torch.where(far, log_ratio, 1)
    return torch.where(far, twice + (-twice).exp().log1p(), ratio.square().log1p())
