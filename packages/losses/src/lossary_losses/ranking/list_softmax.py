"""Softmax over the documents of a list: ListNet's cross entropy."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.claims import Claims
from lossary_losses._core.lists import Lists, prepare_lists
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import left_out
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ListSoftmaxLoss"]


@loss_registry.register(
    name="list_softmax_loss",
    aliases=["ListSoftmaxLoss", "list_net_loss"],
    tags=["ranking", "cross_entropy"],
)
@define_loss
class ListSoftmaxLoss(ReducedLoss):
    r"""Cross entropy between the relevance of a list's documents, as a distribution, and a softmax of scores.

    .. math:: \ell = -\sum_i q_i \log \frac{e^{s_i / \tau}}{\sum_j e^{s_j / \tau}},
        \quad q_i = \frac{y_i}{\sum_j y_j} \quad \text{or} \quad q = \mathrm{softmax}(y)

    Convention:
        The mean is over lists. Relevance is normalised, or with ``distribution="softmax"`` goes through a
        softmax, as in the paper, in allRank and in sentence-transformers. In rax it is neither: its value is
        ours times the sum of the relevance, which as ``weight`` gives it back. A list without any relevance
        says nothing about an order: normalised, it is zero and no part of the mean, as one without documents
        is in any case. The temperature divides the scores alone. As with any cross entropy with soft
        targets the lowest value is not zero: it is the entropy of the relevance.

    Shapes:
        ``input``: ``(B, L)``, scores. ``target``: ``(B, L)``, relevance of any real dtype.
        ``mask``: ``(B, L)``, bool, True where there is a document.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        distribution: What makes a distribution of relevance, ``"normalized"`` (default), which takes none
            below zero, or ``"softmax"``.
        temperature: What scores are divided by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ListSoftmaxLoss()(torch.zeros(1, 4), torch.tensor([[1, 0, 0, 0]]))
        tensor(1.3863)

    Reference:
        Cao et al. 2007, "Learning to rank: from pairwise approach to listwise approach",
        doi:10.1145/1273496.1273513.
    """

    claims: ClassVar = Claims(
        memory=6, input="lists", targets={"relevance": {}}, element="list", perfect=None, layout="B L"
    )

    distribution: Literal["normalized", "softmax"] = choice("normalized", "softmax", default="normalized")
    temperature: float = number(default=1.0, above=0)

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Scores; half precision is computed in float32.
            target: How relevant each document is.
            mask: Bool, True where there is a document; of the input's shape.
            weight: How much each list counts; of shape ``(B,)``.

        Returns:
            A scalar, or each list's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a relevance or a weight is negative.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, mask=mask, weight=weight)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each list."""
        lists = prepare_lists(input, target, mask, weight)
        relevance, counted = self._distribution(lists)
        scores = left_out(bounded(lists.scores / self.temperature), lists.there)
        value = -(relevance * scores.log_softmax(dim=1)).sum(dim=1)
        return weigh(value, lists.share, counted)

    def _distribution(self, lists: Lists) -> tuple[Tensor, Tensor]:
        """Make relevance add up to one, and tell which lists have any to speak of."""
        relevance = lists.relevance
        if self.distribution == "softmax":
            there = torch.ones_like(relevance, dtype=torch.bool) if lists.there is None else lists.there
            shares = torch.where(there, left_out(relevance, lists.there).softmax(dim=1), 0)
            return shares, there.any(dim=1).to(relevance.dtype)
        check_nonnegative(relevance, "target")
        total = relevance.sum(dim=1, keepdim=True)
        nothing = total == 0
        shares = relevance / torch.where(nothing, 1, total)
        return shares, (~nothing).squeeze(1).to(relevance.dtype)
