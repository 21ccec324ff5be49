"""Scale-invariant signal-to-distortion ratio: how much louder what is wrong is than what is right."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import decibels, energy, prepare_signals
from lossary_losses._core.options import choice, flag, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SISDRLoss"]


@loss_registry.register(
    name="si_sdr_loss",
    aliases=["SISDRLoss"],
    tags=["audio", "signals", "decibels"],
)
@define_loss
class SISDRLoss(ReducedLoss):
    r"""Minus the ratio, in decibels, of the part of a signal that is the target to the part that is not.

    .. math:: \ell = 10 \log_{10} \frac{\lVert x - \alpha t \rVert^2 + \tau \lVert \alpha t \rVert^2}
        {\lVert \alpha t \rVert^2}, \quad \alpha = \frac{\langle x, t \rangle}{\lVert t \rVert^2},
        \quad \tau = 10^{-\text{max\_decibels} / 10}

    Neither the loudness of the input nor that of the target matters, nor their polarity.

    Convention:
        As in the paper there is no epsilon, and no mean is subtracted unless ``zero_mean``; that is
        torchmetrics' default too, and auraloss and Asteroid subtract it unless told. Their epsilon of 1e-8
        is absolute, so that quiet signals have another ratio; here energies are relative to each signal's
        own. Without ``max_decibels`` the loss ends where rounding begins, at 138 dB in float32 and 313 dB in
        float64 to either side: a perfect input has the least, and an input that is silent, or has nothing
        of the target, the most, neither with a gradient. A target that is silent has no ratio: see
        ``silent``.

    Shapes:
        ``input``: ``(B, *, T)``, time last.
        ``target``: the input's.
        ``mask``: ``(B, T)`` or the input's, the steps that count.
        ``weight``: ``(B, *)``, one for each signal.
        Result: a scalar, or ``(B, *)`` with ``reduction="none"``.

    Args:
        zero_mean: Whether to subtract the mean over time from input and target. Default: False.
        max_decibels: The ratio that is as good as perfect, > 0: from there on the loss hardly falls, and it
            never is below minus that. Default: None, the paper's ratio.
        silent: What a signal costs whose target is silent: ``"skip"`` (default) leaves it out of the mean,
            ``"zero"`` counts it as zero. Neither has a gradient.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = SISDRLoss()
        >>> loss(torch.tensor([[1.0, 0.1, 1.0, -0.1]]), torch.tensor([[1.0, 0.0, 1.0, 0.0]]))
        tensor(-20.)

    Reference:
        Le Roux et al. 2018, "SDR - half-baked or well done?", arXiv:1811.02508. The bound: Wisdom et al.
        2020, "Unsupervised Sound Separation Using Mixture Invariant Training", arXiv:2006.12701.
    """

    claims: ClassVar = Claims(
        targets={"signals": {}},
        input="signals",
        low=None,
        perfect=None,
        layout="B * T",
        element="signal",
        memory=8,
        invariant=("gain", "polarity", "common_gain", "reversal"),
    )

    zero_mean: bool = flag(default=False)
    max_decibels: float | None = number(default=None, above=0)
    silent: Literal["skip", "zero"] = choice("skip", "zero", default="skip")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each signal."""
        signal, truth, share = prepare_signals(
            input, target, mask=mask, weight=weight, zero_mean=self.zero_mean
        )
        energy_of_truth = energy(truth)
        is_silent = energy_of_truth == 0
        gain = (signal * truth).sum(-1) / torch.where(is_silent, 1, energy_of_truth)
        explained = gain.unsqueeze(-1) * truth
        level = decibels(energy(signal - explained), energy(explained), energy(signal), self.max_decibels)
        value = torch.where(is_silent | (share == 0), 0, level) * share
        return Elements(value, torch.where(is_silent, 0, share) if self.silent == "skip" else share)
