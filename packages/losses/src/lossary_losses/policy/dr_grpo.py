"""Dr. GRPO: the clipped surrogate, where length neither dilutes a token nor concentrates it."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import integer
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import ClippedPolicyLoss
from lossary_losses.policy.tokens import Tokens

__all__ = ["DrGRPOLoss"]


@loss_registry.register(name="dr_grpo_loss", aliases=["DrGRPOLoss"], tags=["language", "policy"])
@define_loss
class DrGRPOLoss(ClippedPolicyLoss):
    r"""Clipped surrogate of how much likelier better tokens have become, over one length for all sequences.

    .. math:: \ell = \frac{1}{B L} \sum_i \sum_t -\min \big( \rho_{it} A_i,\
        \mathrm{clip}(\rho_{it}, 1 - \epsilon_l, 1 + \epsilon_h)\, A_i \big) + \beta D_{it}, \quad
        \rho_{it} = e^{x_{it} - o_{it}}

    Convention:
        Input and ``old`` are log-probabilities of the tokens that were drawn. Targets are advantages, a
        reward less the mean of its group, not divided by its deviation: what makes them is the trainer's.
        ``max_length`` is the number of tokens that a sequence may have, TRL's ``max_completion_length`` and
        verl's ``loss_scale_factor``; verl without one takes the width of the batch, which changes from batch
        to batch. The mean is over sequences; one without tokens does not count. Without ``old`` the tokens
        were drawn from the policy as it is: every ratio is one, and has a gradient. The divergence is taken
        token by token: k3 is :math:`e^d - 1 - d`, k2 :math:`d^2 / 2` with :math:`d = r - x`, r the reference.
        On average over tokens of the policy the gradient of k2 is that of the divergence of the policy from
        the reference, and that of k3 of the reverse. k1, the difference itself, is refused: as a loss it has
        a gradient of zero on average.

    Shapes:
        ``input``: ``(B, T)``. ``target``: ``(B, T)``, or ``(B,)`` for one advantage for each sequence.
        ``old`` and ``reference``: ``(B, T)``. ``mask``: ``(B, T)``, bool, True where there is a token.
        Result: a scalar, or ``(B, T)`` with ``reduction="none"``.

    Args:
        max_length: What is divided by instead of a length, >= 1.
        clip_low: How far below one a ratio has a gradient, >= 0 and < 1. Default: 0.2.
        clip_high: How far above one a ratio has a gradient, >= 0. Default: 0.2.
        dual_clip: By how much more than its advantage a token that was worse may cost, > 1; None: no such
            bound. Default: None.
        beta: The weight of the divergence from a reference, >= 0. Default: 0.
        kl: How that is estimated: ``"k3"`` (default) or ``"k2"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> old, now = torch.tensor([[0.5, 0.2]]).log(), torch.tensor([[0.55, 0.4]]).log()
        >>> DrGRPOLoss(max_length=4)(now, torch.tensor([1.0]), old=old)
        tensor(-0.5750)

    Reference:
        Liu et al. 2025, "Understanding R1-Zero-Like Training: A Critical Perspective", arXiv:2503.20783.
    """

    claims: ClassVar = Claims(
        input="log_probabilities",
        targets={"advantages": {}},
        element="token",
        invariant=("order_of_tokens",),
        low=None,
        perfect=None,
        layout="B T",
        memory=16,
        adds_up="samples",
        options={"max_length": 20},
        arguments={"old": "held_log_probability", "reference": "held_log_probability"},
        exempt={"every_option_has_an_effect": "without beta there is no divergence to estimate"},
    )

    max_length: int = integer(at_least=1)

    def together(self, cost: Tensor, tokens: Tokens) -> Elements:
        """Let each sequence count alike, and each token whatever the length of its sequence."""
        return Elements(cost * tokens.share / self.max_length, tokens.share / tokens.lengths())
