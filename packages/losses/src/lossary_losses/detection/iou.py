"""IoU loss: how much of two boxes is not common to both."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.boxes import BoxLoss, BoxPairs
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import choice
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["IoULoss"]

_LEAST = torch.finfo(torch.float32).tiny


@loss_registry.register(
    name="iou_loss",
    aliases=["IoULoss"],
    tags=["detection", "boxes", "overlap"],
)
@define_loss
class IoULoss(BoxLoss):
    r"""One minus the overlap of two boxes, intersection over union, or minus its logarithm.

    .. math:: \ell = 1 - \frac{I}{U}, \quad - \ln \frac{I}{U}, \quad \text{or} \quad
        1 - \left( \frac{I}{U} \right)^2

    :math:`I` and :math:`U` are the areas of intersection and union.

    Convention:
        ``form`` says which: the paper's is the logarithm, as is MMDetection's by default; others of this name
        are linear. There is no epsilon: boxes of any size count alike, and equal boxes cost zero, also those
        without area; the two corners may come in either order. Boxes that are apart cost one, or under the
        logarithm 87.3, as an overlap of 1e-38 does, and have no gradient: begin with :class:`GIoULoss` or
        another where that happens. MMDetection's logarithm ends at 13.8.

    Shapes:
        ``input``: ``(*, 4)``, boxes.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(*)``, one for each box.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
        form: ``"linear"`` (default), ``"log"`` or ``"squared"``.
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
        >>> loss = IoULoss()
        >>> loss(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor(0.6667)

    Reference:
        Yu et al. 2016, "UnitBox: An Advanced Object Detection Network", arXiv:1608.01471.
        Powers: He et al. 2021, "Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding Box
        Regression", arXiv:2110.13675. Scaled boxes: Zhang et al. 2023, "Inner-IoU: More Effective
        Intersection over Union Loss with Auxiliary Bounding Box", arXiv:2311.02877.
    """

    claims: ClassVar = Claims(
        targets={"boxes": {}},
        input="boxes",
        high=1.0,
        layout="* 4",
        element="box",
        memory=7,
        exempt={"descent_reaches_a_good_fit": "boxes that are apart have no gradient"},
    )

    form: Literal["linear", "log", "squared"] = choice("linear", "log", "squared", default="linear")

    def cost(self, boxes: BoxPairs) -> Tensor:
        """Give what is not common to both."""
        if self.form == "log":
            # The least that float32 has, so that both precisions agree on boxes that are apart.
            return boxes.overlap.clamp(min=_LEAST).log() * -self.power
        overlap = self.raised(boxes.overlap)
        return 1 - (overlap.square() if self.form == "squared" else overlap)
