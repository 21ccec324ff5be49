"""Relative error of fields: how large the difference is, as a share of the truth."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import prepare_samples
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.stable import length
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["RelativeLpLoss"]


@loss_registry.register(
    name="relative_lp_loss",
    aliases=["RelativeLpLoss"],
    tags=["regression", "physics"],
)
@define_loss
class RelativeLpLoss(ReducedLoss):
    r"""Norm of the difference over the norm of the target, sample by sample.

    .. math:: \ell = \frac{\lVert x - t \rVert_p}{\lVert t \rVert_p}, \quad
        \lVert x \rVert_p = \Big( \sum_i |x_i|^p \Big)^{1/p}

    Convention:
        The norm is over everything of a sample, its channels too. ``"mean"`` is over samples;
        neuraloperator's ``LpLoss`` adds them up unless it is told ``reduction="mean"``, and can keep channels
        apart. There is no epsilon: at a perfect input the gradient is zero, where neuraloperator's is NaN. A
        sample whose target is zero has no relative error: it costs nothing and does not count. The spacing of
        a grid, the same for both norms, cancels out.

    Shapes:
        ``input``: ``(B, *)``. ``target``: the input's.
        ``mask``: the input's, or ``(B, *S)`` for an input ``(B, C, *S)``, the positions that count.
        ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        power: The p of the norm, >= 1. Default: 2.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> RelativeLpLoss()(torch.tensor([[3.0, 3.0]]), torch.tensor([[3.0, 4.0]]))
        tensor(0.2000)

    Reference:
        Li et al. 2020, "Fourier Neural Operator for Parametric Partial Differential Equations",
        arXiv:2010.08895.
    """

    claims: ClassVar = Claims(
        targets={"fields": {}}, input="fields", layout="B *", memory=9, invariant=("common_gain",)
    )

    power: float = number(default=2.0, at_least=1)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the relative error of each sample."""
        values, truth, _, share = prepare_samples(input, target, mask=mask, weight=weight)
        size = length(truth, self.power)
        share = torch.where(size == 0, 0, share)
        error = length(values - truth, self.power) / torch.where(size == 0, 1, size)
        return Elements(torch.where(share == 0, 0, error) * share, share)
