"""DAPO: the clipped surrogate with more room above, where each token counts alike."""

from typing import ClassVar

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import ClippedPolicyLoss

__all__ = ["DAPOLoss"]


@loss_registry.register(name="dapo_loss", aliases=["DAPOLoss"], tags=["language", "policy"])
@define_loss
class DAPOLoss(ClippedPolicyLoss):
    r"""Clipped surrogate with more room above than below, in the mean over tokens.

    .. math:: \ell_t = -\min \big( \rho_t A_t,\
        \mathrm{clip}(\rho_t, 1 - \epsilon_l, 1 + \epsilon_h)\, A_t \big) + \beta D_t,
        \quad \rho_t = e^{x_t - o_t}

    Convention:
        PPO's loss with the paper's bounds. The mean is over the tokens of a whole step: where that is split,
        add up what ``fraction`` gives, or divide by ``counts``; TRL's ``"dapo"`` is divided so, its
        ``"bnpo"`` and Liger's by the tokens of a part. What else makes DAPO, such as which groups are left
        out, is the trainer's: ``mask``. Without ``old`` the tokens were drawn from the policy as it is: every
        ratio is one, and has a gradient. The divergence is taken token by token: k3 is :math:`e^d - 1 - d`,
        k2 :math:`d^2 / 2` with :math:`d = r - x`, r the reference. On average over tokens of the policy the
        gradient of k2 is that of the divergence of the policy from the reference, and that of k3 of the
        reverse. k1, the difference itself, is refused: as a loss it has a gradient of zero on average.

    Shapes:
        ``input``: ``(B, T)``. ``target``: ``(B, T)``, or ``(B,)`` for one advantage for each sequence.
        ``old`` and ``reference``: ``(B, T)``. ``mask``: ``(B, T)``, bool, True where there is a token.
        Result: a scalar, or ``(B, T)`` with ``reduction="none"``.

    Args:
        clip_low: How far below one a ratio has a gradient, >= 0 and < 1. Default: 0.2.
        clip_high: How far above one a ratio has a gradient, >= 0. Default: 0.28.
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
        >>> DAPOLoss()(now, torch.tensor([1.0]), old=old)
        tensor(-1.1900)

    Reference:
        Yu et al. 2025, "DAPO: An Open-Source LLM Reinforcement Learning System at Scale", arXiv:2503.14476.
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
        arguments={"old": "held_log_probability", "reference": "held_log_probability"},
        exempt={"every_option_has_an_effect": "without beta there is no divergence to estimate"},
    )

    clip_high: float = number(default=0.28, at_least=0)
