"""Generalized cross entropy: between cross entropy and absolute error, against noisy labels."""

from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.classification.truth import TruthLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GeneralizedCrossEntropyLoss"]


@loss_registry.register(
    name="generalized_cross_entropy_loss",
    aliases=["GeneralizedCrossEntropyLoss"],
    tags=[
        "segmentation",
        "classification",
        "binary",
        "multilabel",
        "multiclass",
        "cross_entropy",
        "noise_robust",
    ],
)
@define_loss
class GeneralizedCrossEntropyLoss(TruthLoss):
    r"""The Box-Cox transform of the probability of the truth, robust against wrong labels.

    .. math:: \ell = \frac{1 - p_t^q}{q}

    :math:`p_t` being the probability that is given to the truth.

    Convention:
        As in the paper: cross entropy in the limit of ``q`` to 0, one minus the probability for ``q=1``. Its
        slope fades where the prediction is badly wrong: that is what spares it wrong labels. Soft targets mix
        the losses of all outcomes.

    Shapes:
        ``input``: ``(B, C, *S)`` logits; any shape where the target has the same and the sigmoid is meant.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, *S)`` under a softmax, else the input's shape.

    Args:
        q: How robust, above 0 and at most 1. Default: 0.7.
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
        >>> GeneralizedCrossEntropyLoss(q=1.0)(torch.zeros(1, 2), torch.tensor([1]))
        tensor(0.5000)

    Reference:
        Zhang and Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
        Labels", arXiv:1805.07836.
    """

    # Bounded, and so flat where it is far wrong.
    claims: ClassVar = attrs.evolve(TruthLoss.claims, learns_at=8.0)

    q: float = number(default=0.7, above=0, at_most=1)

    def cost(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give the transform, exact also for a small q."""
        del complement
        return -(self.q * log_probability).expm1() / self.q

    def cost_slope(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give minus the probability to the power of q."""
        del complement
        return -(self.q * log_probability).exp()
