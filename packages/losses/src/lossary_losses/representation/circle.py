"""Circle loss: similarities that pull as hard as they are far from where they should be."""

from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.rows import left_out
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.anchors import AnchorLoss, Others

__all__ = ["CircleLoss"]


@loss_registry.register(name="circle_loss", aliases=["CircleLoss"], tags=["representation", "contrastive"])
@define_loss
class CircleLoss(AnchorLoss):
    r"""Soft comparison of all of an anchor's negatives with all its positives, each weighed by its error.

    .. math:: \ell_i = \log \Big( 1 + \sum_{n} e^{\gamma [s_{in} + m]_+ (s_{in} - m)}
        \sum_{p} e^{-\gamma [1 + m - s_{ip}]_+ (s_{ip} - 1 + m)} \Big)

    with cosines :math:`s`; the weights in brackets have no gradient.

    Convention:
        The mean is over anchors that have a positive and a negative, as in pytorch-metric-learning, whose
        default reducer leaves out those that cost nothing as well, and whose defaults are a margin of 0.4 and
        a gamma of 80; the paper has those for fine-grained retrieval, and 0.25 and 256 for faces, as here.

    Shapes:
        ``input``: ``(B, D)``, embeddings of any length. ``target``: ``(B,)``, labels, any integers. Result: a
        scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        margin: How far from 0 and from 1 the cosines of negatives and of positives may stay, 0 to 1. Default:
            0.25.
        gamma: What errors are multiplied by, > 0. Default: 256.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
        >>> CircleLoss(gamma=8.0)(embeddings, torch.tensor([5, 5, 7]))
        tensor(2.0220)

    Reference:
        Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity Optimization",
        arXiv:2002.10857.
    """

    claims: ClassVar = attrs.evolve(
        AnchorLoss.claims,
        exempt={
            "first_derivative_is_right": "the weights are held fixed, as the paper has it",
            "second_derivative_is_right": "the same",
            "double_stays_double": "the same: a step changes the weights as well",
        },
    )

    margin: float = number(default=0.25, at_least=0, at_most=1)
    gamma: float = number(default=256.0, above=0)

    def costs(self, similarities: Tensor, others: Others) -> Tensor:
        """Compare what negatives have too much with what positives lack."""
        found = similarities.detach()
        too_near = (found + self.margin).clamp(min=0) * (similarities - self.margin)
        too_far = (1 + self.margin - found).clamp(min=0) * (1 - self.margin - similarities)
        negative = left_out(self.gamma * too_near, others.different).logsumexp(dim=1)
        positive = left_out(self.gamma * too_far, others.alike).logsumexp(dim=1)
        return softplus(negative + positive)
