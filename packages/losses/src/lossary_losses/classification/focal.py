"""Focal loss: cross entropy that looks away from what is already easy."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Dense
from lossary_losses._core.options import number
from lossary_losses._core.stable import focused
from lossary_losses.classification.truth import TruthLoss
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["FocalLoss"]


@loss_registry.register(
    name="focal_loss",
    aliases=["FocalLoss"],
    tags=[
        "segmentation",
        "classification",
        "binary",
        "multilabel",
        "multiclass",
        "imbalance",
        "cross_entropy",
    ],
)
@define_loss
class FocalLoss(TruthLoss):
    r"""Cross entropy that looks away from what is already easy.

    .. math:: \ell = -\alpha_t\, (1 - p_t)^\gamma \log p_t

    :math:`p_t` being the probability that is given to the truth.

    Convention:
        The target's shape decides: values of the input's shape mean one binary problem per channel (sigmoid),
        class indices mean exclusive classes (softmax); ``activation`` says otherwise. ``alpha`` weighs
        positives and ``1 - alpha`` negatives, under a sigmoid only; for classes use ``weight``. The paper's
        detector has ``alpha=0.25``; here it is off unless given. The mean divides by what counted, elements
        under a sigmoid and positions under a softmax; kornia's divides by the number of classes as well: its
        value times C is ours. Soft targets mix the losses of both outcomes, and the minimum is then not at
        :math:`p = t`.

    Shapes:
        ``input``: ``(B, C, *S)`` logits; any shape where the target has the same and the sigmoid is meant.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, *S)`` under a softmax, else the input's shape.

    Args:
        gamma: How strongly easy positions are looked away from, >= 0; 0 is cross entropy. Default: 2.
        alpha: The weight of positives against negatives, 0 to 1, sigmoid only. Default: None, no weights.
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, or None (default) to let the target's shape decide.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = FocalLoss(gamma=2.0)
        >>> loss(torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4))
        tensor(0.1733)

    Reference:
        Lin et al. 2017, "Focal Loss for Dense Object Detection", arXiv:1708.02002.
    """

    gamma: float = number(default=2.0, at_least=0)
    alpha: float | None = number(default=None, at_least=0, at_most=1)

    def cost(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give the surprise, times how hard it is to the power of gamma."""
        return focused(-log_probability, complement, self.gamma)

    def cost_slope(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give the derivative of both factors."""
        # log p over 1 - p is -1 in the limit of p = 1, where the quotient is 0 / 0.
        quotient = torch.where(complement > 0, log_probability / complement, -1)
        return complement**self.gamma * (self.gamma * (1 - complement) * quotient - 1)

    def cost_and_logit_slope(self, log_probability: Tensor, complement: Tensor) -> tuple[Tensor, Tensor]:
        """Share the power; with the logit's own slope, 1 - p, nothing is divided by what may be zero."""
        power = complement**self.gamma
        slope = torch.addcmul(log_probability, log_probability, complement, value=-1).mul_(self.gamma)
        slope.sub_(complement).mul_(power)
        return power.mul_(log_probability).neg_(), slope

    def balance(self) -> tuple[float, float]:
        """Give alpha and its complement."""
        return (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Decide whether classes exclude each other; alpha has no meaning if they do."""
        dense = super().prepare(input, target, mask=mask, weight=weight)
        if self.alpha is not None and not self.is_binary(dense.kind):
            raise InputValueError(
                "alpha weighs positives against negatives, under a sigmoid; for classes use weight"
            )
        return dense
