"""Total variation: how much neighbours differ, whatever the image shows."""

from functools import reduce
from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import counted_positions, ready
from lossary_losses._core.differences import forward_differences
from lossary_losses._core.images import ImageLoss, prepare_images
from lossary_losses._core.options import choice
from lossary_losses._core.reduced import TargetlessLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import norm_of
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["TotalVariationLoss"]


@loss_registry.register(
    name="total_variation_loss",
    aliases=["TotalVariationLoss"],
    tags=["image", "regularization"],
)
@define_loss
class TotalVariationLoss(ImageLoss, TargetlessLoss):
    r"""How much each position differs from the next one, along all dimensions of space together.

    .. math:: \ell_i = \sum_a |x_{i + e_a} - x_i|, \quad \text{or isotropic} \quad
        \ell_i = \sqrt{\sum_a (x_{i + e_a} - x_i)^2}

    Convention:
        The element is a position of a channel: it has the differences to the next position along each
        dimension of space, of which the last position along a dimension has none. A difference counts where
        both positions do. With ``"sum"`` it is kornia's total variation, which gives one sum for each sample,
        and torchmetrics'. Kornia's mean adds up the means along each axis, each divided by the number of its
        differences; ours divides all of them by the number of positions. piq's ``"l2"`` is the root of one
        sum of squares for each image, not the isotropic total variation; where nothing changes its gradient
        is NaN, and ours zero.

    Shapes:
        ``input``: ``(B, C, *S)``, with one dimension of space or more; there is no target.
        ``mask`` and ``weight``: ``(B, *S)`` or the input's.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        norm: How the differences of a position become one number: ``"l1"`` (default), the sum of their
            sizes, or ``"l2"``, the length of the gradient, which prefers no direction.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = TotalVariationLoss(reduction="sum")
        >>> loss(torch.tensor([[[[0.0, 1.0], [0.0, 3.0]]]]))
        tensor(6.)

    Reference:
        Rudin et al. 1992, "Nonlinear total variation based noise removal algorithms",
        doi:10.1016/0167-2789(92)90242-F.
    """

    claims: ClassVar = Claims(targets={"nothing": {}}, input="images", element="position", reach=1, memory=4)

    norm: Literal["l1", "l2"] = choice("l1", "l2", default="l1")

    def elements(
        self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the variation of each position."""
        dense = prepare_images(input, None, mask, weight)
        values, _, share, *_ = ready(dense)
        differences = forward_differences(values, counted_positions(dense))
        if self.norm == "l1":
            return weigh(reduce(torch.add, (each.abs() for each in differences)), share)
        return weigh(norm_of(differences), share)
