"""Gradient difference: whether an image changes from place to place as the target does."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import counted_positions, ready
from lossary_losses._core.differences import forward_differences, sobel_differences
from lossary_losses._core.images import ImageLoss, prepare_images
from lossary_losses._core.options import choice, integer
from lossary_losses._core.pyramid import halved, spread_out
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GradientDifferenceLoss"]


@loss_registry.register(
    name="gradient_difference_loss",
    aliases=["GradientDifferenceLoss"],
    tags=["image"],
)
@define_loss
class GradientDifferenceLoss(ImageLoss, ReducedLoss):
    r"""How much the changes from position to position differ between input and target, along all dimensions.

    .. math:: \ell_i = \sum_a \left| \partial_a x_i - \partial_a t_i \right|

    What differs by a constant costs nothing; edges that are blurred, or out of place, do.

    Convention:
        The element is a position of a channel, with its differences along each dimension of space added up.
        The changes themselves are compared, where the paper compares their sizes,
        :math:`\left| |\partial_a x| - |\partial_a t| \right|`, to which an edge of the opposite sign is as
        good as the right one; its power is 1 here.
        A forward difference is that to the next position, and counts where both positions do; the last
        position along a dimension has none. Sobel's difference is that of the positions on both sides,
        divided by 2, smoothed by 1, 2, 1 along each other dimension, divided by 4, so that it is a slope per
        position; kornia's ``normalized=True`` is the same in two dimensions. It counts where the whole
        neighbourhood of three positions along each dimension does, and is zero at the border.
        With several scales, each has images of half the size, averages over blocks of two positions along
        each dimension; each of the differences is per position of its own scale. What a block costs, each of
        its positions does, so that scales weigh alike.

    Shapes:
        ``input``: ``(B, C, *S)``, with one dimension of space or more.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(B, *S)`` or the input's.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        stencil: Which positions a change is made of: ``"forward"`` (default), a position and the next one, or
            ``"sobel"``, three along each dimension, which noise disturbs less.
        scales: At how many scales images are compared, >= 1. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = GradientDifferenceLoss(reduction="sum")
        >>> loss(torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([[[0.0, 1.0, 1.0]]]))
        tensor(2.)

    Reference:
        Mathieu et al. 2016, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440.
    """

    claims: ClassVar = Claims(
        targets={"images": {}},
        input="images",
        element="position",
        reach=1,
        memory=8,
        invariant=("exchange", "offset"),
    )

    stencil: Literal["forward", "sobel"] = choice("forward", "sobel", default="forward")
    scales: int = integer(default=1, at_least=1)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each position."""
        dense = prepare_images(input, target, mask, weight)
        image, truth, share, *_ = ready(dense)
        # Stencils and averages are linear: those of the difference are the difference of theirs.
        difference, counted = image - truth, counted_positions(dense)
        space = input.shape[2:]
        total = torch.zeros_like(difference)
        for scale in range(self.scales):
            if scale:
                difference, counted = halved(difference, counted)
            total = total + spread_out(self._changes(difference, counted), scale, space)
        return weigh(total, share)

    def _changes(self, difference: Tensor, counted: Tensor | None) -> Tensor:
        """Add up the sizes of the changes at one scale."""
        stencil = forward_differences if self.stencil == "forward" else sobel_differences
        total = torch.zeros_like(difference)
        for change in stencil(difference, counted):
            total = total + change.abs()
        return total
