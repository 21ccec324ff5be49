"""CISPO: likelihoods weighted by ratios that are cut off, so that no token loses its gradient."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import PolicyLoss, token_ratio
from lossary_losses.policy.tokens import Tokens

__all__ = ["CISPOLoss"]


@loss_registry.register(name="cispo_loss", aliases=["CISPOLoss"], tags=["language", "policy"])
@define_loss
class CISPOLoss(PolicyLoss):
    r"""Log-likelihood of better tokens, weighted by ratios that are cut off and have no gradient.

    .. math:: \ell_t = -\mathrm{sg} \big[ \min(\rho_t, c) \big]\, A_t\, x_t + \beta D_t, \quad
        \rho_t = e^{x_t - o_t}

    Convention:
        Input and ``old`` are log-probabilities of the tokens that were drawn, targets their advantages.
        Unlike under PPO's clipping every token keeps a gradient. ``cap`` is the largest ratio itself, as
        TRL's ``epsilon_high`` is for this loss; verl, slime and SkyRL take how far it is above one. The
        gradient is not the derivative of the value, since ratios are held. The mean is over the tokens of a
        whole step. Without ``old`` the tokens were drawn from the policy as it is: every ratio is one, and
        the loss is that of policy gradients. The divergence is taken token by token: k3 is
        :math:`e^d - 1 - d`, k2 :math:`d^2 / 2` with :math:`d = r - x`, r the reference. On average over
        tokens of the policy the gradient of k2 is that of the divergence of the policy from the reference,
        and that of k3 of the reverse. k1, the difference itself, is refused: as a loss it has a gradient of
        zero on average.

    Shapes:
        ``input``: ``(B, T)``. ``target``: ``(B, T)``, or ``(B,)`` for one advantage for each sequence.
        ``old`` and ``reference``: ``(B, T)``. ``mask``: ``(B, T)``, bool, True where there is a token.
        Result: a scalar, or ``(B, T)`` with ``reduction="none"``.

    Args:
        cap: The largest ratio, > 0. Default: 5.
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
        >>> old, now = torch.tensor([[0.5, 0.2]]).log(), torch.tensor([[0.5, 0.4]]).log()
        >>> CISPOLoss()(now, torch.tensor([1.0]), old=old)
        tensor(1.2629)

    Reference:
        MiniMax 2025, "MiniMax-M1: Scaling Test-Time Compute Efficiently with Lightning Attention",
        arXiv:2506.13585.
    """

    claims: ClassVar = Claims(
        input="log_probabilities",
        targets={"advantages": {}},
        element="token",
        invariant=("order_of_tokens",),
        low=None,
        perfect=None,
        layout="B T",
        memory=13,
        arguments={"old": "held_log_probability", "reference": "held_log_probability"},
        exempt={
            "every_option_has_an_effect": "without beta there is no divergence to estimate",
            "double_stays_double": "a step changes ratios too, which are held",
            "first_derivative_is_right": "ratios are held: it is not the derivative of the value",
            "second_derivative_is_right": "the same",
            "moving_against_the_gradient_helps": "the same",
        },
    )

    cap: float = number(default=5.0, above=0)

    def surrogate(self, tokens: Tokens) -> Tensor:
        """Give how unlikely what was better is, by a ratio that is held."""
        held = token_ratio(tokens).detach().clamp(max=self.cap)
        return -held * tokens.advantage() * tokens.input
