"""Barlow Twins: each dimension of one view goes with the same one of the other, and with no other."""

from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.moments import added_up, reciprocal_root
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.moments import MomentsLoss, Views, off_diagonal

__all__ = ["BarlowTwinsLoss"]


@loss_registry.register(
    name="barlow_twins_loss", aliases=["BarlowTwinsLoss"], tags=["representation", "regularization"]
)
@define_loss
class BarlowTwinsLoss(MomentsLoss):
    r"""Squared difference of the correlations of two views' dimensions from one and from zero.

    .. math:: \ell = \sum_c (1 - C_{cc})^2 + \lambda \sum_{c \ne d} C_{cd}^2,
        \quad C_{cd} = \mathrm{Corr}(x_c, t_d)

    Convention:
        As in the paper, with correlations between -1 and 1. The authors' code normalises with an epsilon of
        1e-5 in the variance, and lightly's divides deviations by their number less one, so that theirs come
        close to one only. A dimension that is constant is correlated with nothing: it costs one, and has no
        gradient. A weight says how often a row is there. Over processes, correlations are those of all rows,
        where others normalise on each process.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of two views, both with a gradient.
        Result: a scalar, or ``(1,)`` with ``reduction="none"``: a batch is one element.

    Args:
        redundancy: The weight of correlations of different dimensions, >= 0. Default: 0.005.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> view = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> BarlowTwinsLoss()(view, view.flip(0))
        tensor(8.)

    Reference:
        Zbontar et al. 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction",
        arXiv:2103.03230.
    """

    claims: ClassVar = attrs.evolve(MomentsLoss.claims, invariant=("scale",))

    redundancy: float = number(default=0.005, at_least=0)

    def of_views(self, views: Views) -> Tensor:
        """Compare correlations with one and with zero."""
        ours, theirs, share = views.input, views.target, views.share
        sums = [(share * ours).T @ theirs, *((share * each.square()).sum(dim=0) for each in (ours, theirs))]
        product, *squares = added_up(sums, self.process_group)
        of_ours, of_theirs = (reciprocal_root(each) for each in squares)
        correlation = of_ours.unsqueeze(1) * product * of_theirs
        same = (1 - correlation.diagonal()).square().sum()
        return same + self.redundancy * off_diagonal(correlation).square().sum()
