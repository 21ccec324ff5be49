"""Distance IoU loss: overlap of boxes, and how far apart their centres are."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.boxes import BoxLoss, BoxPairs
from lossary_losses._core.claims import Claims
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DIoULoss"]


@loss_registry.register(
    name="diou_loss",
    aliases=["DIoULoss"],
    tags=["detection", "boxes", "overlap"],
)
@define_loss
class DIoULoss(BoxLoss):
    r"""One minus the overlap of two boxes, plus the squared distance of their centres.

    .. math:: \ell = 1 - \frac{I}{U} + \frac{\rho^2}{c^2}

    :math:`I` and :math:`U` are the areas of intersection and union, :math:`\rho` is the distance of the
    centres, and :math:`c` that of opposite corners of the smallest box around both. Boxes that are apart have
    a gradient too.

    Convention:
        There is no epsilon: boxes of any size count alike, and equal boxes cost zero, also those without
        area; the two corners may come in either order. torchvision adds 1e-7 to the denominators and
        MMDetection bounds them by it or adds it, so that equal boxes of side 1e-4 cost almost one;
        torchvision's ``reduction`` is ``"none"`` unless given. ``weight`` with ``"mean"`` divides by the sum
        of the weights. From a few starts, such as a box far too small, descent takes long or ends at a
        box without width: the formula's, not ours.

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
        >>> loss = DIoULoss()
        >>> loss(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor(0.7436)

    Reference:
        Zheng et al. 2020, "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression",
        arXiv:1911.08287.
        Powers: He et al. 2021, "Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding Box
        Regression", arXiv:2110.13675. Scaled boxes: Zhang et al. 2023, "Inner-IoU: More Effective
        Intersection over Union Loss with Auxiliary Bounding Box", arXiv:2311.02877.
    """

    claims: ClassVar = Claims(
        targets={"boxes": {}},
        input="boxes",
        high=2.0,
        layout="* 4",
        element="box",
        memory=8,
        exempt={
            "descent_reaches_a_good_fit": "a hundred steps are not enough; five hundred are tried elsewhere"
        },
    )

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Add the distance of the centres to what is not common to both."""
        return 1 - self.raised(boxes.overlap) + self.raised(boxes.offset)
