"""Vector quantization: a codebook that comes to what is encoded, and codes that stay near it."""

from typing import ClassVar, NamedTuple

from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Selection, prepare, ready, require_tensor
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import times
from lossary_losses._core.streaming_pair import ready_beside, streamed_fraction
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["VectorQuantizationLoss"]

_STOPPED = "its gradient is not that of its value: each term stops the gradient of one side"


@loss_registry.register(
    name="vector_quantization_loss",
    aliases=["VectorQuantizationLoss", "vq_loss"],
    tags=["generation", "pointwise"],
)
@define_loss
class VectorQuantizationLoss(ReducedLoss):
    r"""Squared distance of what an encoder gives to its nearest code, which both sides make shorter.

    .. math:: \ell = (\operatorname{sg}(x) - t)^2 + \beta\, (x - \operatorname{sg}(t))^2

    :math:`\operatorname{sg}` stops the gradient: the first term moves the codes, the second one the encoder.

    Convention:
        Beta is on the encoder's term, as in the paper; taming-transformers' ``legacy`` form, which is what
        its default is, has it on the codebook's. The input is the encoder's, the target the code that was
        looked up, before any straight-through step, which leaves it without a gradient. A codebook that
        follows by moving averages needs the second term alone: detach the target, and what is left of the
        gradient is that of ``commitment`` times the squared error. There ``vector-quantize-pytorch`` has a
        weight of 1 and no first term in the value.

    Shapes:
        ``input``: any, what the encoder gives. ``target``: the input's, the codes that were looked up.
        ``mask`` and ``weight``: the input's, or ``(B, *S)`` for an input ``(B, C, *S)``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        commitment: Beta, how strongly the encoder is held to the codes, >= 0. Default: 0.25.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = VectorQuantizationLoss()
        >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]))
        tensor(2.5000)

    Reference:
        Oord et al. 2017, "Neural Discrete Representation Learning", arXiv:1711.00937.
    """

    claims: ClassVar = Claims(
        targets={"latents": {}},
        input="latents",
        layout="*",
        invariant=("shift",),
        memory=9,
        exempt={
            "double_stays_double": _STOPPED,
            "first_derivative_is_right": _STOPPED,
            "second_derivative_is_right": _STOPPED,
            "other_derivatives_are_right": _STOPPED,
        },
    )

    commitment: float = number(default=0.25, at_least=0)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each element."""
        return self._formula.point(_prepared(input, target, mask, weight), target)

    @wherever_spread
    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            return streamed_fraction(self._formula, _prepared(input, target, mask, weight), target)

    @property
    def _formula(self) -> "_BothTerms":
        return _BothTerms(self.commitment)


def _prepared(input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes of everything; codes that have a gradient stand beside the input."""
    require_tensor(target, "target")
    return prepare(input, target.detach(), Selection(None, mask, weight), "values")


class _BothTerms(NamedTuple):
    """What each element costs, given what is encoded and its code."""

    commitment: float

    def point(self, dense: Dense, beside: Tensor) -> Elements:
        """Compute both terms."""
        encoded, code, share, *_ = ready(dense)
        codebook = (encoded.detach() - ready_beside(beside, dense)).square()
        return weigh(codebook + self.commitment * (encoded - code).square(), share)

    def point_and_slopes(self, dense: Dense, beside: Tensor) -> tuple[Elements, Tensor, Tensor]:
        """Compute the derivatives too: of what is encoded by the second term, of codes by the first one."""
        del beside  # the same codes as the target
        encoded, code, share, *_ = ready(dense)
        difference = encoded - code
        value = (1 + self.commitment) * difference.square()
        of_code = times(-2 * difference, share)
        return weigh(value, share), -self.commitment * of_code, of_code
