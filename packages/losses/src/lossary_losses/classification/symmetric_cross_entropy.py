"""Symmetric cross entropy: labels explained by predictions as well, against noisy labels."""

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.classification.truth import TruthLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SymmetricCrossEntropyLoss"]


@loss_registry.register(
    name="symmetric_cross_entropy_loss",
    aliases=["SymmetricCrossEntropyLoss"],
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
class SymmetricCrossEntropyLoss(TruthLoss):
    r"""Cross entropy plus reverse cross entropy, robust against wrong labels.

    .. math:: \ell = -\alpha \log p_t - \beta A\, (1 - p_t)

    :math:`p_t` being the probability that is given to the truth, and :math:`A` standing for the logarithm of
    zero.

    Convention:
        As in the paper for hard labels, where reverse cross entropy is :math:`-A (1 - p_t)`. Soft targets mix
        the losses of all outcomes. The defaults are the paper's for ten classes; with more, alpha is larger
        and beta smaller: 6 and 0.1 for a hundred. The authors' code clips labels at 0.0001 instead, which is
        ``log_of_zero=-9.21``: 2.3 times the reverse cross entropy of the paper.

    Shapes:
        ``input``: ``(B, C, *S)`` logits; any shape where the target has the same and the sigmoid is meant.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, *S)`` under a softmax, else the input's shape.

    Args:
        alpha: The weight of cross entropy, >= 0. Default: 0.1.
        beta: The weight of reverse cross entropy, >= 0. Default: 1.
        log_of_zero: What stands for it, < 0. Default: -4.
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
        >>> loss = SymmetricCrossEntropyLoss(alpha=1.0, beta=0.5)
        >>> loss(torch.zeros(1, 2), torch.tensor([1]))
        tensor(1.6931)

    Reference:
        Wang et al. 2019, "Symmetric Cross Entropy for Robust Learning with Noisy Labels", arXiv:1908.06112.
    """

    alpha: float = number(default=0.1, at_least=0)
    beta: float = number(default=1.0, at_least=0)
    log_of_zero: float = number(default=-4.0, below=0)

    def cost(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give both surprises."""
        return -self.beta * self.log_of_zero * complement - self.alpha * log_probability

    def cost_slope(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give the derivative of both."""
        del log_probability
        return self.beta * self.log_of_zero * (1 - complement) - self.alpha
