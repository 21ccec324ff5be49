"""Logit-adjusted loss: cross entropy that knows how often each class occurs."""

from collections.abc import Sequence
from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import number, per_class
from lossary_losses._core.reduction import Elements
from lossary_losses.classification.class_counts import counts_like
from lossary_losses.classification.cross_entropy import CrossEntropyLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LogitAdjustedLoss"]


@loss_registry.register(
    name="logit_adjusted_loss",
    aliases=["LogitAdjustedLoss"],
    tags=["segmentation", "classification", "multiclass", "imbalance", "cross_entropy"],
)
@define_loss
class LogitAdjustedLoss(CrossEntropyLoss):
    r"""Cross entropy on logits to which the logarithm of each class's frequency is added.

    .. math:: \ell = -\log \frac{e^{x_y + \tau \log \pi_y}}{\sum_c e^{x_c + \tau \log \pi_c}},
        \quad \pi_c = \frac{n_c}{\sum_{c'} n_{c'}}

    Convention:
        As in the paper. What was trained so is used as it is: its logits, without the adjustment, favour
        the class that is most probable were all equally frequent. ``tau=0`` and equal counts are
        :class:`CrossEntropyLoss`; ``tau=1`` is the balanced softmax. Class probabilities as targets, class
        weights and smoothing mean what they mean there.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, C, *S)`` probabilities.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        class_counts: How often each class occurs in the training data, as counts or as shares, > 0; only
            their ratios matter.
        tau: How strong the adjustment is, >= 0. Default: 1.
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, such as a count of zero.

    Example:
        >>> import torch
        >>> loss = LogitAdjustedLoss(class_counts=[900, 100], reduction="none")
        >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
        tensor([0.1054, 2.3026])

    Reference:
        Menon et al. 2021, "Long-tail learning via logit adjustment", arXiv:2007.07314, section 5.

        Ren et al. 2020, "Balanced Meta-Softmax for Long-Tailed Visual Recognition", arXiv:2007.10740.
    """

    claims: ClassVar = attrs.evolve(
        CrossEntropyLoss.claims, at_soft="elsewhere", options={"class_counts": [1000, 100, 10, 1]}
    )

    class_counts: Sequence[float] | Tensor = per_class(above=0)
    tau: float = number(default=1.0, at_least=0)

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each position."""
        return super().point(self._adjusted(ready))

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of cross entropy: what is added does not depend on the input."""
        return super().slope(self._adjusted(ready))

    def _adjusted(self, ready: Ready) -> Ready:
        input, target, share, kind, hard = ready
        counts = counts_like(self.class_counts, input)
        # Not _replace, which torch 2.6 does not compile on Python 3.10.
        return Ready(input + self.tau * (counts / counts.sum()).log(), target, share, kind, hard)
