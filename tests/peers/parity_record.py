"""What a record of parity is, and how it is tested.

It holds two expressions of an input ``x`` and a target ``t``, ours and the other library's, in which all
conversion stands: what is shown is what is tested.
"""

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import NamedTuple

import auraloss.time
import info_nce
import kornia.losses
import monai.losses
import pytorch_metric_learning.distances
import pytorch_metric_learning.losses
import pytorch_metric_learning.miners
import pytorch_metric_learning.reducers
import pytorch_msssim
import pytorch_optimizer.loss
import scoringrules
import torch
from libraries import losses_of
from parity_data import ARGUMENTS, SAMPLES
from torch import Tensor

import lossary_losses as ours

__all__ = ["DISTRIBUTIONS", "Parity", "compute", "gap"]

DISTRIBUTIONS = {
    "auraloss": "auraloss",
    "kornia": "kornia",
    "monai": "monai",
    "pytorch_msssim": "pytorch-msssim",
    "info_nce": "info-nce-pytorch",
    "open_clip": "open-clip-torch",
    "pml": "pytorch-metric-learning",
    "pytorch_optimizer": "pytorch-optimizer",
    "scoringrules": "scoringrules",
    "smp": "segmentation-models-pytorch",
    "timm": "timm",
    "torchsurv": "torchsurv",
    "torchvision": "torchvision",
    "torch": "torch",
}
"""The libraries as expressions name them, and as package registries do."""

smp_losses = losses_of("segmentation_models_pytorch.losses")
torchvision_losses = SimpleNamespace(
    sigmoid_focal_loss=losses_of("torchvision.ops.focal_loss").sigmoid_focal_loss,
    generalized_box_iou_loss=losses_of("torchvision.ops.giou_loss").generalized_box_iou_loss,
    distance_box_iou_loss=losses_of("torchvision.ops.diou_loss").distance_box_iou_loss,
    complete_box_iou_loss=losses_of("torchvision.ops.ciou_loss").complete_box_iou_loss,
)

NAMES: Mapping[str, object] = {
    **vars(ours),
    **ARGUMENTS,
    "auraloss": auraloss,
    "inf": math.inf,
    "info_nce": info_nce,
    "kornia": kornia,
    "monai": monai,
    "one_hot": lambda labels: torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).double(),
    "pytorch_msssim": pytorch_msssim,
    "open_clip": SimpleNamespace(loss=losses_of("open_clip.loss")),
    "pml": pytorch_metric_learning,
    "pytorch_optimizer": pytorch_optimizer,
    "scoringrules": scoringrules,
    "raw_distance": pytorch_metric_learning.distances.LpDistance(normalize_embeddings=False),
    "smp": SimpleNamespace(losses=smp_losses),
    "timm": SimpleNamespace(loss=losses_of("timm.loss")),
    "torch": torch,
    "torchvision": SimpleNamespace(ops=torchvision_losses),
    "torchsurv": SimpleNamespace(loss=SimpleNamespace(cox=losses_of("torchsurv.loss.cox"))),
}
"""What expressions are made of."""


class Parity(NamedTuple):
    """Two expressions that are equal, or that no conversion makes equal."""

    loss: str
    """The registered name of ours."""
    data: str
    """Which sample ``x`` and ``t`` are."""
    ours: str
    theirs: str
    words: str
    """What the conversion is, and why; or why there is none."""
    agree: bool = True
    tolerance: float = 1e-6
    """How far apart they may be, relatively; some libraries compute in single precision."""

    @property
    def library(self) -> str:
        """The library, as the expression names it; torch only if no other, for which tensors may be made."""
        return next(name for name in DISTRIBUTIONS if f"{name}." in self.theirs)

    @property
    def name(self) -> str:
        """A label for reports."""
        return f"{self.loss}: {self.theirs}"


def compute(expression: str, data: str) -> tuple[Tensor, list[Tensor]]:
    """Give the value of an expression, and its gradient with respect to each tensor of the input."""
    x, t = SAMPLES[data]()
    leaves = [each.requires_grad_() for each in (x if isinstance(x, list) else [x])]
    batch, channels = (*leaves[0].shape, 1)[:2]
    sizes = {"B": batch, "C": channels, "N": leaves[0].numel() // channels}
    value: Tensor = eval(expression, {**NAMES, **sizes, "x": x, "t": t})  # noqa: S307 - it stands in a record
    return value.detach(), list(torch.autograd.grad(value, leaves))


def gap(record: Parity) -> tuple[float, float]:
    """Give how far value and gradient are apart, relative to the larger."""
    value, slopes = compute(record.ours, record.data)
    other, other_slopes = compute(record.theirs, record.data)
    of_slopes = (_distance(mine, its) for mine, its in zip(slopes, other_slopes, strict=True))
    return _distance(value, other), max(of_slopes)


def _distance(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape:
        raise ValueError(f"the shapes are {tuple(one.shape)} and {tuple(other.shape)}")
    one, other = one.double(), other.double()
    largest = max(one.abs().max().item(), other.abs().max().item())
    return (one - other).abs().max().item() / largest if largest else 0.0
