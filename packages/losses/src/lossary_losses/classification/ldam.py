"""LDAM loss: cross entropy with larger margins for rarer classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Ready, class_membership, per_channel
from lossary_losses._core.options import number, per_class
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import log_softmax
from lossary_losses._core.stable import times
from lossary_losses.classification.class_counts import ClassCountsLoss, counts_like
from lossary_losses.classification.cross_entropy import weight_of_labels
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LDAMLoss"]


@loss_registry.register(
    name="ldam_loss",
    aliases=["LDAMLoss"],
    tags=["segmentation", "classification", "multiclass", "imbalance", "cross_entropy"],
)
@define_loss
class LDAMLoss(ClassCountsLoss):
    r"""Cross entropy that asks for larger margins on rarer classes.

    .. math:: \ell = -w_y \log \frac{e^{s (x_y - m_y)}}{e^{s (x_y - m_y)} + \sum_{c \ne y} e^{s x_c}},
        \quad m_c = m_{\max} \left( \frac{\min_{c'} n_{c'}}{n_c} \right)^{1/4}

    Convention:
        As in the paper, whose constant is chosen so that the largest margin is ``max_margin``, and as in
        its code. The input is the cosine between normalised features and normalised weights of the
        classifier, -1 to 1, which ``scale`` spreads; for plain logits ``scale=1`` is the same loss without
        it. The deferred re-weighting of the paper is a second loss, of the same counts with a ``weight``,
        from a late epoch on; the mean divides by the weights of the labels, as in torch.

    Shapes:
        ``input``: ``(B, C, *S)``, cosines. ``target``: ``(B, *S)`` class indices of any integer dtype.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        class_counts: How many samples each class has in the training data, > 0; only their ratios matter.
        max_margin: The margin of the rarest class, >= 0. Default: 0.5.
        scale: What margins and cosines are multiplied by, > 0. Default: 30.
        weight: One factor per class, >= 0. Default: None, all one.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, such as a count of zero.

    Example:
        >>> import torch
        >>> loss = LDAMLoss(class_counts=[1600, 100], scale=1.0, reduction="none")
        >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
        tensor([0.8259, 0.9741])

    Reference:
        Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss",
        arXiv:1906.07413.
    """

    max_margin: float = number(default=0.5, at_least=0)
    scale: float = number(default=30.0, above=0)
    weight: Sequence[float] | Tensor | None = per_class(default=None)

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each position with its margin taken off."""
        input, target, share, *_ = ready
        counts = counts_like(self.class_counts, input)
        margins = self.max_margin * (counts.min() / counts) ** 0.25
        handicap = torch.where(class_membership(target, input.shape[1]), margins, 0)
        log_probability = log_softmax(self.scale * (input - handicap)).of(target)
        weight_of_truth = weight_of_labels(per_channel(self.weight, input, "weight"), target)
        return weigh(times(-log_probability, weight_of_truth), share, weight_of_truth)
