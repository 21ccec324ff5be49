"""Adversarial losses: scores of a discriminator, and what is real."""

from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare, require_tensor
from lossary_losses._core.options import choice
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import bounded, times
from lossary_losses.generation.objectives import PENALTIES, Objective, Penalty
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["AdversarialLoss"]


@loss_registry.register(
    name="adversarial_loss",
    aliases=["AdversarialLoss"],
    tags=["generation", "adversarial", "pointwise"],
)
@define_loss
class AdversarialLoss(PointwiseLoss):
    r"""What the score of a real or a generated sample costs a discriminator, or the generator.

    .. math:: \ell = t\, f(x) + (1 - t)\, f(-x), \quad f(x) = \log(1 + e^{-x}),\ \max(0, 1 - x)
        \ \text{or} \ -x; \quad \text{least squares:} \ \ell = (x - t)^2

    The target says what the scores should be taken for: ones for real samples and zeros for generated ones
    when the discriminator learns, and ones for generated ones when the generator does.

    Convention:
        Scores are what a network gives, without an activation. Zeros and ones in one call give one mean over
        both; two calls, added, give twice as much where both are equally many. A target of 0.9 for what is
        real is one-sided label smoothing. The generator's logistic loss is the non-saturating one. Least
        squares are those of the paper without its factor of one half. MONAI's ``PatchAdversarialLoss`` has
        ``"least_squares"`` unless given, and passes scores through an activation: a sigmoid, which for
        ``"bce"`` makes ours (until it rounds to one), a ``tanh`` for the hinge, and a leaky rectifier for
        least squares, unless ``no_activation_leastsq``. Its hinge is a mean whatever the reduction.

    Shapes:
        ``input``: any, scores.
        ``target``: the input's, or ``()``, one number for all scores; from 0 to 1, of any dtype.
        ``mask`` and ``weight``: the input's, or ``(B, *S)`` for scores ``(B, C, *S)``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        objective: ``"logistic"`` (default), ``"hinge"``, ``"wasserstein"`` or ``"least_squares"``.
        side: Who learns: ``"discriminator"`` (default) or ``"generator"``, for whom the hinge is a line. The
            other objectives are the same for both.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = AdversarialLoss(objective="hinge")
        >>> loss(torch.tensor([0.5, -2.0]), torch.tensor([1.0, 0.0]))
        tensor(0.2500)

    Reference:
        Goodfellow et al. 2014, "Generative Adversarial Networks", arXiv:1406.2661. The others: Lim and
        Ye 2017, "Geometric GAN", arXiv:1705.02894; Arjovsky et al. 2017, "Wasserstein GAN",
        arXiv:1701.07875; Mao et al. 2016, "Least Squares Generative Adversarial Networks",
        arXiv:1611.04076.
    """

    claims: ClassVar = Claims(
        targets={"is_real": {}},
        input="scores",
        layout="*",
        memory=8,
        exempt={"every_option_has_an_effect": "the side matters for the hinge alone"},
    )

    objective: Objective = choice(*PENALTIES, default="logistic")
    side: Literal["discriminator", "generator"] = choice(
        "discriminator", "generator", default="discriminator"
    )

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one number from 0 to 1 for each score; a single one is for all."""
        require_tensor(target, "target")
        if target.ndim == 0:
            target = target.expand_as(input)
        return prepare(input, target, Selection(None, mask, weight), "probabilities")

    def point(self, ready: Ready) -> Elements:
        """Give what each score costs."""
        input, target, cost = ready.input, ready.target, self._penalty.cost
        if self.objective == "least_squares":
            return weigh((input - target).square(), ready.share)
        input = bounded(input)
        if ready.hard:
            return weigh(cost(input * _direction(target)), ready.share)
        return weigh((1 - target) * cost(input) + target * cost(-input), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give how fast the cost of each score rises."""
        return self.point_and_slope(ready)[1]

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Give both, and compute once on which side each score is."""
        input, target, (cost, slope) = ready.input, ready.target, self._penalty
        if self.objective == "least_squares":
            return self.point(ready), times(2 * (input - target), ready.share)
        if not ready.hard:
            rises = (1 - target) * slope(input) - target * slope(-input)
            return self.point(ready), times(rises, ready.share)
        direction = _direction(target)
        wrong = bounded(input).mul_(direction)
        return weigh(cost(wrong), ready.share), times(slope(wrong).mul_(direction), ready.share)

    @property
    def _penalty(self) -> Penalty:
        """Give the costs; a generator gains from every score that rises."""
        is_line = self.objective == "hinge" and self.side == "generator"
        return PENALTIES["wasserstein" if is_line else self.objective]


def _direction(target: Tensor) -> Tensor:
    """Give 1 where a score should fall, and -1 where it should rise: of what is sure, one side is all."""
    return target.mul(-2).add_(1)
