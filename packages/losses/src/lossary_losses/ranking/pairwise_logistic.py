"""Logistic loss of pairs of documents, of which one is more relevant: RankNet's."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_known
from lossary_losses._core.claims import Claims
from lossary_losses._core.lists import prepare_lists
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.ranking.pairs import logistic_sums, number_of_pairs, pairs_of

__all__ = ["PairwiseLogisticLoss"]


@loss_registry.register(
    name="pairwise_logistic_loss",
    aliases=["PairwiseLogisticLoss", "rank_net_loss", "bpr_loss"],
    tags=["ranking", "cross_entropy"],
)
@define_loss
class PairwiseLogisticLoss(ReducedLoss):
    r"""Logistic loss of the difference of scores of two documents, over all pairs that relevance orders.

    .. math:: \ell = \sum_{y_i > y_j} \log \left( 1 + e^{-\sigma (s_i - s_j)} \right)

    Convention:
        An element is a list, and costs the sum of its pairs; the mean is over the pairs of all lists, so that
        a list counts by how many it has, and one without any, for want of documents or because all are
        equally relevant, is zero and no part of it. So have allRank and sentence-transformers it. Only the
        order of relevance matters, which may be of any sign. Bayesian personalised ranking is this loss of
        lists whose documents are relevant or not; sums over users instead are ``reduction="sum"``.
        Time grows with the square of a list's documents; memory does not, unless it is compiled.

    Shapes:
        ``input``: ``(B, L)``, scores. ``target``: ``(B, L)``, relevance of any real dtype.
        ``mask``: ``(B, L)``, bool, True where there is a document.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        sigma: What differences of scores are multiplied by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> PairwiseLogisticLoss()(torch.zeros(1, 3), torch.tensor([[2, 1, 0]]))
        tensor(0.6931)

    Reference:
        Burges et al. 2005, "Learning to rank using gradient descent", doi:10.1145/1102351.1102363. Of
        documents that are relevant or not: Rendle et al. 2012, "BPR: Bayesian Personalized Ranking from
        Implicit Feedback", arXiv:1205.2618.
    """

    claims: ClassVar = Claims(
        input="lists",
        targets={"relevance": {}},
        element="list",
        layout="B L",
        exempt={
            "half_holds_large_images": "so long a list has billions of pairs",
            "large_inputs_are_their_parts": "the same",
        },
    )

    sigma: float = number(default=1.0, above=0)

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Scores; half precision is computed in float32.
            target: How relevant each document is.
            mask: Bool, True where there is a document; of the input's shape.
            weight: How much each pair of a list counts; of shape ``(B,)``.

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
        check_known(lists.relevance, "target")
        pairs = pairs_of(lists)
        value = logistic_sums(bounded(lists.scores), pairs, self.sigma)
        return weigh(value, lists.share, number_of_pairs(pairs).to(value.dtype))
