"""Local cross-correlation: how well one image follows the other in each window, whatever their contrast."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import counted_positions, ready
from lossary_losses._core.images import ImageLoss
from lossary_losses._core.options import flag, integer
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.windows import (
    Moments,
    centres,
    local_moments,
    require_windows,
    standardized,
)
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LocalCrossCorrelationLoss"]

_ROUNDING = 8
"""How many units in the last place of what it is made of a variance may owe to rounding."""


@loss_registry.register(
    name="local_cross_correlation_loss",
    aliases=["LocalCrossCorrelationLoss"],
    tags=["image", "windows"],
)
@define_loss
class LocalCrossCorrelationLoss(ImageLoss, ReducedLoss):
    r"""One minus the squared correlation of two images, in a window around each position.

    .. math:: \ell = 1 - r^2, \quad \text{or} \quad \ell = 1 - r, \qquad
        r = \frac{\sigma_{xt}}{\sigma_x \sigma_t}

    Variances and covariance are those within the window; brightness and contrast of neither image matter.

    Convention:
        As in the paper, with the sign turned and one added, so that a perfect match costs zero. MONAI's
        ``LocalNormalizedCrossCorrelationLoss`` is this loss less one, with windows of 3 unless told; it
        continues images with zeros, where here windows lie within. With ``squared=False`` opposite images
        cost two, and unrelated ones one; squared, opposite images are as good as equal ones.
        There is no epsilon. A window whose variance, beside that of its image, is no more than rounding is
        flat, and has no gradient: two flat windows are as alike as they can be and cost nothing, and a flat
        one beside another costs one.
        Masked positions are no part of any window, and no centre.

    Shapes:
        ``input``: ``(B, C, *S)`` with one to three dimensions of space.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(B, *S)`` or the input's; the weight of a window is that of its centre.
        Result: a scalar, or one value per window with ``reduction="none"``: ``(B, C, *S)``, each dimension
        of space shorter by ``window_size - 1``.

    Args:
        window_size: How many positions a window has along each dimension, odd. Default: 9.
        squared: Whether the sign of a correlation does not matter, as between images of two kinds.
            Default: True.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = LocalCrossCorrelationLoss(window_size=3)
        >>> loss(torch.tensor([[[0.0, 1.0, 0.0]]]), torch.tensor([[[1.0, 1.0, 0.0]]]))
        tensor(0.7500)

    Reference:
        Balakrishnan et al. 2019, "VoxelMorph: A Learning Framework for Deformable Medical Image
        Registration", arXiv:1809.05231.
    """

    claims: ClassVar = Claims(
        targets={"images": {}},
        input="images",
        high=2.0,
        element="window",
        options={"window_size": 3},
        reach=1,
        memory=17,
        invariant=("exchange", "mirror", "gain", "offset"),
        exempt={
            "descent_reaches_a_good_fit": "of windows side by side one may follow, and one mirror the target"
        },
    )

    window_size: int = integer(default=9, at_least=3, odd=True)
    squared: bool = flag(default=True)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each window."""
        dense = self.prepare(input, target, mask, weight)
        require_windows(input, self.window_size, self.window_size)
        image, truth, share, *_ = ready(dense)
        counted = counted_positions(dense)
        image, truth = standardized(image, counted), standardized(truth, counted)
        moments = local_moments(image, truth, self.window_size, counted, crossed=True)
        return weigh(self._mismatch(moments), None if share is None else centres(share, self.window_size))

    def _mismatch(self, moments: Moments) -> Tensor:
        """Compute one minus the correlation from what the squared one lacks, which is exact for a match."""
        of_sum, of_difference, crossed = (
            moments.variance_of_sum,
            moments.variance_of_difference,
            moments.covariance,
        )
        assert crossed is not None  # noqa: S101 - tells the type checker
        squares = moments.mean_of_sum.square() + moments.mean_of_difference.square() + of_sum + of_difference
        # Both are four times as large as they are called.
        of_input, of_target = of_sum + of_difference + 2 * crossed, of_sum + of_difference - 2 * crossed
        least = _ROUNDING * torch.finfo(squares.dtype).eps * (squares + 1)
        input_is_flat, target_is_flat = of_input <= least, of_target <= least
        product = torch.where(input_is_flat | target_is_flat, 1, of_input * of_target)
        lacking = 4 * (of_sum * of_difference - crossed.square()).clamp(min=0) / product
        if not self.squared:
            together = (of_sum - of_difference) / product.sqrt()
            is_alike = together > 0
            lacking = torch.where(is_alike, lacking / (1 + torch.where(is_alike, together, 0)), 1 - together)
        lacking = torch.where(input_is_flat | target_is_flat, 1, lacking)
        return torch.where(input_is_flat & target_is_flat, 0, lacking)
