"""Signal-to-noise ratio: how much louder what is wrong is than what should be there."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import energy
from lossary_losses.audio.decibel_ratio import DecibelRatioLoss, Energies
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SNRLoss"]


@loss_registry.register(
    name="snr_loss",
    aliases=["SNRLoss"],
    tags=["audio", "signals", "decibels"],
)
@define_loss
class SNRLoss(DecibelRatioLoss):
    r"""Minus the ratio, in decibels, of the target's energy to that of what differs from it.

    .. math:: \ell = 10 \log_{10} \frac{\lVert x - t \rVert^2 + \tau \lVert t \rVert^2}
        {\lVert t \rVert^2}, \quad \tau = 10^{-\text{max\_decibels} / 10}

    Unlike that of ``si_sdr_loss`` this ratio knows how loud the input should be: a silent input has zero
    decibels, and one of the wrong polarity six more.

    Convention:
        With ``max_decibels=30`` it is the loss of mixture invariant training. There is no epsilon, and no
        mean is subtracted unless ``zero_mean``; auraloss subtracts it unless told, and its epsilon of 1e-8 is
        absolute, so that quiet signals have another ratio. Here energies are relative to the target's own.
        Without ``max_decibels`` a perfect input has the least that is not rounding, -138 dB in float32 and
        -313 dB in float64, and no gradient. A target that is silent has no ratio: see ``silent``.

    Shapes:
        ``input``: ``(B, *, T)``, time last.
        ``target``: the input's.
        ``mask``: ``(B, T)`` or the input's, the steps that count.
        ``weight``: ``(B, *)``, one for each signal.
        Result: a scalar, or ``(B, *)`` with ``reduction="none"``.

    Args:
        zero_mean: Whether to subtract the mean over time from input and target. Default: False.
        max_decibels: The ratio that is as good as perfect, > 0: from there on the loss hardly falls, and it
            never is below minus that. Default: None, the plain ratio.
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
        >>> loss = SNRLoss()
        >>> loss(torch.tensor([[1.0, 0.1, 1.0, -0.1]]), torch.tensor([[1.0, 0.0, 1.0, 0.0]]))
        tensor(-20.)

    Reference:
        Wisdom et al. 2020, "Unsupervised Sound Separation Using Mixture Invariant Training",
        arXiv:2006.12701.
    """

    claims: ClassVar = Claims(
        targets={"signals": {}},
        input="signals",
        low=None,
        perfect=None,
        layout="B * T",
        element="signal",
        memory=8,
        invariant=("common_gain", "reversal"),
    )

    common_scale: ClassVar = True

    def energies(self, signal: Tensor, truth: Tensor) -> Energies:
        """Compare what is too much or too little with what should be there."""
        wanted = energy(truth)
        return Energies(energy(signal - truth), wanted, wanted)
