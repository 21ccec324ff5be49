"""Distillation: the divergence of a student's distribution over classes from its teacher's."""

from typing import Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.divergence import Comparison, divergence
from lossary_losses._core.options import choice, number
from lossary_losses.distillation.logits import LogitsLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["KLDistillationLoss"]


@loss_registry.register(
    name="kl_distillation_loss",
    aliases=["KLDistillationLoss"],
    tags=["distillation", "pointwise"],
)
@define_loss
class KLDistillationLoss(LogitsLoss):
    r"""Kullback-Leibler divergence of the softened distributions of a student and its teacher.

    .. math:: \ell = T^2 \sum_c p_c \log \frac{p_c}{m_c}, \quad m = (1 - s)\, q + s\, p, \quad
        p = \mathrm{softmax}(t / T), \quad q = \mathrm{softmax}(x / T)

    With ``direction="reverse"`` both change places: :math:`T^2\, \mathrm{KL}(q \,\|\, (1 - s)\, p + s\, q)`.

    Convention:
        The mean is over positions: torch's ``kl_div`` with ``"batchmean"`` divides by the samples, however
        many positions they have, and with ``"mean"`` by the classes too. The square of the temperature keeps
        the size of gradients, as in Hinton's paper, mdistiller and mmrazor; TRL, Liger and torchtune have no
        such factor. It is a divergence, zero where both agree: torchtune's ``ForwardKLLoss`` and the forward
        losses of distillm are cross entropies, which have the teacher's entropy on top, and the same
        gradient for the student. Distillm's skewed losses are ``skew=0.1``. With logits that are
        standardised over classes first it is logit standardisation. It never is below zero, and has its
        digits where student and teacher nearly agree.
        A class that the teacher rules out, by minus infinity, costs what probability the student gives it.
        One that the student rules out alone costs 1e30 times what the teacher gives it, and has no gradient
        there; with a skew it costs a finite amount. Both have a gradient; detach a teacher that is not to
        learn.

    Shapes:
        ``input``: ``(B, C, *S)``, logits of the student. ``target``: the input's, logits of the teacher.
        ``mask``: ``(B, *S)`` or the input's. ``weight``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.
        Logits of tokens ``(B, T, V)`` become ``(B * T, V)`` by ``flatten(0, 1)``.

    Args:
        direction: ``"forward"`` (default), from the teacher to the student, which covers all that the teacher
            does, or ``"reverse"``, which avoids what the teacher does not.
        temperature: What logits are divided by, > 0. Default: 1.
        skew: How much of the one that judges is mixed into the other, >= 0 and < 1. Default: 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0]])
        >>> KLDistillationLoss()(student, teacher)
        tensor(0.0671)

    Reference:
        Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531. Reverse: Gu et
        al. 2023, "MiniLLM: Knowledge Distillation of Large Language Models", arXiv:2306.08543. Skewed: Ko et
        al. 2024, "DistiLLM: Towards Streamlined Distillation for Large Language Models", arXiv:2402.03898.
    """

    direction: Literal["forward", "reverse"] = choice("forward", "reverse", default="forward")
    skew: float = number(default=0.0, at_least=0, below=1)

    def apart(self, comparison: Comparison) -> Tensor:
        """Give the divergence, in one direction."""
        ordered = comparison if self.direction == "forward" else comparison.swapped()
        return divergence(ordered.mixed(self.skew))
