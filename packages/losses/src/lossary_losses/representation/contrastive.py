"""The contrastive loss: pairs of one label are near, others farther than a margin."""

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import plain
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, require_dimensions, require_shape
from lossary_losses.errors import InputTypeError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.anchors import AnchorLoss, Others
from lossary_losses.representation.distances import compared_by, distance_of, distances_to_own

__all__ = ["ContrastiveLoss"]


@loss_registry.register(
    name="contrastive_loss", aliases=["ContrastiveLoss"], tags=["representation", "contrastive"]
)
@define_loss
class ContrastiveLoss(AnchorLoss):
    r"""Half the squared distance of rows of one label; of others, half the square of what lacks to a margin.

    .. math:: \ell_{ij} = \tfrac{1}{2} \begin{cases} d_{ij}^2 & \text{same label} \\
        [m - d_{ij}]_+^2 & \text{other label} \end{cases}

    Convention:
        Each row is compared with all others, and has the mean of what its pairs cost, so that the mean is
        over pairs: all that are in the batch, by Euclidean distance, as in the paper. Pairs may also be
        given, with a target of embeddings and ``same``. sentence-transformers takes those, halves and squares
        as well, and has cosine distances and a margin of 0.5. pytorch-metric-learning brings rows to length
        one, does neither, and adds the means of the pairs of either kind that cost something.

    Shapes:
        ``input``: ``(B, D)``, embeddings. ``target``: ``(B,)``, labels, any integers; or ``(B, D)``, with
        ``same``: ``(B,)``, bool. Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        margin: How far rows of different labels should be from each other, > 0. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> embeddings = torch.tensor([[0.0, 0.0], [0.6, 0.8], [0.0, 0.5]])
        >>> ContrastiveLoss()(embeddings, torch.tensor([5, 5, 7]))
        tensor(0.2264)

    Reference:
        Hadsell et al. 2006, "Dimensionality Reduction by Learning an Invariant Mapping",
        doi:10.1109/CVPR.2006.100.
    """

    claims: ClassVar = attrs.evolve(
        AnchorLoss.claims, element="row", invariant=("rotation", "renaming"), perfect=None
    )

    margin: float = number(default=1.0, above=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        same: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Embeddings; half precision is computed in float32.
            target: Labels; or, with ``same``, the embedding that each is paired with.
            same: Bool, True where a pair belongs together; of shape ``(B,)``.
            mask: Bool, True where a row counts; of shape ``(B,)``.
            weight: How much each row counts in the mean; of shape ``(B,)``.

        Returns:
            A scalar, or each row's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a weight is impossible.
            InputTypeError: A dtype is unusable, ``same`` is missing, or stands beside labels.
        """
        return self.result(input, target, same=same, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        same: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each row, or of each pair that is given."""
        require_tensor(target, "target")
        is_labels = target.ndim != input.ndim or not target.is_floating_point()
        if same is None and is_labels:
            return super().elements(input, target, mask=mask, weight=weight)
        if same is None or is_labels:
            raise InputTypeError(
                "a target of labels goes without same, and one of embeddings with it: "
                f"target {tuple(target.shape)}, {'no ' if same is None else ''}same"
            )
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        paired = rows.like_input(target, "target").unsqueeze(1)
        if same.dtype != torch.bool:
            raise InputTypeError(f"same must be bool, True where a pair belongs together, got {same.dtype}")
        require_shape(same, "same", tuple(input.shape[:1]), input)
        squared = distances_to_own("squared", rows.input, paired).squeeze(1)
        lacking = (self.margin - distance_of("euclidean", squared)).clamp(min=0)
        cost = torch.where(plain(same), squared, lacking.square()) / 2
        return weigh(cost.to(rows.input.dtype), rows.share)

    def has_part(self, positives: Tensor, negatives: Tensor) -> Tensor:
        """Any other row makes a pair."""
        return positives + negatives > 0

    def compared(self, anchors: Tensor, everyone: Tensor) -> tuple[Tensor, Tensor]:
        """Compare by squared distances."""
        return compared_by("squared", anchors, everyone)

    def costs(self, similarities: Tensor, others: Others) -> Tensor:
        """Give the mean over the pairs of each row."""
        squared = distance_of("squared", similarities)
        lacking = (self.margin - distance_of("euclidean", similarities)).clamp(min=0)
        cost = torch.where(others.alike, squared, torch.where(others.different, lacking.square(), 0))
        pairs = (others.alike | others.different).sum(dim=1).clamp(min=1)
        return cost.sum(dim=1) / (2 * pairs)
