"""Time and memory of losses of logits, beside peers and torch's own, in one run.

python tests/benchmarks/losses/compare_losses.py [--threads 1] [--repeats 7] [--compiled] [CASE ...]
"""

from functools import partial

import torch
from comparison import Case, Function, bare_peer, compare, peer
from torch import Tensor
from torch.nn import functional

import lossary_losses as ours


def multiclass() -> tuple[Tensor, Tensor]:
    """Give logits of 19 classes, and labels."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(8, 19, 256, 256, generator=generator, requires_grad=True)
    return input, torch.randint(0, 19, (8, 256, 256), generator=generator)


def two_images() -> tuple[Tensor, Tensor]:
    """Give logits of 19 classes for two images only, and labels: sorting takes its time."""
    input, target = multiclass()
    return input[:2].detach().requires_grad_(), target[:2]


def binary() -> tuple[Tensor, Tensor]:
    """Give logits of one channel, and a mask."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(8, 1, 512, 512, generator=generator, requires_grad=True)
    return input, (torch.rand(8, 1, 512, 512, generator=generator) < 0.3).float()


def plus(first: Function, second: Function) -> Function:
    """Add two losses."""
    return lambda logits, target: first(logits, target) + second(logits, target)


monai = partial(peer, "monai.losses")
kornia = partial(peer, "kornia.losses")
smp = partial(bare_peer, "segmentation_models_pytorch.losses")


def column(target: Tensor) -> Tensor:
    """Give labels the channel that MONAI wants."""
    return target.unsqueeze(1)


CASES: dict[str, Case] = {
    "multiclass dice": (
        multiclass,
        ours.DiceLoss(),
        {
            "monai": monai(lambda m: lambda x, t: m.DiceLoss(softmax=True, to_onehot_y=True)(x, column(t))),
            "kornia": kornia(lambda k: lambda x, t: k.dice_loss(x, t, average="micro")),
            "smp": smp(lambda s: s.DiceLoss("multiclass")),
        },
    ),
    "multiclass tversky": (
        multiclass,
        ours.TverskyLoss(alpha=0.3, beta=0.7),
        {
            "monai": monai(
                lambda m: lambda x, t: m.TverskyLoss(softmax=True, to_onehot_y=True)(x, column(t))
            ),
            "kornia": kornia(lambda k: lambda x, t: k.tversky_loss(x, t, 0.3, 0.7)),
            "smp": smp(lambda s: s.TverskyLoss("multiclass", alpha=0.3, beta=0.7)),
        },
    ),
    "multiclass focal": (
        multiclass,
        ours.FocalLoss(),
        {
            "torch's cross entropy": lambda: functional.cross_entropy,
            "kornia": kornia(lambda k: lambda x, t: k.focal_loss(x, t, None, 2.0, "mean")),
            "smp": smp(lambda s: s.FocalLoss("multiclass")),
        },
    ),
    "cross entropy": (
        multiclass,
        ours.CrossEntropyLoss(label_smoothing=0.1),
        {
            "torch": lambda: partial(functional.cross_entropy, label_smoothing=0.1),
            "smp": smp(lambda s: s.SoftCrossEntropyLoss(smooth_factor=0.1)),
        },
    ),
    "dice and cross entropy": (
        multiclass,
        ours.DiceCELoss(),
        {
            "monai": monai(lambda m: lambda x, t: m.DiceCELoss(softmax=True, to_onehot_y=True)(x, column(t))),
            "kornia + torch": kornia(lambda k: plus(k.dice_loss, functional.cross_entropy)),
        },
    ),
    "multiclass lovasz": (
        two_images,
        ours.LovaszSoftmaxLoss(),
        {
            "kornia": kornia(lambda k: k.lovasz_softmax_loss),
            "smp": smp(lambda s: s.LovaszLoss("multiclass", per_image=True)),
        },
    ),
    "binary dice": (
        binary,
        ours.DiceLoss(),
        {
            "monai": monai(lambda m: m.DiceLoss(sigmoid=True)),
            "smp": smp(lambda s: s.DiceLoss("binary")),
        },
    ),
    "binary focal": (
        binary,
        ours.FocalLoss(alpha=0.25),
        {
            "monai": monai(lambda m: m.FocalLoss(alpha=0.25)),
            "kornia": kornia(lambda k: lambda x, t: k.binary_focal_loss_with_logits(x, t, 0.25, 2.0, "mean")),
            "smp": smp(lambda s: s.FocalLoss("binary", alpha=0.25)),
        },
    ),
    "binary dice and cross entropy": (
        binary,
        ours.BCEDiceLoss(),
        {
            "monai": monai(lambda m: m.DiceCELoss(sigmoid=True)),
            "smp": smp(lambda s: plus(s.DiceLoss("binary"), s.SoftBCEWithLogitsLoss())),
        },
    ),
    "binary cross entropy": (
        binary,
        ours.BCELoss(),
        {"torch": lambda: functional.binary_cross_entropy_with_logits},
    ),
}


if __name__ == "__main__":
    compare("compare_losses", CASES)
