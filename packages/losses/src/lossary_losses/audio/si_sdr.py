"""Scale-invariant signal-to-distortion ratio: how much louder what is wrong is than what is right."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import energy
from lossary_losses.audio.decibel_ratio import DecibelRatioLoss, Energies
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SISDRLoss"]


@loss_registry.register(
    name="si_sdr_loss",
    aliases=["SISDRLoss"],
    tags=["audio", "signals", "decibels"],
)
@define_loss
class SISDRLoss(DecibelRatioLoss):
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

    common_scale: ClassVar = False

    def energies(self, signal: Tensor, truth: Tensor) -> Energies:
        """Compare what of the signal is not the target, at any gain, with what is."""
        wanted = energy(truth)
        gain = (signal * truth).sum(-1) / torch.where(wanted == 0, 1, wanted)
        explained = gain.unsqueeze(-1) * truth
        return Energies(energy(signal - explained), energy(explained), energy(signal))
