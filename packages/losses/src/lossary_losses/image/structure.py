"""What structural similarities share: how two images compare within a window, in light and in structure."""

from typing import Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.images import ImageLoss
from lossary_losses._core.options import choice, integer, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.windows import Moments, Window, gaussian_window, local_moments

__all__ = ["StructureLoss"]


@define_loss
class StructureLoss(ImageLoss, ReducedLoss):
    """A loss of the luminance and the structure of two images, window by window."""

    data_range: float = number(default=1.0, above=0)
    window: Literal["gaussian", "uniform"] = choice("gaussian", "uniform", default="gaussian")
    window_size: int = integer(default=11, at_least=1, odd=True)
    sigma: float = number(default=1.5, above=0)
    k1: float = number(default=0.01, above=0)
    k2: float = number(default=0.03, above=0)

    def moments(self, image: Tensor, truth: Tensor, counted: Tensor | None) -> Moments:
        """Compute the moments of each window."""
        return local_moments(image, truth, self._window(image), counted)

    def structure(self, moments: Moments) -> Tensor:
        """Give one minus the similarity of contrast and structure: never below zero."""
        difference = moments.variance_of_difference
        return 2 * difference / (moments.variance_of_sum + difference + 2 * (self.k2 * self.data_range) ** 2)

    def both(self, moments: Moments) -> Tensor:
        """Give one minus the similarity of luminance times that of contrast and structure."""
        squared = moments.mean_of_difference.square()
        constant = 2 * (self.k1 * self.data_range) ** 2
        luminance = 2 * squared / (moments.mean_of_sum.square() + squared + constant)
        structure = self.structure(moments)
        return torch.addcmul(luminance + structure, luminance, structure, value=-1)

    def _window(self, image: Tensor) -> Window:
        if self.window == "uniform":
            return self.window_size
        return gaussian_window(self.window_size, self.sigma, image)
