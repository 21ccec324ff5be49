"""DINO: a student predicts what a teacher makes of another view."""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.distribution import gather_rows
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import left_out, prepare_rows, require_dimensions, require_shape
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DINOLoss"]

_ROUNDS = 3
"""How often Sinkhorn and Knopp's algorithm evens out prototypes and rows, in SwAV and in DINOv2."""


@loss_registry.register(name="dino_loss", aliases=["DINOLoss"], tags=["representation", "cross_entropy"])
@define_loss
class DINOLoss(ReducedLoss):
    r"""Cross entropy between a teacher's sharpened probabilities of prototypes and a student's.

    .. math:: \ell = -\sum_k q_k \log \mathrm{softmax}(x / \tau_s)_k,
        \quad q = \mathrm{softmax}\left( (t - c) / \tau_t \right)

    Convention:
        The target is the teacher's output, and has no gradient. The loss keeps no centre: what it is given
        as ``center`` is a running mean of the teacher's outputs, which the training loop owns, so that the
        same call gives the same value. One pair of views makes one call; DINO takes the mean over all pairs
        of different crops. iBOT's loss is this of patches, as rows, with ``mask`` True where a patch was
        hidden from the student. With ``centering="sinkhorn"``, as in SwAV and DINOv2, three rounds of
        Sinkhorn and Knopp's algorithm give each prototype the same share of the batch, over processes that of
        all of them; a centre is of no use then. As with any cross entropy with soft targets the lowest value
        is not zero.

    Shapes:
        ``input`` and ``target``: ``(B, K)``, logits of K prototypes. ``center``: ``(K,)``.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        student_temperature: What the input is divided by, > 0. Default: 0.1.
        teacher_temperature: What the target is divided by, > 0. Default: 0.04.
        centering: ``"center"`` (default), ``"sinkhorn"``, or ``"none"``, which takes no centre.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> DINOLoss()(torch.zeros(2, 4), torch.eye(2, 4))
        tensor(1.3863)

    Reference:
        Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", arXiv:2104.14294. Of
        patches: Zhou et al. 2021, "iBOT: Image BERT Pre-Training with Online Tokenizer", arXiv:2111.07832.
        Sinkhorn: Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", arXiv:2006.09882.
    """

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"embeddings": {}},
        element="pair",
        perfect=None,
        invariant=(),
        layout="B D",
        exempt={"other_derivatives_are_right": "the teacher has no gradient"},
    )

    student_temperature: float = number(default=0.1, above=0)
    teacher_temperature: float = number(default=0.04, above=0)
    centering: Literal["center", "sinkhorn", "none"] = choice("center", "sinkhorn", "none", default="center")

    @property
    def adds_up(self) -> bool:
        """Say no where the rows of a batch share prototypes."""
        return super().adds_up and self.centering != "sinkhorn"

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        center: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The student's logits; half precision is computed in float32.
            target: The teacher's logits of another view, or of the same patch.
            center: What is taken off the teacher's logits; None: nothing.
            mask: Bool, True where a row counts; of shape ``(B,)``.
            weight: How much each row counts; of shape ``(B,)``.

        Returns:
            A scalar, or each row's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, center=center, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        center: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each row."""
        require_dimensions(input, "input", "B K")
        rows = prepare_rows(input, mask, weight)
        require_tensor(target, "target")
        teacher = rows.like_input(target.detach(), "target")
        if center is not None:
            require_floating_point(center, "center")
            require_shape(center, "center", tuple(input.shape[1:]), input)
            if self.centering == "center":
                teacher = teacher - plain(center.detach()).to(teacher.dtype)
        logits = bounded(teacher / self.teacher_temperature)
        if self.centering == "sinkhorn":
            probability = _evened_out(logits, rows.counted, self.process_group)
        else:
            probability = logits.softmax(dim=1)
        log_probability = bounded(rows.input / self.student_temperature).log_softmax(dim=1)
        return weigh(-(probability * log_probability).sum(dim=1), rows.share)


@torch.no_grad()
def _evened_out(logits: Tensor, counted: Tensor | None, group: ProcessGroup | None) -> Tensor:
    """Give probabilities of which each prototype has the same part of all rows, by logarithms throughout."""
    counts = logits.new_ones(len(logits), dtype=torch.bool) if counted is None else counted
    own = slice(0, len(logits))
    if group is not None:
        logits, own = gather_rows(logits, group)
        counts, _ = gather_rows(counts, group)
    for _ in range(_ROUNDS):
        # Rows that do not count have no part of a prototype, in any round.
        logits = logits - left_out(logits, counts.unsqueeze(1)).logsumexp(dim=0)
        logits = logits.log_softmax(dim=1)
    return logits[own].exp()
