"""Structural similarity: luminance, contrast and structure of two images, window by window."""

from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import counted_positions, ready
from lossary_losses._core.options import choice
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.windows import centres, reflected, require_windows
from lossary_losses.image.structure import StructureLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SSIMLoss"]


@loss_registry.register(
    name="ssim_loss",
    aliases=["SSIMLoss"],
    tags=["image", "windows"],
)
@define_loss
class SSIMLoss(StructureLoss):
    r"""One minus the structural similarity of two images, in a window around each position.

    .. math:: \ell = 1 - \frac{2 \mu_x \mu_t + C_1}{\mu_x^2 + \mu_t^2 + C_1} \cdot
        \frac{2 \sigma_{xt} + C_2}{\sigma_x^2 + \sigma_t^2 + C_2}, \quad C_i = (k_i L)^2

    :math:`L` is ``data_range``; means, variances and covariance are those within the window.

    Convention:
        As in the paper: a Gaussian window of 11 positions, windows that lie within the image, variances
        divided by the number of positions, not by one less. So do pytorch-msssim and MONAI, whose numbers
        these are; pytorch-msssim's ``data_range`` is 255 unless given, and it leaves out dimensions shorter
        than the window, where this loss raises. Kornia and torchmetrics continue images as in a mirror:
        ``padding="reflect"``; kornia's loss is half of this one. scikit-image has a uniform window of 7 and
        sample variances unless told otherwise. Input values are not bound to the data range, but the formula
        takes images for light: where means have opposite signs, opposite structure counts as good.
        The loss is computed from sum and difference of the images, so that it is right for nearly equal
        images and for values far from zero. Masked positions are no part of any window, and no centre.

    Shapes:
        ``input``: ``(B, C, *S)`` with one to three dimensions of space.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(B, *S)`` or the input's; the weight of a window is that of its centre.
        Result: a scalar, or one value per window with ``reduction="none"``: ``(B, C, *S)``, each dimension
        of space shorter by ``window_size - 1`` unless reflected.

    Args:
        data_range: The largest value that an image can have, less the smallest, > 0. Default: 1.
        window: How positions count: ``"gaussian"`` (default) or ``"uniform"``, all alike.
        window_size: How many positions a window has along each dimension, odd. Default: 11.
        sigma: The standard deviation of a Gaussian window, in positions, > 0. Default: 1.5.
        k1: What keeps the luminance of dark images finite, as a share of the range, > 0. Default: 0.01.
        k2: What keeps the contrast of flat images finite, > 0. Default: 0.03.
        padding: ``"valid"`` (default), windows within the image, or ``"reflect"``, a window around every
            position, for which images are continued as in a mirror.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = SSIMLoss()
        >>> loss(torch.full((1, 3, 16, 16), 0.5), torch.full((1, 3, 16, 16), 0.25))
        tensor(0.1999)

    Reference:
        Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity",
        doi:10.1109/TIP.2003.819861.
    """

    claims: ClassVar = Claims(
        targets={"images": {}},
        input="images",
        high=2.0,
        element="window",
        options={"window_size": 3},
        reach=1,
        memory=12,
        invariant=("exchange", "mirror"),
    )

    padding: Literal["valid", "reflect"] = choice("valid", "reflect", default="valid")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each window."""
        dense = self.prepare(input, target, mask, weight)
        shortest = self.window_size if self.padding == "valid" else self.window_size // 2 + 1
        require_windows(input, self.window_size, shortest)
        image, truth, share, *_ = ready(dense)
        counted = counted_positions(dense)
        if self.padding == "reflect":
            image, truth = (reflected(each, self.window_size) for each in (image, truth))
            counted = None if counted is None else reflected(counted, self.window_size)
        elif share is not None:
            share = centres(share, self.window_size)
        return weigh(self.both(self.moments(image, truth, counted)), share)
