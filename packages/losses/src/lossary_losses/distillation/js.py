"""Distillation by the Jensen-Shannon divergence: both networks against what is between them."""

import math
from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.divergence import Comparison, divergence
from lossary_losses._core.options import number
from lossary_losses.distillation.logits import LogitsLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["JSDistillationLoss"]


@loss_registry.register(
    name="js_distillation_loss",
    aliases=["JSDistillationLoss"],
    tags=["distillation", "pointwise"],
)
@define_loss
class JSDistillationLoss(LogitsLoss):
    r"""Generalised Jensen-Shannon divergence of a student's softened distribution and its teacher's.

    .. math:: \ell = T^2 \big( \beta\, \mathrm{KL}(p \,\|\, m) + (1 - \beta)\, \mathrm{KL}(q \,\|\, m) \big),
        \quad m = \beta\, p + (1 - \beta)\, q, \quad
        p = \mathrm{softmax}(t / T), \quad q = \mathrm{softmax}(x / T)

    Convention:
        As in the paper and TRL's GKD, beta weighs the teacher; in distillm lambda weighs the student, which
        is one less beta. The loss tends to zero where beta tends to either end, and over beta it tends to the
        forward divergence near zero, over one less beta to the reverse one near one. Some peers jump to
        these divergences at the ends: for them take ``kl_distillation_loss``, here the ends are refused.
        The mean is over positions. The square of the temperature keeps the size of gradients; TRL and Liger
        have no such factor, and Liger adds half a cross entropy unless told. It is at most the entropy of
        beta, in nats, whatever a network rules out by minus infinity. Both have a gradient; detach a teacher
        that is not to learn.

    Shapes:
        ``input``: ``(B, C, *S)``, logits of the student. ``target``: the input's, logits of the teacher.
        ``mask``: ``(B, *S)`` or the input's. ``weight``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.
        Logits of tokens ``(B, T, V)`` become ``(B * T, V)`` by ``flatten(0, 1)``.

    Args:
        beta: The share of the teacher in the mixture, > 0 and < 1. Default: 0.5.
        temperature: What logits are divided by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[0.0, 20.0]]), torch.tensor([[20.0, 0.0]])
        >>> JSDistillationLoss()(student, teacher)
        tensor(0.6931)

    Reference:
        Agarwal et al. 2023, "On-Policy Distillation of Language Models: Learning from Self-Generated
        Mistakes", arXiv:2306.13649.
    """

    claims: ClassVar = attrs.evolve(LogitsLoss.claims, high=math.log(2), memory=8)

    beta: float = number(default=0.5, above=0, below=1)

    def apart(self, comparison: Comparison) -> Tensor:
        """Give the divergences of both from their mixture."""
        of_teacher = divergence(comparison.mixed(self.beta))
        of_student = divergence(comparison.swapped().mixed(1 - self.beta))
        return self.beta * of_teacher + (1 - self.beta) * of_student
