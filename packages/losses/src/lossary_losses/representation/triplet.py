"""The triplet loss: an anchor is nearer to its own label than to others, by a margin."""

from typing import ClassVar, Literal

import attrs
import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.options import choice, flag, number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import Rows, prepare_rows, require_dimensions, selected
from lossary_losses._core.stable import softplus
from lossary_losses.errors import InputTypeError, InputValueError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.anchors import AnchorLoss, Others
from lossary_losses.representation.distances import Distance, compared_by, distance_of, distances_to_own

__all__ = ["TripletLoss"]


@loss_registry.register(name="triplet_loss", aliases=["TripletLoss"], tags=["representation", "contrastive"])
@define_loss
class TripletLoss(AnchorLoss):
    r"""Hinge of how much farther an anchor is from a positive than from a negative, plus a margin.

    .. math:: \ell_{apn} = [d_{ap} - d_{an} + m]_+

    Convention:
        The mean is over anchors that have a positive and a negative in the batch, those that cost nothing
        included. With ``mining="hard"`` an anchor has its farthest positive and its nearest negative; with
        ``"semi_hard"`` each of its positives, and for each the nearest negative that is farther than it, or
        where none is the farthest of all; with ``"all"`` every positive with every negative. What an anchor
        has several of, it has the mean of: where labels stand equally often, that is the mean over triplets.
        pytorch-metric-learning brings rows to length one, and its mean is over triplets that cost something:
        with its ``MeanReducer``, over all of them. sentence-transformers has margins of 5, and no hinge in
        its soft margin: ``soft=True``, ``log(1 + e^d)``, which takes no margin. FaceNet has squared distances
        of rows of length one, semi-hard negatives and a margin of 0.2. The cosine distance is one less the
        cosine; of rows of length one, half the squared distance. Triplets may also be given, as torch's
        ``triplet_margin_loss`` takes them, which is ``margin=1, mining="all"``: then the target holds the
        positive of each anchor, and ``negatives`` one or several, among which the mining chooses.

    Shapes:
        ``input``: ``(B, D)``, embeddings. ``target``: ``(B,)``, labels, any integers; or ``(B, D)``, with
        ``negatives``: ``(B, D)`` or ``(B, K, D)``. Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        margin: By how much a negative should be farther, >= 0. Default: 0.2.
        mining: ``"hard"`` (default), ``"semi_hard"`` or ``"all"``.
        distance: ``"euclidean"`` (default), ``"squared"`` or ``"cosine"``.
        soft: Whether a soft hinge stands for margin and hinge; not with ``mining="all"``. Default: False.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, or ``soft`` is given with ``mining="all"``.

    Example:
        >>> import torch
        >>> embeddings = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
        >>> TripletLoss()(embeddings, torch.tensor([5, 5, 7]))
        tensor(2.5787)

    Reference:
        Schroff et al. 2015, "FaceNet: A Unified Embedding for Face Recognition and Clustering",
        arXiv:1503.03832. Hardest triplets and the soft hinge: Hermans et al. 2017, "In Defense of the Triplet
        Loss for Person Re-Identification", arXiv:1703.07737.
    """

    claims: ClassVar = attrs.evolve(AnchorLoss.claims, invariant=("rotation", "renaming"))

    margin: float = number(default=0.2, at_least=0)
    mining: Literal["hard", "semi_hard", "all"] = choice("hard", "semi_hard", "all", default="hard")
    distance: Distance = choice("euclidean", "squared", "cosine", default="euclidean")
    soft: bool = flag(default=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a pair of options that has no short sum over the negatives of a batch."""
        super().__attrs_post_init__()
        if self.soft and self.mining == "all":
            raise OptionValueError("soft=True goes with mining='hard' or 'semi_hard', not with 'all'")

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        negatives: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Embeddings; half precision is computed in float32.
            target: Labels; or, with ``negatives``, the embedding that each should be near.
            negatives: Embeddings that each should be far from.
            mask: Bool, True where a row counts, as anchor, positive and negative alike; of shape ``(B,)``.
            weight: How much each anchor counts in the mean; of shape ``(B,)``.

        Returns:
            A scalar, or each anchor's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a weight is impossible.
            InputTypeError: A dtype is unusable, negatives are missing, or stand beside labels.
        """
        return self.result(input, target, negatives=negatives, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        negatives: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each anchor."""
        require_tensor(target, "target")
        is_labels = target.ndim != input.ndim or not target.is_floating_point()
        if negatives is None and is_labels:
            return super().elements(input, target, mask=mask, weight=weight)
        if negatives is None or is_labels:
            raise InputTypeError(
                "a target of labels goes without negatives, and one of embeddings with them: "
                f"target {tuple(target.shape)}, {'no ' if negatives is None else ''}negatives"
            )
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        own = self._own_negatives(negatives, rows, input)
        positive = rows.like_input(target, "target").unsqueeze(1)
        to_positive = distances_to_own(self.distance, rows.input, positive)
        to_negatives = distances_to_own(self.distance, rows.input, own)
        there = rows.input.new_full((len(input),), float(own.shape[1] > 0))
        cost = self._of_own(to_positive, to_negatives) if own.shape[1] else to_positive.squeeze(1) * 0
        return weigh(cost.to(rows.input.dtype), rows.share, there)

    def _own_negatives(self, negatives: Tensor, rows: Rows, input: Tensor) -> Tensor:
        """Check the negatives of each row, and give them as ``(B, K, D)``."""
        require_floating_point(negatives, "negatives")
        values = negatives.unsqueeze(1) if negatives.ndim == input.ndim else negatives
        if values.ndim != input.ndim + 1 or values.shape[::2] != input.shape:
            raise InputValueError(
                f"Incompatible shapes: input {tuple(input.shape)}, negatives {tuple(negatives.shape)}; "
                f"accepted for the negatives: {tuple(input.shape)} or ({len(input)}, K, {input.shape[1]})"
            )
        return selected(plain(values).to(rows.input.dtype), rows.counted)

    def _of_own(self, to_positive: Tensor, to_negatives: Tensor) -> Tensor:
        """Give what each anchor costs with its one positive and its negatives, by the mining."""
        if self.mining == "all":
            return self._hinge(to_positive - to_negatives).mean(dim=1)
        if self.mining == "hard":
            chosen = to_negatives.amin(dim=1)
        else:
            beyond = torch.where(to_negatives > to_positive, to_negatives, torch.inf).amin(dim=1)
            chosen = torch.where(beyond.isinf(), to_negatives.amax(dim=1), beyond)
        return self._hinge(to_positive.squeeze(1) - chosen)

    def compared(self, anchors: Tensor, everyone: Tensor) -> tuple[Tensor, Tensor]:
        """Compare by the distance that is asked for."""
        return compared_by(self.distance, anchors, everyone)

    def costs(self, similarities: Tensor, others: Others) -> Tensor:
        """Find each anchor's triplets, and give the mean of what they cost."""
        distance = distance_of(self.distance, similarities)
        if self.mining == "hard":
            farthest = torch.where(others.alike, distance, -torch.inf).amax(dim=1)
            nearest = torch.where(others.different, distance, torch.inf).amin(dim=1)
            there = others.alike.any(dim=1) & others.different.any(dim=1)
            return self._hinge(torch.where(there, farthest - nearest, 0))
        negatives = torch.where(others.different, distance, torch.inf).sort(dim=1).values
        cost = (
            self._semi_hard(distance, negatives, others)
            if self.mining == "semi_hard"
            else (self._all(distance, negatives) / others.negatives.unsqueeze(1))
        )
        return torch.where(others.alike, cost, 0).sum(dim=1) / others.positives

    def _semi_hard(self, distance: Tensor, negatives: Tensor, others: Others) -> Tensor:
        """Give what each pair costs with the nearest negative beyond it, or the farthest of all."""
        last = others.negatives.unsqueeze(1).long() - 1
        beyond = torch.searchsorted(negatives.detach(), distance.detach(), right=True)
        chosen = negatives.gather(1, torch.minimum(beyond, last))
        return self._hinge(distance - torch.where(chosen.isinf(), 0, chosen))

    def _all(self, distance: Tensor, negatives: Tensor) -> Tensor:
        """Give what each pair costs with all negatives: those that are nearer than it and the margin."""
        reach = distance + self.margin
        nearer = torch.searchsorted(negatives.detach(), reach.detach())
        sums = torch.where(negatives.isinf(), 0, negatives).cumsum(dim=1)
        total = torch.where(nearer > 0, sums.gather(1, (nearer - 1).clamp(min=0)), 0)
        return nearer * reach - total

    def _hinge(self, excess: Tensor) -> Tensor:
        return softplus(excess) if self.soft else (excess + self.margin).clamp(min=0)
