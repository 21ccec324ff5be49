"""Logistic loss of pairs of documents, by what is at stake for the ranking: LambdaRank and LambdaLoss."""

from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_known
from lossary_losses._core.claims import Claims
from lossary_losses._core.lists import prepare_lists
from lossary_losses._core.options import choice, integer, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.ranking.gains import gain_pairs
from lossary_losses.ranking.pairs import logistic_sums, number_of_pairs, pairs_of

__all__ = ["LambdaLoss"]


@loss_registry.register(
    name="lambda_loss", aliases=["LambdaLoss", "lambda_rank_loss"], tags=["ranking", "cross_entropy"]
)
@define_loss
class LambdaLoss(ReducedLoss):
    r"""Logistic loss of pairs of documents, weighed by the gain that is at stake between their places.

    .. math:: \ell = \sum_{y_i > y_j} w_{ij} \log \left( 1 + e^{-\sigma (s_i - s_j)} \right), \quad
        w_{ij} = |G_i - G_j| \left( \mu \left( \tfrac{1}{D_{|r_i - r_j|}} - \tfrac{1}{D_{|r_i - r_j| + 1}}
        \right) + \left| \tfrac{1}{D_{r_i}} - \tfrac{1}{D_{r_j}} \right| \right)

    Convention:
        :math:`G = (2^y - 1)` over the gain of the best order, :math:`D_r = \log_2(1 + r)`, and r are the
        places by score. ``"ndcg2pp"`` is the whole weight, ``"ndcg2"`` its first part without mu, and
        ``"lambdarank"`` its second. Weights have no gradient. Documents of equal scores share the mean of
        their places, so that nothing depends on the order in which they come. With ``k`` a pair counts if
        either of its documents is among the first k, and the best order is of k as well. The logarithm of the
        loss is natural: allRank and sentence-transformers have a binary one, which is 1.4427 times ours.
        An element is a list, and costs the sum of its pairs; the mean is over all pairs in an order of
        relevance, those out of reach of ``k`` included, so that it does not depend on the scores. allRank
        takes the sum, and with ``k`` the pairs both of whose documents are among the first. A relevance below
        zero has a gain below zero, which no best order has.

    Shapes:
        ``input``: ``(B, L)``, scores. ``target``: ``(B, L)``, relevance of any real dtype.
        ``mask``: ``(B, L)``, bool, True where there is a document.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        weighting: ``"ndcg2pp"`` (default), ``"ndcg2"`` or ``"lambdarank"``.
        k: How many places count, >= 1. Default: None, all.
        mu: How much the first part of ``"ndcg2pp"`` weighs, >= 0. Default: 10.
        sigma: What differences of scores are multiplied by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> LambdaLoss(weighting="lambdarank")(torch.tensor([[1.0, 2.0]]), torch.tensor([[1, 0]]))
        tensor(0.4847)

    Reference:
        Wang et al. 2018, "The LambdaLoss Framework for Ranking Metric Optimization",
        doi:10.1145/3269206.3271784.
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

    weighting: Literal["ndcg2pp", "ndcg2", "lambdarank"] = choice(
        "ndcg2pp", "ndcg2", "lambdarank", default="ndcg2pp"
    )
    k: int | None = integer(default=None, at_least=1)
    mu: float = number(default=10.0, at_least=0)
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
        pairs, scores = pairs_of(lists), bounded(lists.scores)
        weighed = gain_pairs(pairs, scores, self.weighting, self.mu, self.k)
        value = logistic_sums(scores, weighed, self.sigma)
        return weigh(value, lists.share, number_of_pairs(pairs).to(value.dtype))
