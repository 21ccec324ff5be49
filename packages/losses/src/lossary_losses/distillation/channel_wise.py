"""Channel-wise distillation: where each channel of a feature map looks."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import incompatible_shapes, require_mask, require_tensor
from lossary_losses._core.divergence import compare, divergence
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, require_shape
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ChannelWiseDistillationLoss"]

_RANK = 3
"""Batch, channels, and one dimension of space or more."""


@loss_registry.register(
    name="channel_wise_distillation_loss",
    aliases=["ChannelWiseDistillationLoss"],
    tags=["distillation", "features"],
)
@define_loss
class ChannelWiseDistillationLoss(ReducedLoss):
    r"""Kullback-Leibler divergence of where the channels of student and teacher look, averaged over channels.

    .. math:: \ell = \frac{T^2}{C} \sum_{c} \mathrm{KL}\big( \mathrm{softmax}_i(t_{ci} / T) \,\|\,
        \mathrm{softmax}_i(x_{ci} / T) \big)

    Convention:
        The softmax is over the positions of a channel. The mean is over samples, as in mmrazor, whose sum is
        divided by channels and samples. The paper takes logits of a segmentation, or features; where the
        student has other channels than the teacher, it takes a projection that is learned with it. What is
        added to a whole channel changes nothing. Positions that a mask leaves out have no probability. Both
        networks have a gradient; detach a teacher that is not to learn.

    Shapes:
        ``input``: ``(B, C, *S)``, logits or features of the student. ``target``: the input's, the teacher's.
        ``mask``: ``(B, *S)``, the positions that count, or ``(B,)``, the samples. ``weight``: ``(B,)``.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        temperature: What the values are divided by, > 0. Default: 4.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[2.0, 0.0]]])
        >>> ChannelWiseDistillationLoss(temperature=1.0)(student, teacher)
        tensor(0.0671)

    Reference:
        Shu et al. 2020, "Channel-wise Knowledge Distillation for Dense Prediction", arXiv:2011.13256.
    """

    claims: ClassVar = Claims(
        input="features", targets={"features": {}}, layout="B *", element="sample", invariant=()
    )

    temperature: float = number(default=4.0, above=0)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample."""
        require_tensor(target, "target")
        if target.shape != input.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
        if input.ndim < _RANK or 0 in input.shape[1:]:
            raise InputValueError(
                f"input must be of shape (B, C, *S) with positions, got {tuple(input.shape)}"
            )
        positions = None
        if mask is not None and mask.ndim > 1:
            require_mask(mask)
            require_shape(mask, "mask", (len(input), *input.shape[2:]), input)
            positions = mask.flatten(1)
            mask = positions.any(dim=1)
        rows = prepare_rows(input, mask, weight)
        truth, other = (each.flatten(2).mT for each in (rows.like_input(target, "target"), rows.input))
        if positions is not None:
            truth, other = (torch.where(positions.unsqueeze(2), each, -torch.inf) for each in (truth, other))
        value = divergence(compare(truth, other, self.temperature)).mean(dim=(1, 2))
        return weigh(self.temperature**2 * value, rows.share)
