"""Direct preference optimisation from preferences of which some are known to be the wrong way round."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import ReferredPairLoss

__all__ = ["RobustDPOLoss"]


@loss_registry.register(
    name="robust_dpo_loss", aliases=["RobustDPOLoss"], tags=["language", "preference", "noise_robust"]
)
@define_loss
class RobustDPOLoss(ReferredPairLoss):
    r"""DPO's loss without the bias of preferences that are the wrong way round at a known rate.

    .. math:: \ell = \frac{(1 - \epsilon)\, s(-\beta h) - \epsilon\, s(\beta h)}{1 - 2 \epsilon}, \quad
        h = (x_w - r_w) - (x_l - r_l), \quad s(z) = \log(1 + e^z)

    Convention:
        Over preferences of which a share ``flip_rate`` is wrong its mean is DPO's over the right ones. It has
        no lower bound: the more certain, the lower. TRL's ``"robust"`` calls the rate ``label_smoothing``;
        conservative DPO is another loss, :class:`DPOLoss` with probabilities as targets. Input and reference
        are log-probabilities, each summed over the tokens of an answer, in two columns; chosen and rejected
        ones are ``torch.stack([chosen, rejected], dim=1)`` with zeros as targets. The mean is over pairs.

    Shapes:
        ``input`` and ``reference``: ``(P, 2)``. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or
        ``(P, 2)``, probabilities. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        beta: How strongly the policy is held to its reference, > 0. Default: 0.1.
        flip_rate: Which share of preferences is wrong, >= 0 and < 0.5. Default: 0.1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> policy, reference = torch.tensor([[-10.0, -20.0]]), torch.tensor([[-15.0, -15.0]])
        >>> RobustDPOLoss()(policy, torch.tensor([0]), reference=reference)
        tensor(0.1883)

    Reference:
        Chowdhury et al. 2024, "Provably Robust DPO: Aligning Language Models with Noisy Feedback",
        arXiv:2403.00409.
    """

    claims: ClassVar = Claims(
        input="pairs",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        low=None,
        perfect=None,
        at_soft="elsewhere",
        layout="P 2",
        memory=8,
    )

    beta: float = number(default=0.1, above=0)
    flip_rate: float = number(default=0.1, at_least=0, below=0.5)

    def cost(self, margin: Tensor) -> Tensor:
        """Give DPO's cost less what wrong preferences add to it."""
        scaled = self.beta * margin
        # s(z) is z + s(-z), which leaves one logarithm, and no difference of two large ones.
        return softplus(-scaled) - self.flip_rate / (1 - 2 * self.flip_rate) * scaled
