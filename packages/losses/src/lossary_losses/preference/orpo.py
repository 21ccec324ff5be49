"""Odds ratio preference optimisation: how much better the odds of the preferred answer are."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_between
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Ready
from lossary_losses._core.reduction import Elements
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import PairLoss

__all__ = ["ORPOLoss"]

_ROUNDING = 1e-2
"""How far above zero rounding may lift an average log-probability."""


@loss_registry.register(name="orpo_loss", aliases=["ORPOLoss"], tags=["language", "preference"])
@define_loss
class ORPOLoss(PairLoss):
    r"""Logistic loss of the ratio of the odds of the preferred answer to the odds of the other one.

    .. math:: \ell = -\log \sigma \Big( \log \frac{p_w}{1 - p_w} - \log \frac{p_l}{1 - p_l} \Big),
        \quad p = e^x

    Convention:
        The input are log-probabilities averaged over the tokens of each answer, in two columns; chosen and
        rejected ones are ``torch.stack([chosen, rejected], dim=1)`` with zeros as targets. It is the second
        term of the paper's loss: add the cross entropy of the chosen answers, by ``WeightedSum``, with a
        weight for this one that the paper calls lambda and TRL ``beta``. A probability that is one but for
        rounding counts as the largest below one, since the odds of one are infinite. Targets that are
        probabilities give what is to be expected. The mean is over pairs.

    Shapes:
        ``input``: ``(P, 2)``, at most zero. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or
        ``(P, 2)``, probabilities. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ORPOLoss()(torch.tensor([[0.5, 0.25]]).log(), torch.tensor([0]))
        tensor(0.2877)

    Reference:
        Hong et al. 2024, "ORPO: Monolithic Preference Optimization without Reference Model",
        arXiv:2403.07691.
    """

    claims: ClassVar = Claims(
        input="pairs_of_log_probabilities",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        invariant=("swap",),
        perfect=None,
        at_soft="elsewhere",
        layout="P 2",
        memory=9,
    )

    def point(self, ready: Ready) -> Elements:
        """Give what each pair costs; no probability is above one."""
        check_between(ready.input, -math.inf, _ROUNDING, "input")
        return super().point(ready)

    def costs(self, scores: Tensor) -> Tensor:
        """Give the surprise that each is preferred, were preferences as the odds are."""
        largest = -torch.finfo(scores.dtype).eps / 2
        # Limited in value, not in gradient: what is too likely can still become less so.
        own = scores.detach().clamp(max=largest) + (scores - scores.detach())
        other = own.flip(1)
        # One quotient of what is left of both probabilities, so that two logarithms need not cancel.
        return softplus(other - own + (torch.expm1(own) / torch.expm1(other)).log())
