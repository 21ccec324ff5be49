"""The losses of several libraries, dressed alike: what the scoreboard examines.

Each is a function of the options that the library offers, which builds a module of input and target. Nothing
is mended on the way: a target gets the shape that a library asks for, and no more.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import kornia.losses
import monai.losses
import pytorch_optimizer.loss
from libraries import losses_of
from torch import Tensor, nn

import lossary_losses as ours
from lossary_losses import Claims

smp = losses_of("segmentation_models_pytorch.losses")
torchvision = losses_of("torchvision.ops.focal_loss")


class Dressed(nn.Module):
    """A loss of another library, called with input and target."""

    def __init__(self, loss: Callable[..., Tensor], *, column: bool = False) -> None:
        super().__init__()
        self.loss = loss
        self.column = column

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Call the loss; ``column`` gives labels the channel that MONAI wants."""
        return self.loss(input, target.unsqueeze(1) if self.column else target)


class Function(nn.Module):
    """A function with options, as a module."""

    def __init__(self, function: Callable[..., Tensor], **options: object) -> None:
        super().__init__()
        self.function = function
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Call the function."""
        return self.function(input, target, **self.options)


class Candidate(NamedTuple):
    """One library's loss of a family."""

    library: str
    build: Callable[..., nn.Module]


class Family(NamedTuple):
    """Losses that mean the same, and what can be expected of each."""

    claims: Claims
    candidates: list[Candidate]


def monai_dice_binary(reduction: str = "mean", ignore_index: int | None = None) -> nn.Module:
    """Give MONAI's Dice under a sigmoid."""
    return Dressed(monai.losses.DiceLoss(sigmoid=True, reduction=reduction, ignore_index=ignore_index))


def smp_dice_binary(ignore_index: int | None = None) -> nn.Module:
    """Give segmentation-models-pytorch's Dice under a sigmoid."""
    return Dressed(smp.DiceLoss("multilabel", ignore_index=ignore_index))


def pytorch_optimizer_dice_binary(ignore_index: int | None = None) -> nn.Module:
    """Give pytorch-optimizer's Dice under a sigmoid."""
    return Dressed(pytorch_optimizer.loss.DiceLoss(mode="multilabel", ignore_index=ignore_index))


def monai_dice_multiclass(reduction: str = "mean", ignore_index: int | None = None) -> nn.Module:
    """Give MONAI's Dice under a softmax."""
    loss = monai.losses.DiceLoss(
        softmax=True, to_onehot_y=True, reduction=reduction, ignore_index=ignore_index
    )
    return Dressed(loss, column=True)


def kornia_dice_multiclass(ignore_index: int = -100) -> nn.Module:
    """Give kornia's Dice."""
    return Dressed(kornia.losses.DiceLoss(average="macro", ignore_index=ignore_index))


def smp_dice_multiclass(ignore_index: int | None = None) -> nn.Module:
    """Give segmentation-models-pytorch's Dice under a softmax."""
    return Dressed(smp.DiceLoss("multiclass", ignore_index=ignore_index))


def pytorch_optimizer_dice_multiclass(ignore_index: int | None = None) -> nn.Module:
    """Give pytorch-optimizer's Dice under a softmax."""
    return Dressed(pytorch_optimizer.loss.DiceLoss(mode="multiclass", ignore_index=ignore_index))


def monai_tversky(reduction: str = "mean", ignore_index: int | None = None) -> nn.Module:
    """Give MONAI's Tversky loss under a softmax."""
    loss = monai.losses.TverskyLoss(
        softmax=True, to_onehot_y=True, reduction=reduction, ignore_index=ignore_index
    )
    return Dressed(loss, column=True)


def kornia_tversky(ignore_index: int = -100) -> nn.Module:
    """Give kornia's Tversky loss."""
    return Dressed(kornia.losses.TverskyLoss(0.5, 0.5, ignore_index=ignore_index))


def smp_tversky(ignore_index: int | None = None) -> nn.Module:
    """Give segmentation-models-pytorch's Tversky loss under a softmax."""
    return Dressed(smp.TverskyLoss("multiclass", ignore_index=ignore_index))


def monai_focal_binary(
    gamma: float = 2.0, reduction: str = "mean", ignore_index: int | None = None
) -> nn.Module:
    """Give MONAI's focal loss under a sigmoid."""
    return Dressed(monai.losses.FocalLoss(gamma=gamma, reduction=reduction, ignore_index=ignore_index))


def kornia_focal_binary(gamma: float = 2.0, reduction: str = "mean", ignore_index: int = -100) -> nn.Module:
    """Give kornia's focal loss under a sigmoid."""
    return Dressed(kornia.losses.BinaryFocalLossWithLogits(None, gamma, reduction, ignore_index=ignore_index))


def smp_focal_binary(
    gamma: float = 2.0, reduction: str = "mean", ignore_index: int | None = None
) -> nn.Module:
    """Give segmentation-models-pytorch's focal loss under a sigmoid."""
    return Dressed(smp.FocalLoss("multilabel", gamma=gamma, reduction=reduction, ignore_index=ignore_index))


def pytorch_optimizer_focal_binary(gamma: float = 2.0) -> nn.Module:
    """Give pytorch-optimizer's focal loss."""
    return Dressed(pytorch_optimizer.loss.FocalLoss(gamma=gamma))


def torchvision_focal_binary(gamma: float = 2.0, reduction: str = "mean") -> nn.Module:
    """Give torchvision's focal loss under a sigmoid."""
    return Function(torchvision.sigmoid_focal_loss, alpha=-1, gamma=gamma, reduction=reduction)


def monai_focal_multiclass(
    gamma: float = 2.0, reduction: str = "mean", ignore_index: int | None = None
) -> nn.Module:
    """Give MONAI's focal loss under a softmax."""
    loss = monai.losses.FocalLoss(
        gamma=gamma, use_softmax=True, to_onehot_y=True, reduction=reduction, ignore_index=ignore_index
    )
    return Dressed(loss, column=True)


def kornia_focal_multiclass(
    gamma: float = 2.0, reduction: str = "mean", ignore_index: int = -100
) -> nn.Module:
    """Give kornia's focal loss under a softmax."""
    return Dressed(kornia.losses.FocalLoss(None, gamma, reduction, ignore_index=ignore_index))


def smp_focal_multiclass(
    gamma: float = 2.0, reduction: str = "mean", ignore_index: int | None = None
) -> nn.Module:
    """Give segmentation-models-pytorch's focal loss of labels."""
    return Dressed(smp.FocalLoss("multiclass", gamma=gamma, reduction=reduction, ignore_index=ignore_index))


def torch_cross_entropy(
    reduction: str = "mean", ignore_index: int = -100, label_smoothing: float = 0.0
) -> nn.Module:
    """Give torch's cross entropy."""
    return Dressed(nn.CrossEntropyLoss(None, None, ignore_index, None, reduction, label_smoothing))


def smp_cross_entropy(reduction: str = "mean", ignore_index: int = -100) -> nn.Module:
    """Give segmentation-models-pytorch's cross entropy."""
    return Dressed(smp.SoftCrossEntropyLoss(reduction, smooth_factor=0.0, ignore_index=ignore_index))


def torch_bce(reduction: str = "mean") -> nn.Module:
    """Give torch's binary cross entropy."""
    return Dressed(nn.BCEWithLogitsLoss(reduction=reduction))


def smp_bce(reduction: str = "mean", ignore_index: int = -100) -> nn.Module:
    """Give segmentation-models-pytorch's binary cross entropy."""
    return Dressed(smp.SoftBCEWithLogitsLoss(reduction=reduction, ignore_index=ignore_index))


def kornia_lovasz() -> nn.Module:
    """Give kornia's Lovasz softmax loss."""
    return Dressed(kornia.losses.LovaszSoftmaxLoss())


def smp_lovasz(ignore_index: int | None = None) -> nn.Module:
    """Give segmentation-models-pytorch's Lovasz loss of labels."""
    return Dressed(smp.LovaszLoss("multiclass", per_image=True, ignore_index=ignore_index))


def monai_dice_ce(reduction: str = "mean") -> nn.Module:
    """Give MONAI's sum of Dice and cross entropy."""
    return Dressed(monai.losses.DiceCELoss(softmax=True, to_onehot_y=True, reduction=reduction), column=True)


def torch_huber(reduction: str = "mean", delta: float = 1.0) -> nn.Module:
    """Give torch's Huber loss."""
    return Dressed(nn.HuberLoss(reduction, delta))


def kornia_charbonnier(reduction: str = "mean") -> nn.Module:
    """Give kornia's Charbonnier loss."""
    return Dressed(kornia.losses.CharbonnierLoss(reduction))


def torch_mse(reduction: str = "mean") -> nn.Module:
    """Give torch's mean squared error."""
    return Dressed(nn.MSELoss(reduction=reduction))


def _family(kind: str, own: type[nn.Module], **others: Callable[..., nn.Module]) -> Family:
    claims: Claims = own.claims  # type: ignore[attr-defined]
    only: Mapping[str, Mapping[str, object]] = {kind: {}}
    return Family(
        Claims(
            targets=only,  # type: ignore[arg-type]
            input=claims.input,
            low=claims.low,
            high=claims.high,
            perfect=claims.perfect,
        ),
        [Candidate("lossary", own)]
        + [Candidate(library.replace("_", "-"), build) for library, build in others.items()],
    )


FAMILIES: dict[str, Family] = {
    "Dice, binary": _family(
        "binary",
        ours.DiceLoss,
        monai=monai_dice_binary,
        smp=smp_dice_binary,
        pytorch_optimizer=pytorch_optimizer_dice_binary,
    ),
    "Dice, multiclass": _family(
        "labels",
        ours.DiceLoss,
        monai=monai_dice_multiclass,
        kornia=kornia_dice_multiclass,
        smp=smp_dice_multiclass,
        pytorch_optimizer=pytorch_optimizer_dice_multiclass,
    ),
    "Tversky, multiclass": _family(
        "labels", ours.TverskyLoss, monai=monai_tversky, kornia=kornia_tversky, smp=smp_tversky
    ),
    "Dice and cross entropy": _family("labels", ours.DiceCELoss, monai=monai_dice_ce),
    "Lovasz, multiclass": _family("labels", ours.LovaszSoftmaxLoss, kornia=kornia_lovasz, smp=smp_lovasz),
    "Focal, binary": _family(
        "binary",
        ours.FocalLoss,
        monai=monai_focal_binary,
        kornia=kornia_focal_binary,
        smp=smp_focal_binary,
        pytorch_optimizer=pytorch_optimizer_focal_binary,
        torchvision=torchvision_focal_binary,
    ),
    "Focal, multiclass": _family(
        "labels",
        ours.FocalLoss,
        monai=monai_focal_multiclass,
        kornia=kornia_focal_multiclass,
        smp=smp_focal_multiclass,
    ),
    "Cross entropy": _family(
        "labels",
        ours.CrossEntropyLoss,
        torch=torch_cross_entropy,
        smp=smp_cross_entropy,
    ),
    "Binary cross entropy": _family("binary", ours.BCELoss, torch=torch_bce, smp=smp_bce),
    "Mean squared error": _family("values", ours.MSELoss, torch=torch_mse),
    "Huber": _family("values", ours.HuberLoss, torch=torch_huber),
    "Charbonnier": _family("values", ours.CharbonnierLoss, kornia=kornia_charbonnier),
}
