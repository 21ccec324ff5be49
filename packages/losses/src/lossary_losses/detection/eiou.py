"""Efficient IoU loss: overlap of boxes, distance of their centres, and difference in both sides."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.boxes import BoxLoss, BoxPairs
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["EIoULoss"]


@loss_registry.register(
    name="eiou_loss",
    aliases=["EIoULoss"],
    tags=["detection", "boxes", "overlap"],
)
@define_loss
class EIoULoss(BoxLoss):
    r"""One minus the overlap of two boxes, plus the distance of their centres and the differences in size.

    .. math:: \ell = \left( \frac{I}{U} \right)^\gamma \left( 1 - \frac{I}{U} + \frac{\rho^2}{c^2}
        + \frac{(w - w_t)^2}{C_w^2} + \frac{(h - h_t)^2}{C_h^2} \right)

    :math:`I` and :math:`U` are the areas of intersection and union, :math:`\rho` is the distance of the
    centres, and :math:`c` that of opposite corners of the smallest box around both, of width :math:`C_w` and
    height :math:`C_h`.

    Convention:
        MMDetection's EIoU loss is another one, of "Extended" IoU. ``gamma`` is that of Focal-EIoU: the factor
        is a weight, which has no gradient, or boxes that hardly overlap would be driven apart; boxes that do
        not overlap weigh nothing then. The factor does not enter the mean. There is no epsilon: boxes of any
        size count alike, and equal boxes cost zero, also those without area; the two corners may come in
        either order. ``power`` raises the difference of each side for itself. ``weight`` with ``"mean"``
        divides by the sum of the weights.

    Shapes:
        ``input``: ``(*, 4)``, boxes.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(*)``, one for each box.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
        gamma: How much boxes that overlap little are looked away from, >= 0; the paper's Focal-EIoU has 0.5.
            Default: 0.
        box_format: What the four numbers are: ``"xyxy"`` (default), two opposite corners, or ``"cxcywh"``,
            the centre, width and height.
        power: To which power each term is raised, > 0; above 1, good boxes count for more. Default: 1.
        inner_ratio: By which factor both boxes are scaled about their centres before their overlap is
            measured, > 0; below 1 for boxes that are good already. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = EIoULoss()
        >>> loss(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor(0.7436)

    Reference:
        Zhang et al. 2022, "Focal and Efficient IOU Loss for Accurate Bounding Box Regression",
        arXiv:2101.08158.
        Powers: He et al. 2021, "Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding Box
        Regression", arXiv:2110.13675. Scaled boxes: Zhang et al. 2023, "Inner-IoU: More Effective
        Intersection over Union Loss with Auxiliary Bounding Box", arXiv:2311.02877.
    """

    claims: ClassVar = Claims(
        targets={"boxes": {}}, input="boxes", high=4.0, layout="* 4", element="box", memory=10
    )

    gamma: float = number(default=0.0, at_least=0)

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Add the distance of the centres and the differences of the sides to what is not common to both."""
        width, height = self.raised(boxes.stretch.square()).unbind()
        cost = 1 - self.raised(boxes.overlap) + self.raised(boxes.offset) + width + height
        return cost if self.gamma == 0 else cost * boxes.actual_overlap.detach() ** self.gamma
