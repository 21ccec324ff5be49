"""Direct preference optimisation: a policy that prefers what people prefer, by more than its reference."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import ReferredPairLoss

__all__ = ["DPOLoss"]


@loss_registry.register(
    name="dpo_loss", aliases=["DPOLoss"], tags=["language", "preference", "cross_entropy"]
)
@define_loss
class DPOLoss(ReferredPairLoss):
    r"""Logistic loss of how much more the preferred answer has gained over a reference than the other one.

    .. math:: \ell = -\log \sigma \big( \beta\, (x_w - r_w) - \beta\, (x_l - r_l) \big)

    Convention:
        Input and reference are the log-probabilities of both answers, each summed over its tokens, in two
        columns; chosen and rejected ones are ``torch.stack([chosen, rejected], dim=1)`` with zeros as
        targets. It is the cross entropy of two classes with the logits :math:`\beta (x - r)`. Targets that
        are probabilities make it conservative: ``(1 - e, e)`` is what is called ``label_smoothing=e`` in
        torchtune, OpenRLHF and TRL's cDPO, and cross entropy's smoothing of ``2 e``. Without a reference
        it is one whose answers are all equally likely. The mean is over pairs, however long they are.

    Shapes:
        ``input`` and ``reference``: ``(P, 2)``. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or
        ``(P, 2)``, probabilities. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        beta: How strongly the policy is held to its reference, > 0. Default: 0.1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> policy, reference = torch.tensor([[-10.0, -20.0]]), torch.tensor([[-15.0, -15.0]])
        >>> DPOLoss()(policy, torch.tensor([0]), reference=reference)
        tensor(0.3133)

    Reference:
        Rafailov et al. 2023, "Direct Preference Optimization: Your Language Model is Secretly a Reward
        Model", arXiv:2305.18290.
    """

    claims: ClassVar = Claims(
        input="pairs",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        perfect=None,
        at_soft="elsewhere",
        learns_at=1000.0,
        layout="P 2",
        memory=5,
    )

    beta: float = number(default=0.1, above=0)

    def cost(self, margin: Tensor) -> Tensor:
        """Give the surprise that the preferred one is preferred."""
        return softplus(-self.beta * margin)
