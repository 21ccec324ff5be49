"""Distillation from the few likeliest classes of a teacher, such as the tokens that a server gives."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import check_between, plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import (
    Selection,
    counted_positions,
    incompatible_shapes,
    prepare,
    ready,
)
from lossary_losses._core.divergence import Comparison, divergence
from lossary_losses._core.options import choice
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.rows import require_integers, require_shape
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["TopKDistillationLoss"]

_MOST = 1.05
"""What probabilities that were rounded in half precision add up to at the most."""


@loss_registry.register(
    name="top_k_distillation_loss", aliases=["TopKDistillationLoss"], tags=["distillation", "language"]
)
@define_loss
class TopKDistillationLoss(ReducedLoss):
    r"""Kullback-Leibler divergence over a teacher's likeliest classes, and all other classes as one.

    .. math:: \ell = \sum_{k} p_k \log \frac{p_k}{q_{i_k}} + p_r \log \frac{p_r}{q_r}, \quad
        p_r = 1 - \sum_k p_k, \quad q_r = 1 - \sum_k q_{i_k}

    With ``direction="reverse"`` :math:`p` and :math:`q` change places.

    Convention:
        The rest is a class of its own, so that it is a divergence: never below zero, and zero only where the
        student gives the classes what the teacher does. Without it, as in verl, it is negative where the
        student gives these classes more, and clamped at zero it has no gradient there. It is at most the
        divergence over all classes. The target's logarithms are those of probabilities over all classes,
        not of the few alone, and of a temperature of one. What rounding leaves of the rest is never less than
        half a step beside one, 6e-8 in single precision. With all classes there is no rest. The mean is over
        positions. The target has a gradient, too.

    Shapes:
        ``input``: ``(B, C, *S)``, logits of the student.
        ``target``: ``(B, K, *S)``, logarithms of the teacher's probabilities of K classes, 1 to C.
        ``indices``: the target's, which classes these are, all different, of any integer dtype.
        ``mask`` and ``weight``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.
        Logits of tokens ``(B, T, V)`` become ``(B * T, V)`` by ``flatten(0, 1)``.

    Args:
        direction: ``"forward"`` (default), from the teacher to the student, or ``"reverse"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 4), torch.tensor([[0.5, 0.25]])
        >>> TopKDistillationLoss()(student, teacher.log(), indices=torch.tensor([[3, 0]]))
        tensor(0.1733)

    Reference:
        Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531.
    """

    claims: ClassVar = Claims(
        input="student_logits",
        targets={"top_log_probabilities": {}},
        arguments={"indices": "top"},
        exempt={
            "order_of_classes_does_not_matter": "indices would have to be given other numbers",
            "masked_is_cut_out": "a mask has no classes, of which the target has fewer than the input",
        }
        | dict.fromkeys(
            (
                "ignored_is_cut_out",
                "an_ignored_position_hides_anything",
                "nothing_counts_when_all_is_ignored",
            ),
            "a teacher's probabilities hold no index; a mask leaves positions out",
        ),
    )

    direction: Literal["forward", "reverse"] = choice("forward", "reverse", default="forward")

    def forward(  # type: ignore[override] # without indices nobody knows the classes
        self,
        input: Tensor,
        target: Tensor,
        *,
        indices: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Logits of the student; half precision is computed in float32.
            target: Logarithms of the teacher's probabilities of a few classes.
            indices: Which classes these are.
            mask: Bool, True where a position counts; of shape ``(B, *S)``.
            weight: How much each position counts; of shape ``(B, *S)``.

        Returns:
            A scalar, or each position's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, an index is none of the classes, or the
                probabilities add up to more than one.
            InputTypeError: A dtype is unusable, such as indices given as floats.
        """
        return self.result(input, target, indices=indices, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        indices: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each position."""
        require_floating_point(target, "target")
        require_integers(indices, "indices")
        classes = input.shape[1] if input.ndim > 1 else 0
        few = target.shape[1] if target.ndim > 1 else 0
        if not 1 <= few <= classes or target.shape != (len(input), few, *input.shape[2:]):
            raise incompatible_shapes(input, target, "(B, K, *S) with K from 1 to the number of classes")
        require_shape(indices, "indices", tuple(target.shape), input)
        # The target is prepared below: it has other classes than the input.
        dense = prepare(input, input.detach(), Selection(None, mask, weight), "logits")
        logits, _, share, *_ = ready(dense)
        target, indices, valid = plain(target).to(logits.dtype), indices.long(), counted_positions(dense)
        if valid is not None:
            target, indices = torch.where(valid, target, -torch.inf), torch.where(valid, indices, 0)
        check_between(indices, 0, classes - 1, "indices")
        comparison = _compare(bounded(target), logits, indices)
        ordered = comparison if self.direction == "forward" else comparison.swapped()
        return drop_dimension(weigh(divergence(ordered), share), 1)


def _compare(log_truth: Tensor, logits: Tensor, indices: Tensor) -> Comparison:
    """Compare what the teacher and the student give the few classes, and what they give the rest."""
    truth = log_truth.exp()
    total = truth.sum(dim=1, keepdim=True)
    check_between(total, 0, _MOST, "the target's probabilities of each position, added up,")
    log_total = logits.logsumexp(dim=1, keepdim=True)
    log_other = bounded(logits.gather(1, indices) - log_total)
    if indices.shape[1] < logits.shape[1]:
        rest = (1 - total).clamp(min=torch.finfo(total.dtype).eps / 2)
        log_rest = logits.scatter(1, indices, -torch.inf).logsumexp(dim=1, keepdim=True) - log_total
        truth, log_truth = torch.cat([truth, rest], dim=1), torch.cat([log_truth, rest.log()], dim=1)
        log_other = torch.cat([log_other, bounded(log_rest)], dim=1)
    return Comparison(truth, log_other.exp(), log_other - log_truth)
