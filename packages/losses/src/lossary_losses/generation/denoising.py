"""The denoising loss: squared errors of a diffusion model, weighted by the level of the noise."""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lossary_losses._core.base import define_loss, full_precision, require_floating_point
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Selection, prepare, ready
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import bounded, times
from lossary_losses._core.streaming_pair import ready_beside, streamed_fraction
from lossary_losses.errors import InputTypeError, InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DenoisingLoss"]

_GAMMA = {"min_snr": 5.0, "p2": 1.0}
"""What the papers of the weightings have."""

_LARGEST = math.log(1e30)
"""Where weights end, as a logarithm: an infinite one times an error of zero would be NaN."""


@loss_registry.register(
    name="denoising_loss",
    aliases=["DenoisingLoss"],
    tags=["generation", "diffusion", "pointwise"],
)
@define_loss
class DenoisingLoss(ReducedLoss):
    r"""Squared error of what a diffusion model predicts, weighted by the signal-to-noise ratio of its input.

    .. math:: \ell = w(\text{SNR})\, (x - t)^2, \quad \text{SNR} = e^{\text{log\_snr}} =
        \frac{\alpha^2}{\sigma^2}

    Convention:
        A weighting says how much an error of the data counts, and the weight of an error of the noise or of
        v is made of it, so that whatever is predicted, errors that mean the same cost the same:
        ``"min_snr"`` is min(SNR, gamma), ``"p2"`` SNR / (1 + SNR)^gamma, ``"edm"`` 1 + SNR, and
        ``"truncated_snr"`` max(SNR, 1). An error of the data is one of the noise over the root of SNR, and,
        where the variances of signal and noise add up to one, one of v over the root of 1 + SNR. So
        ``"edm"`` (with a sigma_data of one) of v is the plain squared error, and ``"min_snr"`` of v is
        min(SNR, gamma) / (1 + SNR), as in diffusers. ``"none"`` is the plain squared error of whatever is
        predicted, and needs no ratio. diffusers' ``epsilon``, ``sample`` and ``v_prediction`` are noise, data
        and v. Flow matching predicts another velocity: there take ``mse_loss``. The weight scales the loss:
        the mean divides by what counts, not by the weights.

    Shapes:
        ``input``: any, what is predicted. ``target``: the input's, the same of the truth.
        ``log_snr``: ``(B,)`` or the input's, the natural logarithm; it may be infinite.
        ``mask`` and ``weight``: the input's, or ``(B, *S)`` for an input ``(B, C, *S)``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        prediction: What the model predicts: ``"noise"``, ``"data"``, or ``"v"``, which is alpha times the
            noise less sigma times the data.
        weighting: ``"none"`` (default), ``"min_snr"``, ``"p2"``, ``"edm"`` or ``"truncated_snr"``. The
            last two grow without end, up to 1e30, where the data or the noise that is predicted can be seen.
        gamma: The largest weight of ``"min_snr"``, or the exponent of ``"p2"``, > 0. Default: None, that of
            the papers, 5 and 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = DenoisingLoss(prediction="noise", weighting="min_snr")
        >>> noise, log_snr = torch.ones(2, 1, 4, 4), torch.tensor([10.0, 20.0]).log()
        >>> loss(torch.zeros(2, 1, 4, 4), noise, log_snr=log_snr)
        tensor(0.3750)

    Reference:
        Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", arXiv:2303.09556.
        The others: Choi et al. 2022, "Perception Prioritized Training of Diffusion Models",
        arXiv:2204.00227; Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative
        Models", arXiv:2206.00364; Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of
        Diffusion Models", arXiv:2202.00512.
    """

    claims: ClassVar = Claims(
        targets={"latents": {}},
        input="latents",
        layout="*",
        arguments={"log_snr": "real"},
        options={"prediction": "v", "weighting": "min_snr"},
        invariant=("shift",),
        memory=10,
    )

    prediction: Literal["noise", "data", "v"] = choice("noise", "data", "v")
    weighting: Literal["none", "min_snr", "p2", "edm", "truncated_snr"] = choice(
        "none", "min_snr", "p2", "edm", "truncated_snr", default="none"
    )
    gamma: float | None = number(default=None, above=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_snr: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the model predicts; half precision is computed in float32.
            target: What it should have predicted.
            log_snr: The logarithm of the signal-to-noise ratio of each sample, ``(B,)``, or of each element.
            mask: Bool, True where an element counts; of the input's shape, or ``(B, *S)``.
            weight: How much each element counts; of the input's shape, or ``(B, *S)``.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable, or the weighting needs a log_snr, and there is none.
        """
        return self.result(input, target, log_snr=log_snr, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_snr: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each element."""
        dense = prepare(input, target, Selection(None, mask, weight), "values")
        return _ScaledSquares().point(dense, self._scale(log_snr, dense))

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        target: Tensor,
        *,
        log_snr: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            dense = prepare(input, target, Selection(None, mask, weight), "values")
            return streamed_fraction(_ScaledSquares(), dense, self._scale(log_snr, dense))

    def _scale(self, log_snr: Tensor | None, dense: Dense) -> Tensor:
        """Give what the squared errors are multiplied with, of the input's shape or of one channel."""
        like = dense.input[:, :1] if dense.input.ndim > 1 else dense.input
        if self.weighting == "none":
            return like.new_ones((), dtype=torch.promote_types(like.dtype, torch.float32)).expand(like.shape)
        if log_snr is None:
            raise InputTypeError(f"weighting {self.weighting!r} needs log_snr=, and it is not given")
        log_snr = ready_beside(_at_rank(log_snr, dense.input), dense)
        scale = self._log_weights(bounded(log_snr)).clamp(max=_LARGEST).exp()
        return scale if scale.shape == dense.input.shape else scale.expand(like.shape)

    def _log_weights(self, log_snr: Tensor) -> Tensor:
        """Give the logarithm of what an error of what is predicted weighs."""
        signal, noise = _levels(self.prediction, log_snr)
        if self.weighting == "edm":
            return torch.logaddexp(signal, noise)
        if self.weighting == "truncated_snr":
            return torch.maximum(signal, noise)
        gamma = _GAMMA[self.weighting] if self.gamma is None else self.gamma
        if self.weighting == "p2":
            return signal + gamma * logsigmoid(-log_snr)
        return torch.minimum(signal, noise + math.log(gamma))


def _levels(prediction: str, log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """Give two levels as logarithms, whose difference is the ratio, for an error of what is predicted.

    The weight of an error of the data is that of one of the noise times the ratio, and that of one of v times
    one plus the ratio. In these levels all have one formula, which ends where the ratio does.
    """
    if prediction == "v":
        return logsigmoid(log_snr), logsigmoid(-log_snr)
    nothing = torch.zeros_like(log_snr)
    return (log_snr, nothing) if prediction == "data" else (nothing, -log_snr)


class _ScaledSquares:
    """Squared errors, each times what stands beside it."""

    def point(self, dense: Dense, beside: Tensor) -> Elements:
        """Compute the square of each difference, scaled."""
        input, target, share, *_ = ready(dense)
        return weigh((input - target).square() * beside, share)

    def point_and_slopes(self, dense: Dense, beside: Tensor) -> tuple[Elements, Tensor, Tensor]:
        """Compute the derivatives too: of the difference, and of the scale."""
        input, target, share, *_ = ready(dense)
        difference = input - target
        scaled, squares = difference * beside, difference.square()
        return weigh(difference * scaled, share), times(scaled.mul_(2), share), times(squares, share)


def _at_rank(log_snr: Tensor, input: Tensor) -> Tensor:
    """Bring a level for each sample to the input's rank."""
    require_floating_point(log_snr, "log_snr")
    if log_snr.device != input.device:
        raise InputValueError(f"input is on {input.device} and log_snr on {log_snr.device}")
    if log_snr.shape == input.shape:
        return log_snr
    if input.ndim and log_snr.shape == input.shape[:1]:
        return log_snr.reshape(-1, *(1 for _ in input.shape[1:]))
    raise InputValueError(
        f"Incompatible shapes: input {tuple(input.shape)}, log_snr {tuple(log_snr.shape)}; "
        f"accepted for the log_snr: {tuple(input.shape[:1])} or {tuple(input.shape)}"
    )
