"""DIST: a student whose probabilities rise and fall with its teacher's, whatever their size."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.moments import added_up, centred, reciprocal_root
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements
from lossary_losses._core.rows import prepare_rows, require_dimensions
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DISTLoss"]


@loss_registry.register(name="dist_loss", aliases=["DISTLoss"], tags=["distillation"])
@define_loss
class DISTLoss(ReducedLoss):
    r"""One minus the correlation of a student's and a teacher's probabilities, by sample and by class.

    .. math:: \ell = T^2 \Big( \beta\, \frac{1}{B} \sum_b \big( 1 - \rho(q_{b \cdot}, p_{b \cdot}) \big)
        + \gamma\, \frac{1}{C} \sum_c \big( 1 - \rho(q_{\cdot c}, p_{\cdot c}) \big) \Big)

    :math:`\rho` being Pearson's correlation, :math:`p` and :math:`q` the softmax of the teacher's and the
    student's logits over :math:`T`.

    Convention:
        As in the paper, torchdistill and mmrazor, which have an epsilon of 1e-8 in correlations. What is
        constant in the teacher, such as every class in a batch of one sample, has nothing to be learned: it
        costs nothing, where peers add one. What is constant in the student alone costs one, and has no
        gradient. A weight says how often a sample is there. Over processes, a class is correlated over the
        samples of all of them. torchdistill's ``DISTPlusLoss`` is another loss. Both networks have a
        gradient; detach a teacher that is not to learn.

    Shapes:
        ``input``: ``(B, C)``, logits of the student. ``target``: the input's, logits of the teacher.
        ``mask`` and ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(1,)`` with ``reduction="none"``: a batch is one element.
        Positions of ``(B, C, *S)`` become samples by ``movedim(1, -1).flatten(0, -2)``.

    Args:
        beta: The weight of correlations over the classes of a sample, >= 0. Default: 1.
        gamma: The weight of correlations over the samples of a class, >= 0. Default: 1.
        temperature: What logits are divided by, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
        >>> DISTLoss()(student, teacher)
        tensor(2.)

    Reference:
        Huang et al. 2022, "Knowledge Distillation from A Stronger Teacher", arXiv:2205.10536.
    """

    claims: ClassVar = Claims(
        input="student_scores",
        targets={"teacher_scores": {}},
        element="batch",
        couples="batch",
        adds_up="no",
        high=4.0,
        layout="B C",
    )

    beta: float = number(default=1.0, at_least=0)
    gamma: float = number(default=1.0, at_least=0)
    temperature: float = number(default=1.0, above=0)

    @property
    def sums_over_processes(self) -> bool:
        """Say so wherever there are several."""
        return self.process_group is not None

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of the batch, the only element; one without samples does not count."""
        require_dimensions(input, "input", "B C")
        rows = prepare_rows(input, mask, weight)
        target = rows.like_input(target, "target")
        share = (rows.input.new_ones(len(input)) if rows.share is None else rows.share).unsqueeze(1)
        both = [(each / self.temperature).softmax(dim=1) for each in (rows.input, target)]
        over_samples = centred(both, share, self.process_group)
        ours, theirs = (
            values / torch.where(spread > 0, spread, 1).detach()
            for values, spread in zip(over_samples.values, over_samples.spreads, strict=True)
        )
        pairs = ((ours, theirs), (ours, ours), (theirs, theirs))
        total, *moments = added_up(
            [
                (share.squeeze(1) * _of_rows(*map(_centred_rows, both))).sum(),
                *((share * one * other).sum(dim=0) for one, other in pairs),
            ],
            self.process_group,
        )
        is_some = over_samples.number > 0
        of_samples = total / torch.where(is_some, over_samples.number, 1)
        value = self.temperature**2 * (self.beta * of_samples + self.gamma * _distance(*moments).mean())
        return Elements(torch.where(is_some, value, 0).unsqueeze(0), is_some.to(value.dtype).unsqueeze(0))


def _centred_rows(values: Tensor) -> Tensor:
    """Take the mean off each row: exactly all of it, where a row is constant."""
    values = values - values.detach()[:, :1]
    return values - values.mean(dim=1, keepdim=True)


def _of_rows(ours: Tensor, theirs: Tensor) -> Tensor:
    """Give one minus the correlation of rows without mean."""
    return _distance((ours * theirs).sum(dim=1), ours.square().sum(dim=1), theirs.square().sum(dim=1))


def _distance(product: Tensor, squares: Tensor, squares_of_truth: Tensor) -> Tensor:
    """Give one minus the correlation; nothing where the truth is constant."""
    correlation = product * reciprocal_root(squares) * reciprocal_root(squares_of_truth)
    return torch.where(squares_of_truth == 0, 0, 1 - correlation)
