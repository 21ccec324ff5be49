"""Proxy anchor: the centre of a class draws the hardest of its samples, and pushes off the hardest others."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Selection, prepare, ready
from lossary_losses._core.distribution import gather_over_processes
from lossary_losses._core.options import integer, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.rows import NOTHING, left_out
from lossary_losses._core.stable import bounded, softplus
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ProxyAnchorLoss"]


@loss_registry.register(
    name="proxy_anchor_loss",
    aliases=["ProxyAnchorLoss"],
    tags=["representation", "classification", "multiclass"],
)
@define_loss
class ProxyAnchorLoss(ReducedLoss):
    r"""Soft maxima, for each class, over its samples and over all others, of cosines to its centre.

    .. math:: \ell = \frac{1}{|P^+|} \sum_{p \in P^+} \log \Big( 1 + \sum_{i:\, y_i = p}
        e^{-\alpha (x_{ip} - \delta)} \Big) + \frac{1}{|P|} \sum_{p \in P} \log \Big( 1 +
        \sum_{i:\, y_i \ne p} e^{\alpha (x_{ip} + \delta)} \Big)

    Convention:
        The input is the cosine between normalised embeddings and normalised centres (the proxies), which are
        weights of the model: ``normalize(embedding) @ normalize(centres).T``. :math:`P^+` are the classes of
        the batch, P all of them. pytorch-metric-learning holds the centres itself, and has the same number.
        An element is a class; that of a class in the batch has the share :math:`|P| / |P^+|` of the first
        sum, so that the mean is the paper's. The batch is looked at as a whole: with ``process_group`` that
        of all processes, of which only one sum for each class travels. A weight of 2 counts as two samples.

    Shapes:
        ``input``: ``(B, C, *S)``, cosines. ``target``: ``(B, *S)`` class indices of any integer dtype.
        Result: a scalar, or ``(C,)`` with ``reduction="none"``.

    Args:
        alpha: How sharp the soft maxima are, > 0. Default: 32.
        delta: The margin of cosines, >= 0. Default: 0.1.
        ignore_index: Samples whose target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ProxyAnchorLoss(alpha=1.0)(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
        tensor(0.7134)

    Reference:
        Kim et al. 2020, "Proxy Anchor Loss for Deep Metric Learning", arXiv:2003.13911.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}},
        element="class",
        couples="batch",
        adds_up="no",
        learns_at=1000.0,
    )

    alpha: float = number(default=32.0, above=0)
    delta: float = number(default=0.1, at_least=0)
    ignore_index: int | None = integer(default=None)

    @property
    def sums_over_processes(self) -> bool:
        """Say so wherever there are several."""
        return self.process_group is not None

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each class."""
        dense = prepare(input, target, Selection(self.ignore_index, mask, weight), "labels")
        cosines, labels, share, *_ = ready(dense)
        rows = self.alpha * bounded(cosines.movedim(1, -1).flatten(0, -2))
        of_class = labels.flatten().unsqueeze(1) == torch.arange(rows.shape[1], device=rows.device)
        others, times = ~of_class, rows.new_zeros(())
        if share is not None:
            shares = share.flatten().unsqueeze(1)
            of_class, others = of_class & (shares > 0), others & (shares > 0)
            times = torch.where(shares > 0, shares, 1).log()
        margin = self.alpha * self.delta + times
        positive = self._log_sums(margin - rows, of_class)
        negative = self._log_sums(margin + rows, others)
        present = self._present(of_class)
        scale = len(present) / present.sum().clamp(min=1)
        return Elements(softplus(negative) + torch.where(present, scale * softplus(positive), 0), None)

    def _log_sums(self, values: Tensor, counted: Tensor) -> Tensor:
        """Give the logarithm of the sum of exponentials of what counts in each column, over all processes."""
        sums = left_out(values, counted).logsumexp(dim=0).clamp(min=NOTHING)
        if self.process_group is not None:
            sums = gather_over_processes(sums.unsqueeze(1), self.process_group).logsumexp(dim=1)
        return sums

    def _present(self, of_class: Tensor) -> Tensor:
        """Tell which classes are in the batch."""
        present = of_class.any(dim=0)
        if self.process_group is not None:
            everywhere = gather_over_processes(present.float().unsqueeze(1), self.process_group)
            present = everywhere.any(dim=1)
        return present
