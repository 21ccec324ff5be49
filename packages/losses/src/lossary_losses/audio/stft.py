"""Distance of spectra at several resolutions: how signals sound, whatever their phase."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.by_sample import by_sample
from lossary_losses._core.claims import Claims
from lossary_losses._core.energies import Signals, energy, prepare_signals
from lossary_losses._core.options import choice, integer, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, Fraction, fraction_of_each
from lossary_losses._core.spectrum import (
    Resolution,
    a_weights,
    frame_centres,
    frequencies,
    mel_bands,
    powers,
)
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.audio.stft_options import resolutions, terms
from lossary_losses.errors import OptionValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["STFTLoss"]

_FLOOR = 1e-7
"""140 dB below a tone as loud as the target's largest value: what is quieter is taken for silence."""


@loss_registry.register(
    name="stft_loss",
    aliases=["STFTLoss", "multi_resolution_stft_loss"],
    tags=["audio", "signals", "spectrum"],
)
@define_loss
class STFTLoss(ReducedLoss):
    r"""How the spectra of two signals differ, frame by frame, as a mean over several resolutions.

    .. math:: \ell = \frac{1}{R} \sum_r \left( \frac{\lVert T_r - X_r \rVert}{\lVert T_r \rVert} +
        \overline{\left| \log X_r - \log T_r \right|} \right)

    :math:`X_r` and :math:`T_r` are the magnitudes of the short-time Fourier transforms of input and target;
    the norm is over all frames and frequencies of a signal, and so is the mean.

    Convention:
        The terms and resolutions are those of auraloss's ``MultiResolutionSTFTLoss``, whose number this is
        for one signal. Of several it has one convergence, that of all of them together; here each signal
        has its own, so that a batch is the mean of its signals. Logarithms are natural; windows are Hann's;
        signals go on as in a mirror, which is torch's ``center=True``.
        auraloss takes magnitudes of less than 0.0001 for that much, of which nothing can be learned. Here a
        magnitude is that of the spectrum and of a floor together, as the sides of a right angle; the floor is
        140 dB below a tone as loud as the largest value of the target, or as one where the target is silent.
        So the loudness of input and target together does not matter, and silence with a little noise has a
        gradient. A silent target has no convergence, and the other terms alone.
        Bands are librosa's, and taken of magnitudes, as in auraloss. A-weighting is the gain of the standard
        at each frequency, where auraloss filters by 101 taps.
        A masked step is silence, and a frame counts if the step at its centre does. Where the last step of a
        signal is masked, or the first one, it goes on in silence: how long it is padded does not matter.

    Shapes:
        ``input``: ``(B, *, T)``, time last, of any length.
        ``target``: the input's.
        ``mask``: ``(B, T)`` or the input's, the steps that count.
        ``weight``: ``(B, *)``, one for each signal.
        Result: a scalar, or ``(B, *)`` with ``reduction="none"``.

    Args:
        resolutions: The length of a transform, the steps from one frame to the next, and the length of a
            window, for each resolution. Default: ``((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))``.
        terms: What is compared, with the weight of each, > 0: ``"convergence"``, the norm of the difference
            over that of the target; ``"log"`` and ``"linear"``, the mean difference of logarithms and of
            magnitudes. Default: ``{"convergence": 1, "log": 1}``.
        mel: How many bands the frequencies are brought together in, equally wide in mel. Default: None, all
            frequencies as they are.
        weighting: ``"A"``, frequencies count as the ear hears them, or None (default), all alike.
        sample_rate: How many steps a second has, > 0; needed for ``mel`` and ``weighting``, and only there.
            Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, a sample rate is missing or has no use, or a band is
            so narrow that no frequency is in it.

    Example:
        >>> import torch
        >>> loss = STFTLoss(resolutions=[(16, 4, 16)])
        >>> target = torch.sin(torch.arange(64.0)).unsqueeze(0)
        >>> loss(0.5 * target, target)
        tensor(1.1931)

    Reference:
        Yamamoto et al. 2020, "Parallel WaveGAN: A fast waveform generation model based on generative
        adversarial networks with multi-resolution spectrogram", arXiv:1910.11480. The terms: Arik et al.
        2018, "Fast Spectrogram Inversion using Multi-head Convolutional Neural Networks", arXiv:1808.06719.
    """

    claims: ClassVar = Claims(
        targets={"signals": {}},
        input="framed_signals",
        layout="B * T",
        element="signal",
        options={"resolutions": ((8, 4, 7), (4, 2, 4))},
        memory=64,
        invariant=("common_gain",),
    )

    resolutions: Sequence[tuple[int, int, int]] = resolutions(
        default=((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
    )
    terms: Mapping[Literal["convergence", "log", "linear"], float] = terms(
        default={"convergence": 1.0, "log": 1.0}
    )
    mel: int | None = integer(default=None, at_least=1)
    weighting: Literal["A"] | None = choice("A", None, default=None)
    sample_rate: float | None = number(default=None, above=0)

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        super().__attrs_post_init__()
        if (self.sample_rate is None) != (self.mel is None and self.weighting is None):
            raise OptionValueError(
                "sample_rate must be given with mel or weighting, and only then, got "
                f"sample_rate={self.sample_rate!r}, mel={self.mel!r}, weighting={self.weighting!r}"
            )
        if self.mel is not None and self.sample_rate is not None:
            for size, *_ in self.resolutions:
                bank = mel_bands(
                    self.mel, size, self.sample_rate, torch.empty(0, dtype=torch.float64, device="cpu")
                )
                if not bank.any(0).all():
                    raise OptionValueError(
                        f"mel must leave a frequency in each band, which {self.mel} bands of a transform of "
                        f"{size} steps at {self.sample_rate:g} a second do not"
                    )

    @wherever_spread
    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Fraction:
        """Add up what the samples give, one at a time where that pays."""
        with full_precision(input):
            # Shapes that do not fit are refused as they are given, not as those of a sample.
            self._prepare(input, target, mask, weight)
            given = {"target": target, "mask": mask, "weight": weight}
            sums = by_sample(self, "fraction_of_samples", input, given, one_number=True)
            return Fraction(sums[0].sum(), sums[1].sum())

    def fraction_of_samples(self, input: Tensor, **given: Tensor) -> tuple[Tensor, Tensor]:
        """Give numerator and denominator of each sample."""
        return fraction_of_each(self.elements(input, **given))

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each signal."""
        signals = self._prepare(input, target, mask, weight)
        share = signals.share
        # Of nothing there is no transform. torch 2.6, which transforms no batch of a size that is not fixed,
        # fixes it where it traces this: it compiles anew for another size.
        if not input.numel():
            return Elements(signals.input.sum(-1), share)
        total = torch.zeros_like(share)
        for resolution in self.resolutions:
            total = total + self._distance(signals, resolution)
        return Elements(total / len(self.resolutions) * share, share)

    def _prepare(self, input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None) -> Signals:
        return prepare_signals(input, target, mask=mask, weight=weight, zero_mean=False, common_scale=True)

    def _distance(self, signals: Signals, resolution: Resolution) -> Tensor:
        """Compare the spectra of each signal at one resolution."""
        found = self._magnitudes(signals.input, signals.counted, resolution)
        right = self._magnitudes(signals.target, signals.counted, resolution)
        centres = None
        if signals.counted is not None:
            centres = frame_centres(signals.counted, resolution).unsqueeze(-1)
        distance = torch.zeros_like(signals.share)
        for name, weight in self.terms.items():
            if name == "convergence":
                off, whole = (_energy(each, centres) for each in (right - found, right))
                has_energy = (energy(signals.target) > 0) & (whole > 0)
                ratio = off / torch.where(has_energy, whole, 1)
                term = torch.where(has_energy, power_of_nonnegative(ratio, 0.5), 0)
            elif name == "log":
                term = _mean((found.log() - right.log()).abs(), centres)
            else:
                term = _mean((found - right).abs(), centres) * signals.scale
            distance = distance + weight * term
        return distance

    def _magnitudes(self, signal: Tensor, counted: Tensor | None, resolution: Resolution) -> Tensor:
        """Give the magnitudes of frequencies or bands, none of them zero."""
        size, _, window = resolution
        power = powers(signal, counted, resolution)
        if self.weighting is not None and self.sample_rate is not None:
            power = power * a_weights(frequencies(size, self.sample_rate, signal)).square()
        # A tone of amplitude one has a magnitude of half the sum of the window.
        magnitude = (power + (_FLOOR * window / 4) ** 2).sqrt()
        if self.mel is None or self.sample_rate is None:
            return magnitude
        return magnitude @ mel_bands(self.mel, size, self.sample_rate, signal)


def _energy(magnitudes: Tensor, centres: Tensor | None) -> Tensor:
    """Add up the squares of the frames that count."""
    squared = magnitudes.square()
    return (squared if centres is None else torch.where(centres, squared, 0)).sum((-2, -1))


def _mean(values: Tensor, centres: Tensor | None) -> Tensor:
    """Give the mean over the frames that count; over none it is zero."""
    if centres is None:
        return values.mean((-2, -1))
    count = (centres.sum((-2, -1)) * values.shape[-1]).clamp(min=1)
    return torch.where(centres, values, 0).sum((-2, -1)) / count
