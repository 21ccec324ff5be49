"""Scale-invariant error of depth, in logarithms."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_nonnegative, check_positive
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import prepare_samples
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SILogLoss"]


@loss_registry.register(
    name="silog_loss",
    aliases=["SILogLoss"],
    tags=["geometry", "depth"],
)
@define_loss
class SILogLoss(ReducedLoss):
    r"""How far depths are from the truth in logarithms, most of all how unequally far.

    .. math:: \ell = s \sqrt{\operatorname{var}(g) + (1 - \lambda)\, \overline{g}^2}, \quad
        g = \log x - \log t

    Mean and variance are those of a sample's positions that count. With :math:`\lambda = 1` a common factor
    of all depths costs nothing.

    Convention:
        Input and target are depths, not their logarithms, above zero where they count; where a sensor saw
        nothing and left a zero, mask it: ``mask=target > 0``. A loss that is not finite tells of an input of
        zero. BTS has ``scale=10`` and takes all positions of
        the batch for one; here each sample has its own loss, and the mean is over samples. The first paper
        has no root and :math:`\lambda = 1/2`; mmsegmentation has that, with a root. Both compute the mean of
        squares less a square, which rounds to below zero near a perfect prediction, where its root is NaN;
        here the variance is that of centred numbers, and a perfect prediction has zero and no gradient.

    Shapes:
        ``input``: ``(B, *)``, above zero. ``target``: the input's, above zero.
        ``mask``: the input's, or ``(B, *S)`` for an input ``(B, C, *S)``, the positions that count.
        ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        variance_focus: Lambda, how much of a common factor is forgiven, 0 to 1. Default: 0.85.
        scale: What the loss is multiplied with, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = SILogLoss(variance_focus=0.0)
        >>> loss(torch.tensor([[2.0, 4.0]]), torch.tensor([[1.0, 2.0]]))
        tensor(0.6931)

    Reference:
        Eigen et al. 2014, "Depth Map Prediction from a Single Image using a Multi-Scale Deep Network",
        arXiv:1406.2283. With a root: Lee et al. 2019, "From Big to Small: Multi-Scale Local Planar Guidance
        for Monocular Depth Estimation", arXiv:1907.10326.
    """

    claims: ClassVar = Claims(
        targets={"depths": {}}, input="depths", layout="B *", memory=12, invariant=("common_gain",)
    )

    variance_focus: float = number(default=0.85, at_least=0, at_most=1)
    scale: float = number(default=1.0, above=0)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the error of each sample."""
        depth, truth, counted, share = prepare_samples(input, target, mask=mask, weight=weight)
        depth, truth = (each if counted is None else torch.where(counted, each, 1) for each in (depth, truth))
        check_nonnegative(depth, "input")
        check_positive(truth, "target")
        gap = depth.log() - truth.log()
        count = _count(gap, counted)
        mean = gap.sum(-1, keepdim=True) / count
        centred = gap - mean if counted is None else torch.where(counted, gap - mean, 0)
        variance = centred.square().sum(-1) / count.squeeze(-1)
        error = variance + (1 - self.variance_focus) * mean.squeeze(-1).square()
        return Elements(self.scale * power_of_nonnegative(error, 0.5) * share, share)


def _count(gap: Tensor, counted: Tensor | None) -> Tensor:
    """Count the positions of each sample, one at least."""
    if counted is None:
        return gap.new_full((len(gap), 1), max(gap.shape[-1], 1))
    return counted.sum(-1, keepdim=True).clamp(min=1).to(gap.dtype)
