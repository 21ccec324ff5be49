"""Simple preference optimisation: the average log-probability as the reward, and no reference."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import PairLoss

__all__ = ["SimPOLoss"]


@loss_registry.register(
    name="simpo_loss", aliases=["SimPOLoss"], tags=["language", "preference", "cross_entropy"]
)
@define_loss
class SimPOLoss(PairLoss):
    r"""Logistic loss of how far the preferred answer's average log-probability is ahead, less a margin.

    .. math:: \ell = -\log \sigma \big( \beta\, (x_w - x_l) - \gamma \big)

    Convention:
        The input are log-probabilities averaged over the tokens of each answer, in two columns; chosen and
        rejected ones are ``torch.stack([chosen, rejected], dim=1)`` with zeros as targets. ``gamma`` is the
        margin itself, as in the paper, in TRL and in Liger; the authors' code and HALOs take its ratio to
        ``beta``. Without a margin it is DPO's loss without a reference. Targets that are probabilities give
        what is to be expected, each of both outcomes with the margin. The mean is over pairs.

    Shapes:
        ``input``: ``(P, 2)``. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or ``(P, 2)``,
        probabilities. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        beta: What differences are multiplied by, > 0. Default: 2.
        gamma: By how much more the preferred one should have, >= 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> SimPOLoss()(torch.tensor([[-1.0, -2.0]]), torch.tensor([0]))
        tensor(0.3133)

    Reference:
        Meng et al. 2024, "SimPO: Simple Preference Optimization with a Reference-Free Reward",
        arXiv:2405.14734.
    """

    claims: ClassVar = Claims(
        input="pairs",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        perfect=None,
        at_soft="elsewhere",
        layout="P 2",
        memory=5,
    )

    beta: float = number(default=2.0, above=0)
    gamma: float = number(default=1.0, at_least=0)

    def cost(self, margin: Tensor) -> Tensor:
        """Give the surprise that the preferred one is preferred, in spite of the margin."""
        return softplus(self.gamma - self.beta * margin)
