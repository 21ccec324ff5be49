"""ZLPR: every label that is there is ranked above zero, and every other one below."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_binary
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare
from lossary_losses._core.options import integer
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import left_out
from lossary_losses._core.stable import bounded, softplus
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ZLPRLoss"]


@loss_registry.register(
    name="zlpr_loss", aliases=["ZLPRLoss"], tags=["classification", "multilabel", "imbalance"]
)
@define_loss
class ZLPRLoss(PointwiseLoss):
    r"""Ranking of all labels of a position against zero: those that are there above, the others below.

    .. math:: \ell = \log \Big( 1 + \sum_{c:\, t_c = 0} e^{x_c} \Big) +
        \log \Big( 1 + \sum_{c:\, t_c = 1} e^{-x_c} \Big)

    Convention:
        As in the paper and in timm. However many labels there are, the hardest positive and the hardest
        negative say most, so that many easy negatives do not outweigh few positives. The mean is over
        positions, not over labels. A label is predicted where its logit is above zero. With one other label
        at most on each side it is :class:`BCELoss`, added up. Targets are 0 and 1 and nothing between.

    Shapes:
        ``input``: ``(B, C, *S)``, logits of two labels or more. ``target``: the input's, 0 and 1 of any
        dtype. Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        ignore_index: Positions where all of the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ZLPRLoss()(torch.zeros(1, 3), torch.tensor([[1, 0, 0]]))
        tensor(1.7918)

    Reference:
        Su et al. 2022, "ZLPR: A Novel Loss for Multi-label Classification", arXiv:2208.02955.
    """

    claims: ClassVar = Claims(targets={"one_hot": {}}, learns_at=1000.0)

    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the labels of a position together."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "distributions")

    def point(self, ready: Ready) -> Elements:
        """Rank the labels of each position."""
        if not ready.hard:
            check_binary(ready.target, "target")
        logits, is_there = bounded(ready.input), ready.target > 0
        negatives = left_out(logits, ~is_there).logsumexp(dim=1, keepdim=True)
        positives = left_out(-logits, is_there).logsumexp(dim=1, keepdim=True)
        return weigh(softplus(negatives) + softplus(positives), ready.share)
