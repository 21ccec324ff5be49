"""Poly loss: cross entropy with the first coefficient of its series changed."""

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.classification.truth import TruthLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["PolyLoss"]


@loss_registry.register(
    name="poly_loss",
    aliases=["PolyLoss"],
    tags=["segmentation", "classification", "binary", "multilabel", "multiclass", "cross_entropy"],
)
@define_loss
class PolyLoss(TruthLoss):
    r"""Cross entropy plus a multiple of one minus the probability of the truth.

    .. math:: \ell = -\log p_t + \epsilon\, (1 - p_t)

    :math:`p_t` being the probability that is given to the truth.

    Convention:
        The paper's Poly-1. Cross entropy is the sum of :math:`(1 - p_t)^j / j`; epsilon is added to the first
        coefficient. Soft targets mix the losses of all outcomes.

    Shapes:
        ``input``: ``(B, C, *S)`` logits; any shape where the target has the same and the sigmoid is meant.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, *S)`` under a softmax, else the input's shape.

    Args:
        epsilon: What is added to the first coefficient, >= -1; 0 is cross entropy. Default: 1.
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
        >>> PolyLoss(epsilon=2.0)(torch.zeros(1, 2), torch.tensor([1]))
        tensor(1.6931)

    Reference:
        Leng et al. 2022, "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions",
        arXiv:2204.12511.
    """

    epsilon: float = number(default=1.0, at_least=-1)

    def cost(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give the surprise, and epsilon times the complement."""
        return self.epsilon * complement - log_probability

    def cost_slope(self, log_probability: Tensor, complement: Tensor) -> Tensor:
        """Give minus one, less epsilon times the probability."""
        del log_probability
        return -1 - self.epsilon * (1 - complement)
