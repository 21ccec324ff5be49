"""Group sequence policy optimisation: the clipped surrogate of whole sequences."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import ClippedPolicyLoss, log_ratio, nearer, of_sequences
from lossary_losses.policy.tokens import Tokens

__all__ = ["GSPOLoss"]


@loss_registry.register(name="gspo_loss", aliases=["GSPOLoss"], tags=["language", "policy"])
@define_loss
class GSPOLoss(ClippedPolicyLoss):
    r"""Clipped surrogate of how much likelier better sequences have become, by their average token.

    .. math:: \ell = \frac{1}{B} \sum_i -\min \big( s_i A_i,\
        \mathrm{clip}(s_i, 1 - \epsilon_l, 1 + \epsilon_h)\, A_i \big) + \beta D_i,
        \quad s_i = \exp \Big( \frac{1}{T_i} \sum_t (x_{it} - o_{it}) \Big)

    Convention:
        Input and ``old`` are log-probabilities of the tokens that were drawn. A sequence has one ratio, the
        geometric mean of those of its tokens, and bounds that are narrower than those of tokens. As TRL's
        ``importance_sampling_level="sequence"`` with ``loss_type="grpo"``, except that a sequence without
        tokens does not count. Advantages that differ between the tokens of a sequence are averaged where none
        is clipped: the ratio has the gradient of all of them, which is not the paper's GSPO-token. Without
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
        clip_low: How far below one a ratio has a gradient, >= 0 and < 1. Default: 3e-4.
        clip_high: How far above one a ratio has a gradient, >= 0. Default: 4e-4.
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
        >>> old, now = torch.tensor([[0.5, 0.2]]).log(), torch.tensor([[0.5, 0.4]]).log()
        >>> GSPOLoss()(now, torch.tensor([1.0]), old=old)
        tensor(-1.0004)

    Reference:
        Zheng et al. 2025, "Group Sequence Policy Optimization", arXiv:2507.18071.
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
        arguments={"old": "held_log_probability", "reference": "held_log_probability"},
        exempt={"every_option_has_an_effect": "without beta there is no divergence to estimate"},
    )

    clip_low: float = number(default=3e-4, at_least=0, below=1)
    clip_high: float = number(default=4e-4, at_least=0)

    def ratio(self, tokens: Tokens) -> Tensor:
        """Give how many times as likely the average token of a sequence has become."""
        mean = log_ratio(tokens).sum(dim=1, keepdim=True) / tokens.lengths()
        return nearer(mean).exp().expand(tokens.input.shape)

    def together(self, cost: Tensor, tokens: Tokens) -> Elements:
        """Let each sequence count alike."""
        return of_sequences(cost, tokens)
