"""SupCon: tell those of an embedding's own class from all others."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, reciprocal_length, require_dimensions
from lossary_losses._core.similarity import Vectors, log_sums, sums_and_counts_of_twins
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.identities import prepare_identities
from lossary_losses.representation.learned import positive_number
from lossary_losses.representation.pairs import counted_of_all, of_all

__all__ = ["SupConLoss"]


@loss_registry.register(
    name="supcon_loss",
    aliases=["SupConLoss", "supervised_contrastive_loss"],
    tags=["representation", "contrastive", "cross_entropy"],
)
@define_loss
class SupConLoss(ReducedLoss):
    r"""Cross entropy of telling each row of an anchor's class from all other rows, by similarity.

    .. math:: \ell_i = \log \sum_{j \neq i} e^{s_{ij} / \tau}
        - \frac{1}{|P_i|} \sum_{p \in P_i} s_{ip} / \tau

    with cosines :math:`s`, and the other rows :math:`P_i` of the anchor's class.

    Convention:
        The mean is over anchors that have a positive, as in pytorch-metric-learning; implementations that
        count the others as zero give this times the share of the anchors that have one, and the authors' code
        divides by 0.07 and multiplies by the temperature on top. The sum over the positives stands outside of
        the logarithm, and all positives are in the denominator. Where each label stands there twice it is
        NT-Xent; with more, labels given to NT-Xent elsewhere leave the other positives out of the
        denominator, and give another number. Several views of a sample are rows of one label.
        A memory, such as a queue of earlier batches, holds further rows to compare with, which are no
        anchors; over processes it is the same on all of them, and the batch has the rows of all.

    Shapes:
        ``input``: ``(B, D)``, embeddings of any length. ``target``: ``(B,)``, labels, any integers.
        ``memory``: ``(K, D)``; ``memory_labels``: ``(K,)``. ``temperature``: ``()``. Result: a scalar, or
        ``(B,)`` with ``reduction="none"``.

    Args:
        temperature: What cosines are divided by, > 0, unless a tensor is given. Default: 0.1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> SupConLoss(temperature=1.0)(torch.eye(2)[[0, 0, 1, 1]], torch.tensor([5, 5, 7, 7]))
        tensor(0.5514)

    Reference:
        Khosla et al. 2020, "Supervised Contrastive Learning", arXiv:2004.11362.
    """

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"identities": {}},
        couples="batch",
        invariant=("rotation", "renaming", "scale"),
        perfect=None,
        layout="B D",
    )

    temperature: float = number(default=0.1, above=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        memory: Tensor | None = None,
        memory_labels: Tensor | None = None,
        temperature: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Embeddings; half precision is computed in float32.
            target: The label of each of them.
            memory: Further embeddings to compare with.
            memory_labels: The label of each of these.
            temperature: What cosines are divided by, where it is learned.
            mask: Bool, True where a row counts, as anchor, positive and negative alike; of shape ``(B,)``.
            weight: How much each anchor counts in the mean; of shape ``(B,)``.

        Returns:
            A scalar, or each anchor's loss with ``reduction="none"``, and zero for one without a positive.

        Raises:
            InputValueError: The shapes do not fit together, a memory has no labels, or a temperature or a
                weight is impossible.
            InputTypeError: A dtype is unusable, such as labels given as floats.
        """
        return self.result(
            input,
            target,
            memory=memory,
            memory_labels=memory_labels,
            temperature=temperature,
            mask=mask,
            weight=weight,
        )

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        memory: Tensor | None = None,
        memory_labels: Tensor | None = None,
        temperature: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each anchor."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        labels = prepare_identities(target, "target", input)
        # The root, on both sides, divides every cosine by the temperature.
        root = positive_number(temperature, "temperature", self.temperature, rows.input) ** -0.5
        anchors = root * reciprocal_length(rows.input) * rows.input
        others, place = of_all(anchors, self.process_group)
        other_labels = of_all(labels, self.process_group)[0]
        counted = counted_of_all(rows.counted, anchors, self.process_group)
        remembered, remembered_labels = _remembered(memory, memory_labels, anchors)
        others = torch.cat([others, root * reciprocal_length(remembered) * remembered])
        other_labels = torch.cat([other_labels, remembered_labels])
        if counted is not None:
            counted = torch.cat([counted, torch.ones_like(remembered_labels, dtype=torch.bool)])

        log_sum = log_sums(Vectors(anchors, place.start, rows.counted), Vectors(others, 0, counted))
        total, count = sums_and_counts_of_twins(
            Vectors(anchors, labels, None), Vectors(others, other_labels, counted)
        )
        # The anchor is of its own label, and no positive.
        total, count = total - anchors.square().sum(dim=1), count - 1
        there = count > 0
        value = torch.where(there, log_sum - total / torch.where(there, count, 1), 0)
        return weigh(value, rows.share, there.to(value.dtype))


def _remembered(memory: Tensor | None, labels: Tensor | None, like: Tensor) -> tuple[Tensor, Tensor]:
    """Check what is remembered; without a memory that is nothing."""
    if (memory is None) != (labels is None):
        raise InputValueError("a memory goes with memory_labels, and they with a memory")
    if memory is None or labels is None:
        return like[:0], torch.empty(0, dtype=torch.long, device=like.device)
    require_floating_point(memory, "memory")
    if memory.ndim != like.ndim or memory.shape[1:] != like.shape[1:] or memory.device != like.device:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(like.shape)}, memory {tuple(memory.shape)}; accepted for the "
            f"memory: (K, {like.shape[1]}), on {like.device}"
        )
    return plain(memory).to(like.dtype), prepare_identities(labels, "memory_labels", memory)
