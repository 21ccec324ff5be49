"""What losses of signals share that are a ratio of energies in decibels."""

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.energies import decibels, energy, prepare_signals
from lossary_losses._core.options import choice, flag, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements

__all__ = ["DecibelRatioLoss", "Energies"]


class Energies(NamedTuple):
    """What a signal is made of."""

    noise: Tensor
    signal: Tensor
    total: Tensor
    """The energy of which the signal's is computed as a part, with its rounding."""


@define_loss
class DecibelRatioLoss(ReducedLoss):
    """A loss that is a ratio of energies, for each signal; subclasses say of which."""

    common_scale: ClassVar[bool]
    """Whether input and target are compared as they are, and not each by itself."""

    zero_mean: bool = flag(default=False)
    max_decibels: float | None = number(default=None, above=0)
    silent: Literal["skip", "zero"] = choice("skip", "zero", default="skip")

    def energies(self, signal: Tensor, truth: Tensor) -> Energies:
        """Give the energies that are compared; a truth may be silent, but what comes of it is not used."""
        raise NotImplementedError(f"{type(self).__name__} must say what it compares")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each signal."""
        signal, truth, share, *_ = prepare_signals(
            input,
            target,
            mask=mask,
            weight=weight,
            zero_mean=self.zero_mean,
            common_scale=self.common_scale,
        )
        is_silent = energy(truth) == 0
        level = decibels(*self.energies(signal, truth), self.max_decibels)
        value = torch.where(is_silent | (share == 0), 0, level) * share
        return Elements(value, torch.where(is_silent, 0, share) if self.silent == "skip" else share)
