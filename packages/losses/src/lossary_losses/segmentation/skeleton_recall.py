"""Skeleton recall loss: how much of the centre lines of thin structures is found."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import at_rank, kind_of, require_tensor
from lossary_losses._core.reduction import Elements
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, OverlapLoss, RegionScoreLoss, ratio

__all__ = ["SkeletonRecallLoss"]


@loss_registry.register(
    name="skeleton_recall_loss",
    aliases=["SkeletonRecallLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "overlap", "topology"],
)
@define_loss
class SkeletonRecallLoss(OverlapLoss):
    r"""One minus how much of the skeleton of the truth is predicted, of each sample and class.

    .. math:: \ell = 1 - \frac{\sum_i p_i\, s_i}{\sum_i s_i}, \quad s_i = k_i\, t_i

    with :math:`k` the skeleton, one along the centre lines and zero elsewhere. A line that is interrupted
    costs as much as it is long, however thin it is.

    Convention:
        The minimum is zero, but not only at the truth: predicting too much is free, and the paper adds the
        loss to Dice and cross entropy: a sum of ``dice_ce_loss`` and ``skeleton_recall_loss``. The skeleton
        of the paper is that of all foreground together, widened by two positions, and takes no part in the
        graph: ``skimage.morphology.skeletonize`` and a dilation give it in a data loader, and by the target
        it is cut into classes here. What lies off it does not count, as under a mask: a sample without any
        skeleton is no part of the mean, and a class without truth on it has nothing to be found, and costs
        nothing; with ``empty="skip"`` it is no part of the mean either. The authors' code adds a constant
        above and below, and leaves the background out: a ``weight`` of zero for the first class.
        For soft targets the product is the smaller of both.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; probabilities with ``activation="none"``.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        ``skeleton``: ``(B, *S)``, bool or numbers >= 0, or the input's where classes do not exclude each
        other.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        batch: Whether sizes are pooled over the batch, so that one score per class stands for all samples.
            Default: False.
        empty: What a sample and class without any truth on the skeleton gives: ``"score"`` (default) or
            ``"zero"``, nothing, as if all were found; ``"skip"``, no part in the mean.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.
        position_group: The processes that share the positions of each sample, such as parts of a volume. What
            is summed over positions is that of whole samples then, and gradients are those of whole samples
            once they are averaged over these processes too; where they are added up, divide the loss by the
            number of these processes. Those of ``process_group`` are to have other samples. Default: None,
            each process has whole samples.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> target = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
        >>> skeleton = torch.tensor([[False, True, True, False]])
        >>> loss = SkeletonRecallLoss(activation="none")
        >>> loss(torch.tensor([[[0.0, 1.0, 0.5, 0.0]]]), target, skeleton=skeleton)
        tensor(0.2500)

    Reference:
        Kirchhoff et al. 2024, "Skeleton Recall Loss for Connectivity Conserving and Resource Efficient
        Segmentation of Thin Tubular Structures", arXiv:2404.03010.
    """

    claims: ClassVar = Claims(
        targets=RegionScoreLoss.claims.targets, high=1.0, arguments={"skeleton": "marks"}
    )

    def forward(  # type: ignore[override] # without a skeleton there is nothing to compute
        self,
        input: Tensor,
        target: Tensor,
        *,
        skeleton: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives; half precision is computed in float32.
            target: What it should have given.
            skeleton: Where the centre lines of the truth are.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: How much each position counts; of shape ``(B, *S)``, or the input's where classes do not
                exclude each other.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as class indices given as floats.
        """
        return self.result(input, target, skeleton=skeleton, mask=mask, weight=weight)

    def elements(  # type: ignore[override] # as above
        self,
        input: Tensor,
        target: Tensor,
        *,
        skeleton: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give what is missed of each sample and class."""
        return super().elements(input, target, mask=mask, weight=_along(skeleton, weight, input, target))

    def score_loss(self, overlap: Overlap) -> Tensor:
        """Give one minus what is found of what is there."""
        return 1 - ratio(overlap.intersection, overlap.true)


def _along(skeleton: Tensor, weight: Tensor | None, input: Tensor, target: Tensor) -> Tensor:
    """Let what lies off the skeleton weigh nothing."""
    elementwise = kind_of(input, target) != "labels"
    require_tensor(skeleton, "skeleton")
    product = at_rank(skeleton, input, "skeleton", elementwise=elementwise)
    if weight is not None:
        require_tensor(weight, "weight")
        product = product * at_rank(weight, input, "weight", elementwise=elementwise)
    return product if product.shape == input.shape else product.squeeze(1)
