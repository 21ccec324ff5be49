"""Decoupled distillation: how sure to be of the label, and how the other classes compare, apart."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import check_between
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Selection, counted_positions, position_shape, prepare, ready
from lossary_losses._core.divergence import Comparison, compare, divergence
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.rows import require_integers, require_shape
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DKDLoss"]


@loss_registry.register(name="dkd_loss", aliases=["DKDLoss"], tags=["distillation"])
@define_loss
class DKDLoss(ReducedLoss):
    r"""Divergence of the label against all other classes, and of these among themselves, weighed apart.

    .. math:: \ell = T^2 \big( \alpha\, \mathrm{KL}(b^t \,\|\, b^x)
        + \beta\, \mathrm{KL}(\hat p \,\|\, \hat q) \big),
        \quad b^t = (p_y,\, 1 - p_y), \quad \hat p_c = \frac{p_c}{1 - p_y}\ (c \ne y)

    :math:`p` and :math:`q` being the softmax of the teacher's and the student's logits over :math:`T`.

    Convention:
        The paper's defaults, and mdistiller's. mmrazor has a beta of one. With beta the teacher's
        :math:`1 - p_y` it would be ``kl_distillation_loss``. The classes beside the label are compared
        without the label, where mdistiller takes a thousand off its logit and the logarithm of a softmax:
        logits of a hundred make that NaN. The mean is over positions. With two classes only the first
        divergence is left. Both networks have a gradient; detach a teacher that is not to learn.

    Shapes:
        ``input``: ``(B, C, *S)``, logits of the student. ``target``: the input's, logits of the teacher.
        ``labels``: ``(B, *S)``, class indices of any integer dtype; under a mask they may be anything.
        ``mask``: ``(B, *S)`` or the input's. ``weight``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        alpha: The weight of the label against all other classes, >= 0. Default: 1.
        beta: The weight of the other classes among themselves, >= 0. Default: 8.
        temperature: What logits are divided by, > 0. Default: 4.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]])
        >>> DKDLoss(temperature=1.0)(student, teacher, labels=torch.tensor([0]))
        tensor(0.0989)

    Reference:
        Zhao et al. 2022, "Decoupled Knowledge Distillation", arXiv:2203.08679.
    """

    claims: ClassVar = Claims(
        input="student_logits",
        targets={"teacher_logits": {}},
        arguments={"labels": "labels"},
        exempt={"order_of_classes_does_not_matter": "labels would have to be given other numbers"}
        | dict.fromkeys(
            (
                "ignored_is_cut_out",
                "an_ignored_position_hides_anything",
                "nothing_counts_when_all_is_ignored",
            ),
            "a teacher's logits hold no index; a mask leaves positions out",
        ),
    )

    alpha: float = number(default=1.0, at_least=0)
    beta: float = number(default=8.0, at_least=0)
    temperature: float = number(default=4.0, above=0)

    def forward(  # type: ignore[override] # without labels there is nothing to take apart
        self,
        input: Tensor,
        target: Tensor,
        *,
        labels: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Logits of the student; half precision is computed in float32.
            target: Logits of the teacher.
            labels: The class of each position.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the input's.
            weight: How much each position counts; of shape ``(B, *S)``.

        Returns:
            A scalar, or each position's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a label is none of the classes.
            InputTypeError: A dtype is unusable, such as labels given as floats.
        """
        return self.result(input, target, labels=labels, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        labels: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each position."""
        require_floating_point(target, "target")
        dense = prepare(input, target, Selection(None, mask, weight), "logits")
        require_integers(labels, "labels")
        require_shape(labels, "labels", tuple(position_shape(input)), input)
        labels, valid = labels.long().unsqueeze(1), counted_positions(dense)
        labels = labels if valid is None else torch.where(valid, labels, 0)
        check_between(labels, 0, input.shape[1] - 1, "labels")
        student, teacher, share, *_ = ready(dense)
        every = compare(teacher, student, self.temperature)
        teacher, student = (each.scatter(1, labels, -torch.inf) for each in (teacher, student))
        others = compare(teacher, student, self.temperature)
        of_label = divergence(_label_and_others(every, others, labels))
        value = self.alpha * of_label + self.beta * divergence(others)
        return drop_dimension(weigh(self.temperature**2 * value, share), 1)


def _label_and_others(every: Comparison, others: Comparison, labels: Tensor) -> Comparison:
    """Compare what the label has with what all other classes have together."""
    # Among themselves the others' ratios are all changed alike: by the ratio of their sums.
    likeliest = others.truth.detach().argmax(dim=1, keepdim=True)
    of_others = (every.log_ratio - others.log_ratio).gather(1, likeliest)
    truth, other = (
        torch.cat([each.gather(1, labels), each.scatter(1, labels, 0).sum(dim=1, keepdim=True)], dim=1)
        for each in (every.truth, every.other)
    )
    return Comparison(truth, other, torch.cat([every.log_ratio.gather(1, labels), of_others], dim=1))
