"""The multi-similarity loss: pairs weighed by how they stand among all pairs of an anchor."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.rows import left_out
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.anchors import AnchorLoss, Others

__all__ = ["MultiSimilarityLoss"]


@loss_registry.register(
    name="multi_similarity_loss",
    aliases=["MultiSimilarityLoss"],
    tags=["representation", "contrastive"],
)
@define_loss
class MultiSimilarityLoss(AnchorLoss):
    r"""Soft hinges of an anchor's positives that are too far and of its negatives that are too near.

    .. math:: \ell_i = \frac{1}{\alpha} \log \Big( 1 + \sum_{p} e^{-\alpha (s_{ip} - \lambda)} \Big)
        + \frac{1}{\beta} \log \Big( 1 + \sum_{n} e^{\beta (s_{in} - \lambda)} \Big)

    over the pairs that are mined: positives less similar than the most similar negative plus
    :math:`\epsilon`, negatives more similar than the least similar positive less :math:`\epsilon`.

    Convention:
        The mean is over anchors that have a positive and a negative in the batch, mined or not; the paper
        divides by the number of rows. pytorch-metric-learning's has no mining unless its
        ``MultiSimilarityMiner`` is given, whose epsilon is 0.1, and takes anchors in that lack one of both;
        with an epsilon above 2 no pair is left out, as cosines are from -1 to 1. There, as here,
        :math:`\lambda` is 0.5; in the paper it is 1.

    Shapes:
        ``input``: ``(B, D)``, embeddings of any length. ``target``: ``(B,)``, labels, any integers. Result: a
        scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        alpha: How hard the hinge of positives is, > 0. Default: 2.
        beta: How hard the hinge of negatives is, > 0. Default: 50.
        base: The cosine at which both begin. Default: 0.5.
        epsilon: By how much a pair may be easier than the hardest of the other kind, >= 0. Default: 0.1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> MultiSimilarityLoss()(embeddings, torch.tensor([5, 5, 7]))
        tensor(0.9066)

    Reference:
        Wang et al. 2019, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning",
        arXiv:1904.06627.
    """

    alpha: float = number(default=2.0, above=0)
    beta: float = number(default=50.0, above=0)
    base: float = number(default=0.5)
    epsilon: float = number(default=0.1, at_least=0)

    def costs(self, similarities: Tensor, others: Others) -> Tensor:
        """Add up over the pairs that are mined."""
        found = similarities.detach()
        hardest_negative = torch.where(others.different, found, -torch.inf).amax(dim=1, keepdim=True)
        hardest_positive = torch.where(others.alike, found, torch.inf).amin(dim=1, keepdim=True)
        near = others.different & ~(found + self.epsilon <= hardest_positive)
        far = others.alike & ~(found - self.epsilon >= hardest_negative)
        excess = similarities - self.base
        return self._hinge(-excess, far, self.alpha) + self._hinge(excess, near, self.beta)

    def _hinge(self, excess: Tensor, chosen: Tensor, hardness: float) -> Tensor:
        """Compute the logarithm of one and a sum of exponentials."""
        return softplus(left_out(hardness * excess, chosen).logsumexp(dim=1)) / hardness
