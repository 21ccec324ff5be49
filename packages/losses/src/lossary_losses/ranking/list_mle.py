"""ListMLE: how likely the order of the relevance is, if documents are drawn one after the other by score."""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_known
from lossary_losses._core.claims import Claims
from lossary_losses._core.lists import Lists, prepare_lists
from lossary_losses._core.options import choice
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.risk_sets import Ties, log_risks
from lossary_losses._core.rows import left_out
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ListMLELoss"]


@loss_registry.register(name="list_mle_loss", aliases=["ListMLELoss"], tags=["ranking", "probabilistic"])
@define_loss
class ListMLELoss(ReducedLoss):
    r"""Negative log likelihood of the order of the relevance, under the Plackett-Luce model of the scores.

    .. math:: \ell = \sum_{i} a_i \Big( \log \sum_{j:\, y_j \le y_i} e^{s_j} - s_i \Big)

    where no two documents of a list are as relevant, and :math:`a_i = 1` without a discount.

    Convention:
        A list costs the sum over its documents, and the mean is over lists, as in allRank; a mean over
        documents, as elsewhere, is a ``weight`` of one over their number. It is :class:`CoxLoss` of each
        list, with a time that runs from the most relevant document to the least. Documents that are as
        relevant as each other are in no order, where others draw one at random: after Efron each leaves the
        rest before the next, and all have the mean of what they cost in every order; after Breslow all
        see the same rest. With ``discount="p_list_mle"`` the first places of a list of n documents weigh
        more, as in position-aware ListMLE (Lan et al., UAI 2014), whose factor :math:`2^{n - r} - 1` of rank
        :math:`r` is divided by that of the first rank here: its value is ours times
        :math:`2^{n - 1} - 1`, which no long list can be multiplied by. Documents as relevant as each other
        have the mean of the factors of their ranks. A list without documents is no part of the mean.

    Shapes:
        ``input``: ``(B, L)``, scores. ``target``: ``(B, L)``, relevance of any real dtype, also below zero.
        ``mask``: ``(B, L)``, bool, True where there is a document.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        ties: Of documents as relevant as each other, ``"efron"`` (default) or ``"breslow"``.
        discount: ``"none"`` (default), or ``"p_list_mle"``: the first places weigh more.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ListMLELoss()(torch.zeros(1, 3), torch.tensor([[2, 1, 0]]))
        tensor(1.7918)

    Reference:
        Xia et al. 2008, "Listwise approach to learning to rank: theory and algorithm",
        doi:10.1145/1390156.1390306.
    """

    claims: ClassVar = Claims(input="lists", targets={"relevance": {}}, perfect=None, layout="B L")

    ties: Ties = choice("efron", "breslow", default="efron")
    discount: Literal["none", "p_list_mle"] = choice("none", "p_list_mle", default="none")

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
            InputValueError: The shapes do not fit together, a relevance is NaN, or a weight is negative.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, mask=mask, weight=weight)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each list."""
        lists = prepare_lists(input, target, mask, weight)
        relevance, scores = lists.relevance.detach(), bounded(lists.scores)
        check_known(relevance, "target")
        there = torch.ones_like(scores, dtype=torch.bool) if lists.there is None else lists.there
        # The most relevant come first; where there is no document the score weighs nothing, wherever it is.
        rest = self._rest(left_out(scores, lists.there), -relevance, there)
        each = torch.where(there, rest - scores, 0)
        if self.discount == "p_list_mle":
            each = each * _discounts(lists, there)
        return weigh(each.sum(dim=1), lists.share, there.any(dim=1).to(scores.dtype))

    def _rest(self, scores: Tensor, place: Tensor, there: Tensor) -> Tensor:
        """Give the logarithm of what is left to draw from, with a gradient that is right for far scores."""
        wide = scores if scores.device.type == "mps" else scores.double()
        return log_risks(wide, place.contiguous(), there, self.ties).to(scores.dtype)


def _discounts(lists: Lists, there: Tensor) -> Tensor:
    """Give each document what its rank weighs, or the mean of its ranks where others are as relevant."""
    number = there.sum(dim=1, keepdim=True)
    # What is no document has the last ranks.
    place = torch.where(there, -lists.relevance.detach(), torch.inf).contiguous()
    in_order = place.sort(dim=1).values
    first = torch.searchsorted(in_order, place)
    beyond = torch.searchsorted(in_order, place, right=True)
    ranks = torch.arange(there.shape[1], device=there.device, dtype=place.dtype)
    # Over that of the first rank, so that no power of two overflows; a list of one document costs nothing.
    last = torch.exp2(1 - number.to(place.dtype))
    factors = (torch.exp2(-ranks) - last) / torch.where(number > 1, 1 - last, 1)
    sums = functional.pad(factors.cumsum(dim=1), (1, 0))
    return (sums.gather(1, beyond) - sums.gather(1, first)) / (beyond - first)
