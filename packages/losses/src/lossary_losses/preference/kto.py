"""Kahneman-Tversky optimisation: answers that are desirable or not, without pairs."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare
from lossary_losses._core.options import number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh, widened
from lossary_losses._core.rows import require_shape
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.gain import gain_over

__all__ = ["KTOLoss"]


@loss_registry.register(name="kto_loss", aliases=["KTOLoss"], tags=["language", "preference"])
@define_loss
class KTOLoss(PointwiseLoss):
    r"""How little a desirable answer, or how much an undesirable one, has gained over a reference.

    .. math:: \ell = \begin{cases}
        \lambda_d\, \sigma \big( \beta\, (z - \Delta) \big) & \text{desirable} \\
        \lambda_u\, \sigma \big( \beta\, (\Delta - z) \big) & \text{undesirable}
        \end{cases}, \quad \Delta = x - r

    Convention:
        Input and reference are log-probabilities of answers, each summed over its tokens. ``baseline``, the
        paper's reference point z, is the mean log-ratio of mismatched prompts and answers, over all
        processes, and never below zero: ``(policy - reference).mean().clamp(min=0)``. It has no gradient, and
        None is zero, which is APO-zero without pairs. The weights are TRL's, and multiply costs alone: the
        mean is over answers, as in TRL; HALOs' is the same. A target between 0 and 1 gives what is to be
        expected.

    Shapes:
        ``input``, ``target`` and ``reference``: ``(B,)``, or any other shape; the target is 1 where an answer
        is desirable, of any real dtype. ``baseline``: a scalar. Result: a scalar, or the input's shape with
        ``reduction="none"``.

    Args:
        beta: How strongly the policy is held to its reference, > 0. Default: 0.1.
        desirable_weight: What the cost of desirable answers is multiplied by, > 0. Default: 1.
        undesirable_weight: What that of others is multiplied by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> policy, reference = torch.tensor([-10.0, -30.0]), torch.tensor([-20.0, -20.0])
        >>> KTOLoss()(policy, torch.tensor([1, 0]), reference=reference)
        tensor(0.2689)

    Reference:
        Ethayarajh et al. 2024, "KTO: Model Alignment as Prospect Theoretic Optimization", arXiv:2402.01306.
    """

    claims: ClassVar = Claims(
        input="scores",
        targets={"is_real": {}},
        element="answer",
        high=1.0,
        layout="*",
        memory=10,
    )

    beta: float = number(default=0.1, above=0)
    desirable_weight: float = number(default=1.0, above=0)
    undesirable_weight: float = number(default=1.0, above=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        reference: Tensor | None = None,
        baseline: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The log-probabilities of answers; half precision is computed in float32.
            target: 1 where an answer is desirable, else 0; of the input's shape.
            reference: The log-probabilities of the reference, which has no gradient; None: zero.
            baseline: The gain that is neither good nor bad, >= 0, a scalar without a gradient; None: zero.
            mask: Bool, True where an answer counts; of the input's shape.
            weight: How much each answer counts; of the input's shape.

        Returns:
            A scalar, or each answer's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target or the baseline is impossible.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, reference=reference, baseline=baseline, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        reference: Tensor | None = None,
        baseline: Tensor | None = None,
        **given: Tensor | None,
    ) -> Elements:
        """Give the loss of each answer."""
        return super().elements(_gains(input, reference, baseline), target, **given)

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        target: Tensor,
        *,
        reference: Tensor | None = None,
        baseline: Tensor | None = None,
        **given: Tensor | None,
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        return super().fraction(_gains(input, reference, baseline), target, **given)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as how desirable each answer is."""
        return prepare(input, target, Selection(None, mask, weight), "probabilities")

    def point(self, ready: Ready) -> Elements:
        """Give what each answer costs."""
        # The sigmoid of minus the gain, never one less a sigmoid, which is zero beyond 17.
        gain = self.beta * bounded(ready.input)
        desirable = self.desirable_weight * (-gain).sigmoid()
        undesirable = self.undesirable_weight * gain.sigmoid()
        return weigh(ready.target * desirable + (1 - ready.target) * undesirable, ready.share)


def _gains(input: Tensor, reference: Tensor | None, baseline: Tensor | None) -> Tensor:
    """Give by how much more each answer has gained over the reference than the baseline has."""
    require_floating_point(input, "input")
    gains = gain_over(input, reference)
    if baseline is None:
        return gains
    require_floating_point(baseline, "baseline")
    require_shape(baseline, "baseline", (), input)
    check_nonnegative(baseline, "baseline")
    gains = widened(gains)
    return gains - bounded(baseline.detach().to(gains.dtype))
