"""Matthews correlation coefficient as a loss: an overlap in which true negatives count."""

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.both_sides import BothSides, sides
from lossary_losses.segmentation.overlap import Activation, OverlapLoss

__all__ = ["MCCLoss"]

_NOTHING = 1e-24
"""A product of two counts below this is zero: its root has a gradient too large to compute with."""


@loss_registry.register(
    name="mcc_loss",
    aliases=["MCCLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap"],
)
@define_loss
class MCCLoss(OverlapLoss):
    r"""One minus the soft Matthews correlation coefficient of each sample and class.

    .. math:: \ell = 1 - \frac{\mathit{TP} \cdot \mathit{TN} - \mathit{FP} \cdot \mathit{FN}}
        {\sqrt{(\mathit{TP} + \mathit{FP}) (\mathit{TP} + \mathit{FN})
        (\mathit{TN} + \mathit{FP}) (\mathit{TN} + \mathit{FN})}}

    with :math:`\mathit{TP} = s + \sum_i \min(p_i, t_i)`,
    :math:`\mathit{TN} = s + \sum_i \min(1 - p_i, 1 - t_i)`,
    :math:`\mathit{FP} = \sum_i \max(p_i - t_i, 0)` and :math:`\mathit{FN} = \sum_i \max(t_i - p_i, 0)`.

    Convention:
        It goes from 0 at a perfect prediction over 1 at one that knows nothing to 2 at the exact opposite.
        Each class is held against the rest; the coefficient of a whole confusion matrix is another one.
        ``smooth`` (:math:`s`) is added to the right answers of both kinds, so that a class that is rightly
        absent has a loss of zero, and false positives there cost something. The authors' code adds one to the
        root below instead, after which a perfect prediction is not zero and an absent class has no gradient;
        smp adds a small constant to all four counts. With ``smooth=0`` the value is that of the formula. For
        soft targets :math:`\min` puts the minimum, zero, at :math:`p = t`. The mean is over
        samples and classes, where the authors pool the batch: ``batch=True``.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        smooth: Added to true positives and to true negatives, >= 0. With 0, a truth or a prediction that is
            all of one kind gives 1, the value of knowing nothing, without a gradient, unless both are the
            same, which gives 0. Default: 1.
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        batch: Whether counts are pooled over the batch, so that one coefficient per class stands for all
            samples. Default: False.
        empty: What a sample and class without any truth gives: ``"score"`` (default), the formula's value;
            ``"zero"``, as if perfect: false positives there are free; ``"skip"``, no part in the mean.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.
        position_group: The processes that share the positions of each sample, such as parts of a volume. What
            is summed over positions is that of whole samples then, and gradients are those of whole samples
            once they are averaged over these processes too; where they are added up, divide the loss by the
            number of these processes. Those of ``process_group`` are to have other samples. Default: None,
            each process has whole samples.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> target = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
        >>> loss = MCCLoss(smooth=0.0, activation="none")
        >>> loss(torch.tensor([[[1.0, 0.0, 0.0, 0.0]]]), target)
        tensor(0.4226)

    Reference:
        Abhishek and Hamarneh 2021, "Matthews Correlation Coefficient Loss for Deep Convolutional Networks:
        Application to Skin Lesion Segmentation", arXiv:2010.13454.
    """

    claims: ClassVar = attrs.evolve(OverlapLoss.claims, high=2.0)

    smooth: float = number(default=1.0, at_least=0)

    def formula(self, activation: Activation) -> BothSides:
        """Say what is counted."""
        return BothSides(activation)

    def elements_of(self, counts: tuple[Tensor, ...]) -> Elements:
        """Give the loss of each sample and class from the counts of each sample."""
        here, absent = sides(self.pooled(counts))
        smooth = self.smooth
        # Four quotients of at most one, instead of a product of four counts, which may be millions each.
        found = _relative(here.intersection + smooth, here.predicted + smooth, here.true + smooth)
        spared = _relative(absent.intersection + smooth, absent.predicted + smooth, absent.true + smooth)
        false = _relative(here.predicted - here.intersection, here.predicted + smooth, absent.true + smooth)
        missed = _relative(here.true - here.intersection, here.true + smooth, absent.predicted + smooth)
        nothing_wrong = (here.predicted == here.true) & (here.intersection == here.true)
        value = torch.where(nothing_wrong & (found * spared == 0), 0, 1 - found * spared + false * missed)
        return self.weighed(value, here)


def _relative(part: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Divide by the geometric mean of two counts; zero where one of them is nothing."""
    whole = one * other
    nothing = whole <= _NOTHING
    return torch.where(nothing, 0, part / torch.where(nothing, 1, whole).sqrt())
