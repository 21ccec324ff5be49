"""Proximal policy optimisation: better tokens become likelier, but not much at once."""

from typing import ClassVar

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import ClippedPolicyLoss

__all__ = ["PPOLoss"]


@loss_registry.register(name="ppo_loss", aliases=["PPOLoss", "ppo_clip_loss"], tags=["language", "policy"])
@define_loss
class PPOLoss(ClippedPolicyLoss):
    r"""Clipped surrogate of how much likelier better tokens have become, in the mean over tokens.

    .. math:: \ell_t = -\min \big( \rho_t A_t,\
        \mathrm{clip}(\rho_t, 1 - \epsilon_l, 1 + \epsilon_h)\, A_t \big) + \beta D_t,
        \quad \rho_t = e^{x_t - o_t}

    Convention:
        Input and ``old`` are log-probabilities of the tokens that were drawn, targets their advantages,
        larger where better. The mean is over tokens of the whole batch, as verl's ``token-mean``; OpenRLHF's
        and torchtune's is the same. Value and entropy have losses of their own. With ``dual_clip`` a token
        that was worse costs at most that many times its advantage, however likely it has become. Without
        ``old`` the tokens were drawn from the policy as it is: every ratio is one, and has a gradient. The
        divergence is taken token by token: k3 is :math:`e^d - 1 - d`, k2 :math:`d^2 / 2` with
        :math:`d = r - x`, r the reference. On average over tokens of the policy the gradient of k2 is that of
        the divergence of the policy from the reference, and that of k3 of the reverse. k1, the difference
        itself, is refused: as a loss it has a gradient of zero on average.

    Shapes:
        ``input``: ``(B, T)``. ``target``: ``(B, T)``, or ``(B,)`` for one advantage for each sequence.
        ``old`` and ``reference``: ``(B, T)``. ``mask``: ``(B, T)``, bool, True where there is a token.
        Result: a scalar, or ``(B, T)`` with ``reduction="none"``.

    Args:
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
        >>> PPOLoss()(now, torch.tensor([1.0]), old=old)
        tensor(-1.1500)

    Reference:
        Schulman et al. 2017, "Proximal Policy Optimization Algorithms", arXiv:1707.06347. With ``dual_clip``:
        Ye et al. 2019, "Mastering Complex Control in MOBA Games with Deep Reinforcement Learning",
        arXiv:1912.09729.
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
