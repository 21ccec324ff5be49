"""Class-balanced loss: weights by the effective number of samples of each class."""

import math
from typing import Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Ready, class_membership
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import log_softmax
from lossary_losses._core.stable import binary_surprise, bounded, focused, times
from lossary_losses.classification.class_counts import ClassCountsLoss, counts_like
from lossary_losses.classification.cross_entropy import weight_of_labels
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ClassBalancedLoss"]


@loss_registry.register(
    name="class_balanced_loss",
    aliases=["ClassBalancedLoss"],
    tags=["segmentation", "classification", "multiclass", "imbalance", "cross_entropy"],
)
@define_loss
class ClassBalancedLoss(ClassCountsLoss):
    r"""Cross entropy or focal loss, weighted by the effective number of samples of the labelled class.

    .. math:: \ell = w_y\, L(x, y), \quad w_c = \frac{C\, v_c}{\sum_{c'} v_{c'}},
        \quad v_c = \frac{1 - \beta}{1 - \beta^{n_c}}

    :math:`L` being :math:`-(1 - p_y)^\gamma \log p_y` under a softmax, and under a sigmoid the sum of the
    binary losses of all classes, that of y being the positive.

    Convention:
        As in the paper: the weights add up to the number of classes, and the mean divides by the number of
        positions, so that they scale the loss. ``CrossEntropyLoss(weight=w)`` and the package balanced-loss
        divide by the sum of the weights of the labels instead: times that sum over the number of positions,
        their value is ours. The widespread code that divides by B times C under a sigmoid gives ours over
        C. ``beta=0`` is no weighting, and towards one the weights become those of the inverse frequency.

    Shapes:
        ``input``: ``(B, C, *S)``, logits. ``target``: ``(B, *S)`` class indices of any integer dtype.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        class_counts: How many samples (or positions) each class has in the training data, > 0. For a class
            that has none, give the count of the rarest: its weight is then that of the rarest.
        beta: How far one more sample of a class adds to what is known of it, at least 0 and below 1.
            Default: 0.999.
        activation: ``"softmax"`` (default) or ``"sigmoid"``.
        gamma: How strongly easy positions are looked away from, >= 0; above 0 the loss is focal, under
            either activation. The paper's focal form has a sigmoid. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, such as a count of zero.

    Example:
        >>> import torch
        >>> loss = ClassBalancedLoss(class_counts=[900, 100], beta=0.99, reduction="none")
        >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
        tensor([0.5379, 0.8484])

    Reference:
        Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", arXiv:1901.05555.
    """

    beta: float = number(default=0.999, at_least=0, below=1)
    activation: Literal["softmax", "sigmoid"] = choice("softmax", "sigmoid", default="softmax")
    gamma: float = number(default=0.0, at_least=0)

    def point(self, ready: Ready) -> Elements:
        """Give the weighted loss of each position."""
        input, target, share, *_ = ready
        value = self._softmax(input, target) if self.activation == "softmax" else self._sigmoid(input, target)
        weights = balanced_weights(counts_like(self.class_counts, input), self.beta)
        return weigh(times(value, weight_of_labels(weights, target)), share)

    def _softmax(self, logits: Tensor, labels: Tensor) -> Tensor:
        log_probability = bounded(log_softmax(logits).of(labels))
        return focused(-log_probability, -log_probability.expm1(), self.gamma)

    def _sigmoid(self, logits: Tensor, labels: Tensor) -> Tensor:
        # With the sign turned for all classes but the label's, each is a positive.
        logits = torch.where(class_membership(labels, logits.shape[1]), logits, -logits)
        surprise, _ = binary_surprise(logits)
        return focused(surprise, (-bounded(logits)).sigmoid(), self.gamma).sum(dim=1, keepdim=True)


def balanced_weights(counts: Tensor, beta: float) -> Tensor:
    """Give weights that fall with the effective number of samples, and add up to the number of classes."""
    if not beta:
        return torch.ones_like(counts)
    # 1 - beta ** n by way of expm1: near beta = 1 the power itself rounds to one.
    novelty = 1 / -(counts * math.log(beta)).expm1()
    return novelty * (counts.numel() / novelty.sum())
