"""Squared error of a value function that may not move far at once."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.policy import of_tokens
from lossary_losses.policy.tokens import prepare_tokens

__all__ = ["ClippedValueLoss"]


@loss_registry.register(
    name="clipped_value_loss", aliases=["ClippedValueLoss", "ppo_value_loss"], tags=["language", "policy"]
)
@define_loss
class ClippedValueLoss(ReducedLoss):
    r"""Half the squared error of expected returns, or of what they may be at most, whichever is more.

    .. math:: \ell = \frac{1}{2} \max \big( (v - R)^2,\ (o + \mathrm{clip}(v - o, -c, c) - R)^2 \big)

    Convention:
        The larger of both errors counts, so that a value that moved farther than ``clip`` from its old one
        has no gradient if that brought it nearer to the return, and all of it if it did not. With half of the
        square, as in torchtune, verl and OpenRLHF; a coefficient beside it is the weight of a sum. Without
        ``old`` nothing is clipped. The mean is over tokens.

    Shapes:
        ``input``: ``(B, T)``, values. ``target``: ``(B, T)``, returns, or ``(B,)`` for one return for each
        sequence. ``old``: ``(B, T)``. ``mask``: ``(B, T)``, bool, True where there is a token.
        Result: a scalar, or ``(B, T)`` with ``reduction="none"``.

    Args:
        clip: How far from its old one a value may be, >= 0. Default: 0.2.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> old, now = torch.tensor([[1.0, 1.0]]), torch.tensor([[1.5, 0.5]])
        >>> ClippedValueLoss()(now, torch.tensor([[2.0, 2.0]]), old=old)
        tensor(0.7225)

    Reference:
        Schulman et al. 2017, "Proximal Policy Optimization Algorithms", arXiv:1707.06347; in this form in the
        authors' implementation.
    """

    claims: ClassVar = Claims(
        input="expected_returns",
        targets={"returns": {}},
        element="token",
        invariant=("order_of_tokens",),
        perfect=None,
        layout="B T",
        memory=15,
        arguments={"old": "held_log_probability"},
    )

    clip: float = number(default=0.2, at_least=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        old: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Values, which are the returns that are expected; half precision is computed in float32.
            target: The returns; of the input's shape, or ``(B,)``.
            old: What the values were when the tokens were drawn, without a gradient; None: no clipping.
            mask: Bool, True where a token counts; of the input's shape.
            weight: How much each token counts; of the input's shape.

        Returns:
            A scalar, or each token's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a weight is negative.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, old=old, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        old: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each token."""
        tokens = prepare_tokens(input, target, old=old, reference=None, mask=mask, weight=weight)
        error = (tokens.input - tokens.target).square()
        if tokens.old is not None:
            moved = (tokens.input - tokens.old).clamp(-self.clip, self.clip)
            held = (tokens.old + moved - tokens.target).square()
            # Where both are equal, the one with a gradient, whatever torch's own has at an edge.
            error = torch.where(error >= held, error, held)
        return of_tokens(error / 2, tokens)
