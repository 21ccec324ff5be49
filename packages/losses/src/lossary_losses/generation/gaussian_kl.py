"""The divergence of Gaussians from the standard one: what a variational autoencoder pays for its codes."""

from typing import ClassVar, NamedTuple

from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision, require_floating_point
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Selection, prepare, ready
from lossary_losses._core.options import number
from lossary_losses._core.reduced import TargetlessLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.rows import require_shape
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import times
from lossary_losses._core.streaming_pair import ready_beside, streamed_fraction
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GaussianKLLoss"]


@loss_registry.register(
    name="gaussian_kl_loss",
    aliases=["GaussianKLLoss"],
    tags=["generation", "variational", "probabilistic", "pointwise"],
)
@define_loss
class GaussianKLLoss(TargetlessLoss):
    r"""Kullback-Leibler divergence of each Gaussian from the one of mean zero and variance one.

    .. math:: \ell = \max \left( \lambda,\ \frac{1}{2} \left( \mu^2 + e^v - 1 - v \right) \right)

    :math:`v` being the logarithm of the variance, and :math:`\lambda` the free nats.

    Convention:
        The element is one dimension of one code, and ``"mean"`` divides by all of them. A variational
        autoencoder's bound adds up the dimensions of a sample: that is ``"sum"`` over the number of samples,
        or the mean times the number of dimensions. Free nats are those of each element, before any weight and
        any mean: below them an element has no gradient. The paper's free bits are those of a group of
        dimensions, averaged over the batch, which is another number.

    Shapes:
        ``input``: any, the means; there is no target. ``log_variance``: the input's.
        ``mask`` and ``weight``: the input's, or ``(B, *S)`` for an input ``(B, C, *S)``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        free_nats: What each element may cost without being held to it, >= 0. Default: 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = GaussianKLLoss()
        >>> loss(torch.tensor([[1.0, 2.0]]), log_variance=torch.zeros(1, 2))
        tensor(1.2500)

    Reference:
        Kingma and Welling 2013, "Auto-Encoding Variational Bayes", arXiv:1312.6114. Free bits: Kingma et al.
        2016, "Improving Variational Inference with Inverse Autoregressive Flow", arXiv:1606.04934.
    """

    claims: ClassVar = Claims(
        targets={"nothing": {}},
        input="latents",
        perfect=None,
        layout="*",
        arguments={"log_variance": "real"},
        invariant=("sign",),
        memory=9,
        exempt={"descent_reaches_a_good_fit": "what the variances cost is left"},
    )

    free_nats: float = number(default=0.0, at_least=0)

    def forward(  # type: ignore[override] # without variances there is nothing to compute
        self,
        input: Tensor,
        *,
        log_variance: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The means; half precision is computed in float32.
            log_variance: The logarithms of the variances, of the input's shape.
            mask: Bool, True where an element counts; of the input's shape, or ``(B, *S)``.
            weight: How much each element counts; of the input's shape, or ``(B, *S)``.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, log_variance=log_variance, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        *,
        log_variance: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each element."""
        return self._formula.point(_prepared(input, log_variance, mask, weight), log_variance)

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        *,
        log_variance: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            dense = _prepared(input, log_variance, mask, weight)
            return streamed_fraction(self._formula, dense, log_variance)

    @property
    def _formula(self) -> "_Divergence":
        return _Divergence(self.free_nats)


def _prepared(input: Tensor, log_variance: Tensor, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes of everything; what has no target is its own."""
    require_floating_point(log_variance, "log_variance")
    require_shape(log_variance, "log_variance", tuple(input.shape), input)
    return prepare(input, input.detach(), Selection(None, mask, weight), "values")


class _Divergence(NamedTuple):
    """What each element costs, given its mean and the logarithm of its variance."""

    free_nats: float

    def point(self, dense: Dense, beside: Tensor) -> Elements:
        """Compute the divergence of each element."""
        mean, log_variance, share = self._prepared(dense, beside)
        value = (mean.square() + (log_variance.expm1() - log_variance)) / 2
        return weigh(value.clamp(min=self.free_nats) if self.free_nats else value, share)

    def point_and_slopes(self, dense: Dense, beside: Tensor) -> tuple[Elements, Tensor, Tensor]:
        """Compute the derivatives too: of the mean, and of the logarithm of the variance."""
        mean, log_variance, share = self._prepared(dense, beside)
        excess = log_variance.expm1()
        value = (mean.square() + (excess - log_variance)) / 2
        of_mean, of_spread = times(mean, share), times(excess.div_(2), share)
        if self.free_nats:
            is_free = value < self.free_nats
            of_mean, of_spread = of_mean.masked_fill(is_free, 0), of_spread.masked_fill(is_free, 0)
            value = value.clamp(min=self.free_nats)
        return weigh(value, share), of_mean, of_spread

    @staticmethod
    def _prepared(dense: Dense, beside: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Give the means, the logarithms of the variances, and the shares."""
        mean, _, share, *_ = ready(dense)
        return mean, ready_beside(beside, dense), share
