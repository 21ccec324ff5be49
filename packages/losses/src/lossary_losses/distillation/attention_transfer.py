"""Attention transfer: where features are strong, whatever they are."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import incompatible_shapes
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, reciprocal_length, selected
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["AttentionTransferLoss"]

_RANK = 3
"""Batch, channels, and one dimension of space or more."""


@loss_registry.register(
    name="attention_transfer_loss", aliases=["AttentionTransferLoss"], tags=["distillation", "features"]
)
@define_loss
class AttentionTransferLoss(ReducedLoss):
    r"""Mean squared difference of two maps of attention, each of length one.

    .. math:: \ell = \frac{1}{N} \Big\lVert \frac{Q^x}{\lVert Q^x \rVert} - \frac{Q^t}{\lVert Q^t \rVert}
        \Big\rVert^2, \quad Q_i = \frac{1}{C} \sum_c |f_{ci}|^\rho

    with :math:`N` positions.

    Convention:
        As in the authors' code, mdistiller and torchdistill's ``mode="code"``: the mean of squares over
        positions. The paper's equation has the length of the difference, of no square and no mean, and
        half a coefficient in front of it. Student and teacher may have different numbers of channels, but
        the same positions: several layers are several terms. The size of features changes nothing, and
        features of zeros look nowhere: their map is zero, without a gradient. Both networks have a
        gradient; detach a teacher that is not to learn.

    Shapes:
        ``input``: ``(B, C, *S)``, features of the student. ``target``: ``(B, D, *S)``, of the teacher.
        ``mask`` and ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        power: The exponent of features, >= 1: the larger, the more the strongest count. Default: 2.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[[3.0, 0.0]]]), torch.tensor([[[0.0, 1.0], [0.0, 2.0]]])
        >>> AttentionTransferLoss()(student, teacher)
        tensor(1.)

    Reference:
        Zagoruyko and Komodakis 2016, "Paying More Attention to Attention: Improving the Performance of
        Convolutional Neural Networks via Attention Transfer", arXiv:1612.03928.
    """

    claims: ClassVar = Claims(
        input="features",
        targets={"features": {}},
        layout="B *",
        element="sample",
        invariant=("exchange",),
        exempt={"better_costs_less": "on the way to a feature of the other sign there is nothing"},
    )

    power: float = number(default=2.0, at_least=1)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample."""
        require_floating_point(target, "target")
        if input.ndim < _RANK or 0 in input.shape[1:]:
            raise InputValueError(
                f"input must be of shape (B, C, *S) with positions, got {tuple(input.shape)}"
            )
        fits = target.ndim == input.ndim and target.shape[1] > 0
        if not fits or (len(target), *target.shape[2:]) != (len(input), *input.shape[2:]):
            raise incompatible_shapes(input, target, "the input's, with any number of channels")
        rows = prepare_rows(input, mask, weight)
        truth = selected(plain(target).to(rows.input.dtype), rows.counted)
        gap = self._attention(rows.input) - self._attention(truth)
        return weigh(gap.square().mean(dim=1), rows.share)

    def _attention(self, features: Tensor) -> Tensor:
        """Give the map of each sample, of length one."""
        features = features.flatten(2)
        # Divided by the largest, which cancels out, no power is infinite.
        largest = features.detach().abs().amax(dim=(1, 2), keepdim=True)
        features = features / torch.where(largest == 0, 1, largest)
        strength = power_of_nonnegative(features.abs(), self.power).mean(dim=1)
        return strength * reciprocal_length(strength)
