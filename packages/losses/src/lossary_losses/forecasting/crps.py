"""Continuous ranked probability score of a distribution whose location and scale are predicted."""

import math
from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import choice
from lossary_losses._core.stable import softplus
from lossary_losses.errors import InputTypeError
from lossary_losses.forecasting.likelihood import LikelihoodLoss
from lossary_losses.forecasting.special import exponential
from lossary_losses.forecasting.student_t import student_t_parts
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CRPSLoss"]

_FARTHEST = 1e8
"""How many scales away everything is that is farther: no distribution has a part there that counts."""


@loss_registry.register(
    name="crps_loss", aliases=["CRPSLoss"], tags=["forecasting", "regression", "probabilistic"]
)
@define_loss
class CRPSLoss(LikelihoodLoss):
    r"""Squared distance between a predicted distribution function and the step at what came.

    .. math:: \ell = \int \left( F(u) - [u \geq y] \right)^2 du
        = \mathrm{E} |X - y| - \tfrac{1}{2} \mathrm{E} |X - X'|

    Convention:
        In the unit of the target, and without any integral left: closed forms. Where the scale is nothing it
        is the absolute error, so that, unlike a likelihood, it is no worse than proportional to an error.
        The scale, given by its logarithm, is the standard deviation of a normal distribution alone: a Laplace
        distribution's is the square root of two times its scale, a logistic one's 1.8138 times.
        Student's t takes ``log_df`` as well, above zero: with one degree of freedom or fewer the score is
        infinite. Its distribution function is a sum over 40 places, which takes that many times the memory.
        All are scoringrules' ``crps_normal``, ``crps_laplace``, ``crps_logistic`` and ``crps_t``.

    Shapes:
        ``input``: any, the locations. ``target``: the input's.
        ``log_scale`` and ``log_df``: the input's, or ``(B, *S)`` for one per position.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        distribution: ``"normal"`` (default), ``"laplace"``, ``"logistic"`` or ``"student_t"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> CRPSLoss()(torch.zeros(2), torch.tensor([0.0, 1.0]), log_scale=torch.zeros(2))
        tensor(0.4181)

    Reference:
        Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation",
        doi:10.1198/016214506000001437.
    """

    claims: ClassVar = Claims(
        input="location",
        targets={"values": {}},
        element="element",
        perfect=None,
        layout="*",
        invariant=("shift",),
        arguments={"log_scale": "real"},
    )

    distribution: Literal["normal", "laplace", "logistic", "student_t"] = choice(
        "normal", "laplace", "logistic", "student_t", default="normal"
    )

    def forward(  # type: ignore[override] # without a scale there is nothing to compute
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_scale: Tensor,
        log_df: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The locations; half precision is computed in float32.
            target: The values.
            log_scale: The logarithms of the scales.
            log_df: The logarithms of the degrees of freedom, for Student's t alone.
            mask: Bool, True where an element counts; of shape ``(B, *S)`` or the target's.
            weight: How much each element counts; of shape ``(B, *S)`` or the input's.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or there is one degree of freedom or fewer.
            InputTypeError: A dtype is unusable, or degrees of freedom are missing, or have no meaning.
        """
        if (log_df is None) == (self.distribution == "student_t"):
            wrong = "needs log_df" if log_df is None else "takes no log_df"
            raise InputTypeError(f"distribution={self.distribution!r} {wrong}")
        return self.result(input, target, log_scale=log_scale, log_df=log_df, mask=mask, weight=weight)

    def surprise(  # type: ignore[override] # it has the parameters that forward takes
        self, target: Tensor, location: Tensor, *, log_scale: Tensor, log_df: Tensor | None = None
    ) -> Tensor:
        """Give the score of each value: a share of its distance, and a multiple of the scale."""
        scale, distance = exponential(log_scale), (target - location).abs()
        # Farther away nothing changes, and a square would overflow.
        ratio = (distance * exponential(-log_scale)).clamp(max=_FARTHEST)
        if self.distribution == "normal":
            density = (-ratio.square() / 2).exp() / math.sqrt(2 * math.pi)
            return distance * (ratio / math.sqrt(2)).erf() + scale * (2 * density - 1 / math.sqrt(math.pi))
        if self.distribution == "laplace":
            return distance + scale * ((-ratio).exp() - 0.75)
        if self.distribution == "logistic":
            return distance + scale * (2 * softplus(-ratio) - 1)
        if log_df is None:
            raise InputTypeError("distribution='student_t' needs log_df")
        share, multiple = student_t_parts(ratio, log_df)
        return distance * share + scale * multiple
