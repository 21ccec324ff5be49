"""Identity preference optimisation: a lead over the reference of a given size, and no more."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.preference.pair import ReferredPairLoss

__all__ = ["IPOLoss"]


@loss_registry.register(name="ipo_loss", aliases=["IPOLoss"], tags=["language", "preference"])
@define_loss
class IPOLoss(ReferredPairLoss):
    r"""Squared distance of how much more the preferred answer has gained over a reference from a set lead.

    .. math:: \ell = \Big( (x_w - r_w) - (x_l - r_l) - \frac{1}{2 \tau} \Big)^2

    Convention:
        Unlike DPO's, it does not ask for ever more where preferences are certain. Input and reference are
        log-probabilities in two columns, chosen and rejected ones ``torch.stack([chosen, rejected], dim=1)``
        with zeros as targets. TRL's DPO trainer and HALOs average them over the tokens of an answer,
        OpenRLHF and TRL's CPO trainer add them up: pass what is meant, since the lead is a number. ``tau`` is
        called ``beta`` there. Targets that are probabilities give what is to be expected. The mean is over
        pairs.

    Shapes:
        ``input`` and ``reference``: ``(P, 2)``. ``target``: ``(P,)``, 0 or 1, of any integer dtype, or
        ``(P, 2)``, probabilities. Result: a scalar, or ``(P,)`` with ``reduction="none"``.

    Args:
        tau: How strongly the policy is held to its reference, > 0: the lead is half its reciprocal.
            Default: 0.1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> policy, reference = torch.tensor([[-1.0, -6.0]]), torch.tensor([[-2.0, -3.0]])
        >>> IPOLoss()(policy, torch.tensor([0]), reference=reference)
        tensor(1.)

    Reference:
        Azar et al. 2023, "A General Theoretical Paradigm to Understand Learning from Human Preferences",
        arXiv:2310.12036.
    """

    claims: ClassVar = Claims(
        input="pairs",
        targets={"preferred": {}, "probabilities": {}},
        element="pair",
        perfect=None,
        at_soft="elsewhere",
        layout="P 2",
        memory=6,
    )

    tau: float = number(default=0.1, above=0)

    def cost(self, margin: Tensor) -> Tensor:
        """Square what is missing to the lead, or is too much."""
        return (margin - 1 / (2 * self.tau)).square()
