"""Complete IoU loss: overlap of boxes, distance of their centres, and difference in shape."""

import math
from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.boxes import BoxLoss, BoxPairs
from lossary_losses._core.claims import Claims
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CIoULoss"]

_EXEMPT = {
    **dict.fromkeys(
        ("first_derivative_is_right", "second_derivative_is_right", "other_derivatives_are_right"),
        "the importance of the shape has no gradient",
    ),
    "descent_reaches_a_good_fit": "a hundred steps are not enough, five hundred are",
}


@loss_registry.register(
    name="ciou_loss",
    aliases=["CIoULoss"],
    tags=["detection", "boxes", "overlap"],
)
@define_loss
class CIoULoss(BoxLoss):
    r"""One minus the overlap of two boxes, plus the distance of their centres and the difference in shape.

    .. math:: \ell = 1 - \frac{I}{U} + \frac{\rho^2}{c^2} + \alpha v, \quad
        v = \frac{4}{\pi^2} \left( \arctan \frac{w_t}{h_t} - \arctan \frac{w}{h} \right)^2, \quad
        \alpha = \frac{v}{1 - I / U + v}

    :math:`I` and :math:`U` are the areas of intersection and union, :math:`\rho` is the distance of the
    centres, and :math:`c` that of opposite corners of the smallest box around both; :math:`w` and :math:`h`
    are width and height. :math:`\alpha` has no gradient.

    Convention:
        :math:`\alpha` is that of the first paper, as in torchvision and Ultralytics; MMDetection sets it to
        zero where the overlap is at most one half, as the second paper does, and clamps the result. The
        gradient of :math:`v` is exact: the authors' code leaves out its denominator, :math:`w^2 + h^2`. There
        is no epsilon: boxes of any size count alike, and equal boxes cost zero, also those without area,
        which in other libraries have a gradient of NaN; a box that is a point has no shape to differ. The two
        corners may come in either order. ``weight`` with ``"mean"`` divides by the sum of the weights.
        From a few starts, such as a box far too small, descent takes long or ends at a box without width: the
        formula's, not ours.

    Shapes:
        ``input``: ``(*, 4)``, boxes.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(*)``, one for each box.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
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
        >>> loss = CIoULoss()
        >>> loss(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor(0.7436)

    Reference:
        Zheng et al. 2020, "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression",
        arXiv:1911.08287; Zheng et al. 2020, "Enhancing Geometric Factors in Model Learning and Inference for
        Object Detection and Instance Segmentation", arXiv:2005.03572.
        Powers: He et al. 2021, "Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding Box
        Regression", arXiv:2110.13675. Scaled boxes: Zhang et al. 2023, "Inner-IoU: More Effective
        Intersection over Union Loss with Auxiliary Bounding Box", arXiv:2311.02877.
    """

    claims: ClassVar = Claims(
        targets={"boxes": {}},
        input="boxes",
        high=2.5,
        layout="* 4",
        element="box",
        memory=9,
        exempt=_EXEMPT,
    )

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Add the distance of the centres and the difference in shape to what is not common to both."""
        shape = (2 / math.pi * boxes.turn).square()
        return (
            1
            - self.raised(boxes.overlap)
            + self.raised(boxes.offset)
            + self.raised(_importance(shape.detach(), boxes.actual_overlap.detach()) * shape)
        )


def _importance(shape: Tensor, overlap: Tensor) -> Tensor:
    """Give the share that the shape has of all that is wrong; none where it is right."""
    return shape / (1 - overlap + shape).masked_fill(shape == 0, 1)
