"""The relativistic loss: scores of real and generated samples against each other, pair by pair."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare
from lossary_losses._core.options import choice
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times
from lossary_losses.generation.objectives import PENALTIES, Objective
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["RelativisticLoss"]


@loss_registry.register(
    name="relativistic_loss",
    aliases=["RelativisticLoss"],
    tags=["generation", "adversarial", "pointwise"],
)
@define_loss
class RelativisticLoss(PointwiseLoss):
    r"""What it costs that a score is not above another one: the input is what should score higher.

    .. math:: \ell = f(x - t), \quad f(m) = \log(1 + e^{-m}),\ \max(0, 1 - m),\ -m \ \text{or} \ (m - 1)^2

    Convention:
        A discriminator learns with ``loss(D(real), D(fake))`` and a generator with
        ``loss(D(fake), D(real))``: one loss, whose sides change places. The target has a gradient as the
        input has. Scores are held against each other pair by pair, as in R3GAN and in the first form of the
        paper; in its averaged form each is held against the mean of the others, expanded to its shape.

    Shapes:
        ``input``: any, scores. ``target``: the input's, scores.
        ``mask`` and ``weight``: the input's, or ``(B, *S)`` for scores ``(B, C, *S)``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        objective: ``"logistic"`` (default), ``"hinge"``, ``"wasserstein"`` or ``"least_squares"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = RelativisticLoss()
        >>> loss(torch.tensor([2.0, 1.0]), torch.tensor([2.0, 1.0]))
        tensor(0.6931)

    Reference:
        Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard GAN",
        arXiv:1807.00734. As it is used now: Huang et al. 2025, "The GAN is dead; long live the GAN! A Modern
        GAN Baseline", arXiv:2501.05441.
    """

    claims: ClassVar = Claims(
        targets={"scores": {}}, input="scores", perfect=None, layout="*", invariant=("shift",), memory=3
    )

    objective: Objective = choice(*PENALTIES, default="logistic")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as another score for each score."""
        return prepare(input, target, Selection(None, mask, weight), "values")

    def point(self, ready: Ready) -> Elements:
        """Give what each pair costs."""
        return weigh(PENALTIES[self.objective].cost(ready.target - ready.input), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give how fast the cost of each pair rises with the input."""
        return times(PENALTIES[self.objective].slope(ready.target - ready.input).neg_(), ready.share)
