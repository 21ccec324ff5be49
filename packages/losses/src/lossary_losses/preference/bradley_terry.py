"""The Bradley-Terry model: rewards that say how likely one of two is to be preferred."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import ready, require_tensor
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension
from lossary_losses._core.rows import require_shape, selected
from lossary_losses._core.stable import bounded, softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import expected_cost, prepare_pairs

__all__ = ["BradleyTerryLoss"]


@loss_registry.register(
    name="bradley_terry_loss",
    aliases=["BradleyTerryLoss", "reward_model_loss"],
    tags=["language", "preference", "cross_entropy"],
)
@define_loss
class BradleyTerryLoss(ReducedLoss):
    r"""Logistic loss of how far the reward of the preferred answer is above that of the other one.

    .. math:: \ell = -\log \sigma(r_w - r_l - m) + \kappa\, (r_w + r_l)^2

    Convention:
        Rewards come in two columns; chosen and rejected ones are ``torch.stack([chosen, rejected], dim=1)``
        with zeros as targets. Without a margin and without ``centering`` it is the cross entropy of two
        classes, OpenRLHF's pairwise loss and TRL's for reward models; ``margin`` is Llama 2's, a constant
        that is larger where a preference is clearer, and ``centering`` TRL's ``center_rewards_coefficient``.
        Targets that are probabilities give what is to be expected, each of both outcomes with the margin. The
        mean is over pairs.

    Shapes:
        ``input``: ``(P, 2)``. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or ``(P, 2)``,
        probabilities. ``margin``: ``(P,)``. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        centering: What it costs that rewards are not around zero, >= 0; the paper has 0.01. Default: 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> BradleyTerryLoss()(torch.tensor([[2.0, 1.0]]), torch.tensor([0]))
        tensor(0.3133)

    Reference:
        Bradley and Terry 1952, "Rank Analysis of Incomplete Block Designs", doi:10.2307/2334029. With a
        margin: Touvron et al. 2023, "Llama 2: Open Foundation and Fine-Tuned Chat Models", arXiv:2307.09288.
        Centring: Eisenstein et al. 2023, "Helping or Herding? Reward Model Ensembles Mitigate but do not
        Eliminate Reward Hacking", arXiv:2312.09244.
    """

    claims: ClassVar = Claims(
        input="pairs",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        perfect=None,
        at_soft="elsewhere",
        layout="P 2",
        memory=7,
    )

    centering: float = number(default=0.0, at_least=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        margin: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The rewards of both; half precision is computed in float32.
            target: Which of the two is preferred, 0 or 1, or how likely each of them is.
            margin: By how much more the preferred one should have, which has no gradient; of shape ``(P,)``.
            mask: Bool, True where a pair counts; of shape ``(P,)``.
            weight: How much each pair counts; of shape ``(P,)``.

        Returns:
            A scalar, or each pair's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as an index given as floats.
        """
        return self.result(input, target, margin=margin, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        margin: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each pair."""
        pairs = ready(prepare_pairs(input, target, mask=mask, weight=weight))
        rewards = bounded(pairs.input)
        lead = rewards - rewards.flip(1)
        if margin is not None:
            require_tensor(margin, "margin")
            require_shape(margin, "margin", tuple(input.shape[:1]), input)
            lead = lead - selected(margin.detach().to(lead.dtype), mask).unsqueeze(1)
        costs = softplus(-lead)
        if self.centering:
            costs = costs + self.centering * rewards.sum(dim=1, keepdim=True).square()
        return drop_dimension(expected_cost(costs, pairs), 1)
