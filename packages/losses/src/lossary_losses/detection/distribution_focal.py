"""Distribution focal loss: a place between bins, by the two bins beside it."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_between
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, incompatible_shapes, on_one_device, require_tensor
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import log_softmax, softmax
from lossary_losses._core.stable import bounded, times
from lossary_losses._core.vectors import VectorLoss
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DistributionFocalLoss"]

_LEAST_BINS = 2


@loss_registry.register(
    name="distribution_focal_loss",
    aliases=["DistributionFocalLoss"],
    tags=["detection", "boxes", "cross_entropy"],
)
@define_loss
class DistributionFocalLoss(VectorLoss):
    r"""Cross entropy of a place against a distribution over bins, shared by the two bins beside it.

    .. math:: \ell = -(r - y) \log p_l - (y - l) \log p_r, \quad l = \lfloor y \rfloor, \quad r = l + 1

    :math:`p` being the softmax over the bins. At a bin it is cross entropy.

    Convention:
        Each side of a box is an element, with a distribution of its own; the place is its distance in units
        of bins, 0 to K - 1, both ends included: divide by the stride yourself. The target is left as it is,
        and a place beyond the bins raises; Ultralytics clamps its target in place, and MMDetection fails at
        the last bin. Ultralytics has the mean of the four sides, MMDetection each side; the paper's code
        multiplies by a quarter. The loss is lowest, at the entropy of both shares, where
        :math:`p_l = r - y`.

    Shapes:
        ``input``: ``(*, K)``, logits of two bins or more. ``target``: ``(*)``, values from 0 to K - 1.
        ``mask`` and ``weight``: ``(*)``, one for each place.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = DistributionFocalLoss()
        >>> loss(torch.tensor([[0.0, 1.0, 1.0, 0.0]]), torch.tensor([1.5]))
        tensor(1.0064)

    Reference:
        Li et al. 2020, "Generalized Focal Loss: Learning Qualified and Distributed Bounding Boxes for Dense
        Object Detection", arXiv:2006.04388.
    """

    claims: ClassVar = Claims(
        targets={"places": {}}, input="place_logits", perfect=None, layout="* K", element="place"
    )

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Check shapes and places, and bring the distributions into one row."""
        require_tensor(target, "target")
        if input.ndim == 0 or input.shape[-1] < _LEAST_BINS:
            raise InputValueError(
                f"logits of {_LEAST_BINS} bins or more stand in the last dimension: "
                f"input {tuple(input.shape)}, target {tuple(target.shape)}"
            )
        if target.shape != input.shape[:-1]:
            raise incompatible_shapes(input, target, f"{tuple(input.shape[:-1])}")
        rows = input.reshape(-1, input.shape[-1])
        places = target.reshape(-1, 1)
        selection = self.selection_in_a_row(input, mask, weight)
        mask, weight = (
            None if each is None else each.unsqueeze(1) for each in (selection.mask, selection.weight)
        )
        dense = on_one_device(Dense(rows, places, mask, weight, "values", None))
        counted = places if mask is None else torch.where(mask, places, 0)
        check_between(counted, 0, input.shape[-1] - 1, "target")
        return dense

    def point(self, ready: Ready) -> Elements:
        """Share the cross entropies of both bins."""
        left, right, share = _beside(ready)
        log_probability = log_softmax(ready.input)
        of_left, of_right = (bounded(log_probability.of(each)) for each in (left, right))
        return weigh(-torch.lerp(of_left, of_right, share), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the probabilities, less what they should be."""
        left, right, share = _beside(ready)
        slope = softmax(ready.input)
        slope.scatter_add_(1, left, share - 1).scatter_add_(1, right, -share)
        return times(slope, ready.share)


def _beside(ready: Ready) -> tuple[Tensor, Tensor, Tensor]:
    """Give the bins to the left and to the right of each place, and the share of the right one."""
    place = ready.target
    # NaN is in no bin, and comes back with the share.
    left = torch.where(place > 0, place.detach().floor(), 0).clamp(max=ready.input.shape[1] - 2).long()
    return left, left + 1, place - left
