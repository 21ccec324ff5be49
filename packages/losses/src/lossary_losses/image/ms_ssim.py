"""Structural similarity at several scales, from the finest details to the coarsest."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, counted_positions, ready, require_tensor
from lossary_losses._core.images import prepare_images
from lossary_losses._core.pyramid import halved
from lossary_losses._core.reduction import Elements
from lossary_losses._core.sequences import numbers
from lossary_losses._core.windows import Moments, centres, channel_means, require_windows
from lossary_losses.errors import InputValueError
from lossary_losses.image.structure import StructureLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["MSSSIMLoss"]

_LEAST = 1e-3
"""The similarity below which the loss goes on in a straight line."""


@loss_registry.register(
    name="ms_ssim_loss",
    aliases=["MSSSIMLoss", "multiscale_ssim_loss"],
    tags=["image", "windows"],
)
@define_loss
class MSSSIMLoss(StructureLoss):
    r"""One minus the product of structural similarities at several scales, each to the power of a weight.

    .. math:: \ell = 1 - \overline{s}_M^{w_M} \prod_{j < M} \overline{c}_j^{w_j}

    :math:`c_j` is the similarity of contrast and structure at scale :math:`j`, and :math:`s_M` that of
    luminance too, at the coarsest; both are means over all windows of a channel, as in ``ssim_loss``. From
    each scale to the next, images are averaged over blocks of two positions along each dimension.

    Convention:
        As in pytorch-msssim, whose numbers these are where sides can be halved evenly; its ``data_range`` is
        255 unless given, and it pads odd sides with zeros, where here a last position is averaged alone, as
        in piq. The paper's five weights add up to 1.0001, and are not normalized. With one weight of 1 it is
        the mean of ``ssim_loss`` for each channel. kornia's ``MS_SSIMLoss`` is another loss.
        A power of a negative similarity is no number, and peers put zero, of which nothing can be learned.
        Here a logarithm goes on along its tangent below a similarity of 0.001, and so does the exponential
        of their weighted sum: the loss falls wherever a similarity grows, and opposite images cost more than
        unrelated ones, nearly two.
        Masked positions are no part of any window or average, and no centre; a block counts if one of its
        positions does, and a scale at which no window counts is left out.

    Shapes:
        ``input``: ``(B, C, *S)`` with one to three dimensions of space, none shorter than ``window_size``
        at the coarsest scale: 161 or more for five scales and windows of 11.
        ``target``: the input's.
        ``mask``: ``(B, *S)`` or the input's.
        ``weight``: ``(B,)`` or ``(B, C)``.
        Result: a scalar, or ``(B, C)`` with ``reduction="none"``.

    Args:
        weights: The power of each scale, > 0, the finest first. Default: the paper's five.
        data_range: The largest value that an image can have, less the smallest, > 0. Default: 1.
        window: How positions count: ``"gaussian"`` (default) or ``"uniform"``, all alike.
        window_size: How many positions a window has along each dimension, odd. Default: 11.
        sigma: The standard deviation of a Gaussian window, in positions, > 0. Default: 1.5.
        k1: What keeps the luminance of dark images finite, as a share of the range, > 0. Default: 0.01.
        k2: What keeps the contrast of flat images finite, > 0. Default: 0.03.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = MSSSIMLoss(weights=[0.5, 0.5], window_size=5)
        >>> loss(torch.full((1, 3, 16, 16), 0.5), torch.full((1, 3, 16, 16), 0.25))
        tensor(0.1055)

    Reference:
        Wang et al. 2003, "Multi-scale structural similarity for image quality assessment",
        doi:10.1109/ACSSC.2003.1292216.
    """

    claims: ClassVar = Claims(
        targets={"images": {}},
        input="whole_images",
        high=2.001,
        element="sample and channel",
        options={"window_size": 3, "weights": [0.4, 0.6]},
        memory=16,
        invariant=("exchange",),
    )

    weights: Sequence[float] = numbers(default=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333), above=0)

    def prepare(
        self, input: Tensor, target: Tensor | None, mask: Tensor | None, weight: Tensor | None
    ) -> Dense:
        """Check the shapes of everything; a weight is one of samples, or of channels."""
        dense = prepare_images(input, target, mask, None)
        shortest = (self.window_size - 1) * 2 ** (len(self.weights) - 1) + 1
        require_windows(input, self.window_size, shortest)
        if weight is not None:
            require_tensor(weight, "weight")
            accepted = input.shape[:1], input.shape[:2]
            if weight.shape not in accepted:
                raise InputValueError(
                    f"Incompatible shapes: input {tuple(input.shape)}, weight {tuple(weight.shape)}; "
                    f"accepted for the weight: {' or '.join(str(tuple(each)) for each in accepted)}"
                )
        return dense

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each channel of each sample."""
        dense = self.prepare(input, target, mask, weight)
        image, truth, *_ = ready(dense)
        counted = counted_positions(dense)
        # Averages of large values would lose what is different between the images.
        level = channel_means(truth, counted)
        image, truth = (_less(each, level, counted) for each in (image, truth))
        logarithm, windows = image.new_zeros(image.shape[:2]), image.new_zeros(image.shape[:2])
        for scale, power in enumerate(self.weights, start=1):
            moments, at_scale = self.moments(image, truth, counted), counted
            if scale == len(self.weights):
                mean_of_sum, mean_of_difference, of_sum, of_difference, _ = moments
                each = self.both(Moments(mean_of_sum + 2 * level, mean_of_difference, of_sum, of_difference))
            else:
                each = self.structure(moments)
                (image, _), (truth, counted) = halved(image, counted), halved(truth, counted)
            dissimilarity, count = self._mean(each, at_scale)
            logarithm, windows = logarithm + power * _logarithm(dissimilarity), windows + count
        share = (windows > 0).to(image.dtype)
        if weight is not None:
            weight = (weight if weight.ndim > 1 else weight.unsqueeze(1)).to(image.dtype)
            share = torch.where(share > 0, weight, 0)
            check_nonnegative(share, "weight")
        return Elements(_one_minus_exponential(logarithm) * share, share)

    def _mean(self, each: Tensor, counted: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give the mean over the windows of each channel, and how many count."""
        if counted is None:
            return each.flatten(2).mean(2), each.new_full(each.shape[:2], 1)
        is_centre = centres(counted, self.window_size).expand_as(each).flatten(2)
        count = is_centre.sum(2)
        return torch.where(is_centre, each.flatten(2), 0).sum(2) / count.clamp(min=1), count


def _less(image: Tensor, level: Tensor, counted: Tensor | None) -> Tensor:
    return image - level if counted is None else torch.where(counted, image - level, 0)


def _logarithm(dissimilarity: Tensor) -> Tensor:
    """Give the logarithm of a similarity, of which one minus it is given, and its tangent at the least."""
    beyond = dissimilarity - (1 - _LEAST)
    is_proper = beyond <= 0
    proper = (-torch.where(is_proper, dissimilarity, 0)).log1p()
    return torch.where(is_proper, proper, math.log(_LEAST) - beyond / _LEAST)


def _one_minus_exponential(logarithm: Tensor) -> Tensor:
    """Give one minus the exponential, and its tangent where that is the least."""
    beyond = logarithm - math.log(_LEAST)
    is_proper = beyond >= 0
    return torch.where(is_proper, -torch.where(is_proper, logarithm, 0).expm1(), 1 - _LEAST * (1 + beyond))
