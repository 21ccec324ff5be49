"""VICReg: views agree, and every dimension varies by itself."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.moments import added_up
from lossary_losses._core.options import number
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.moments import MomentsLoss, Views, off_diagonal

__all__ = ["VICRegLoss"]


@loss_registry.register(name="vicreg_loss", aliases=["VICRegLoss"], tags=["representation", "regularization"])
@define_loss
class VICRegLoss(MomentsLoss):
    r"""Squared difference of two views, with variances that do not vanish and covariances that do.

    .. math:: \ell = \lambda\, \frac{1}{n D} \sum_{i, d} (x_{id} - t_{id})^2
        + \frac{\mu}{2 D} \sum_{z, d} \max \left( 0, 1 - \sqrt{\mathrm{Var}(z_d) + \epsilon} \right)
        + \frac{\nu}{D} \sum_{z, c \ne d} \mathrm{Cov}(z_c, z_d)^2

    :math:`z` being both views.

    Convention:
        As the authors' code and lightly have it: the term of variances is the mean of those of both views,
        where the paper adds them up: ``variance=50`` is the paper's 25. Variances and covariances divide by
        n - 1; of one row there are none, and it has the whole penalty, without a gradient from it. Identical
        rows have none either: what pushes them apart are their inputs. A weight says how often a row is
        there. Over processes, statistics are those of all rows.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of two views, both with a gradient.
        Result: a scalar, or ``(1,)`` with ``reduction="none"``: a batch is one element.

    Args:
        invariance: The weight of the differences of views, >= 0. Default: 25.
        variance: The weight of variances that are too small, >= 0. Default: 25.
        covariance: The weight of covariances, >= 0. Default: 1.
        epsilon: What is added to a variance before its root, >= 0. Default: 1e-4.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> VICRegLoss(epsilon=0.0)(torch.zeros(4, 2), torch.zeros(4, 2))
        tensor(25.)

    Reference:
        Bardes et al. 2021, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", arXiv:2105.04906.
    """

    invariance: float = number(default=25.0, at_least=0)
    variance: float = number(default=25.0, at_least=0)
    covariance: float = number(default=1.0, at_least=0)
    epsilon: float = number(default=1e-4, at_least=0)

    def of_views(self, views: Views) -> Tensor:
        """Add the three terms up."""
        share, both = views.share, (views.input, views.target)
        sums = [(share * views.difference.square()).sum(), *((share * each).T @ each for each in both)]
        squared, *products = added_up(sums, self.process_group)
        size = max(views.input.shape[1], 1)
        value = self.invariance * squared / (torch.where(views.number > 0, views.number, 1) * size)
        # Of one row, or less by weight, there is no variance.
        freedom = torch.where(views.number > 1, views.number - 1, torch.inf)
        for product in products:
            matrix = product / freedom
            spread = power_of_nonnegative(matrix.diagonal() + self.epsilon, 0.5)
            value = value + self.variance / 2 * (1 - spread).relu().sum() / size
            value = value + self.covariance * off_diagonal(matrix).square().sum() / size
        return value
