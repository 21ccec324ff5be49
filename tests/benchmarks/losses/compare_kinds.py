"""Time and memory of losses of boxes, images, signals and ensembles, beside peers, in one run.

python tests/benchmarks/losses/compare_kinds.py [--threads 1] [--repeats 7] [--compiled] [CASE ...]
"""

import torch
from comparison import Case, bare_peer, compare, peer
from torch import Tensor, nn

import lossary_losses as ours


def boxes(count: int) -> tuple[Tensor, Tensor]:
    """Give pairs of boxes in an image of 100 by 100, many of which overlap."""
    generator = torch.Generator().manual_seed(0)
    centre = 100 * torch.rand(2, 1, count, 2, generator=generator)
    half = 1 + 10 * torch.rand(2, 1, count, 2, generator=generator)
    input, target = torch.cat([centre - half, centre + half], dim=-1)
    return input.requires_grad_(), target


def images() -> tuple[Tensor, Tensor]:
    """Give eight images of three colours, and noisy ones."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(8, 3, 256, 256, generator=generator)
    input = target + 0.1 * torch.randn(target.shape, generator=generator)
    return input.requires_grad_(), target


def volumes() -> tuple[Tensor, Tensor]:
    """Give two volumes, and noisy ones."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(2, 1, 64, 64, 64, generator=generator)
    input = target + 0.1 * torch.randn(target.shape, generator=generator)
    return input.requires_grad_(), target


def clouds() -> tuple[Tensor, Tensor]:
    """Give two clouds of two thousand points, and others."""
    generator = torch.Generator().manual_seed(0)
    input, target = torch.randn(2, 2, 2048, 3, generator=generator)
    return input.requires_grad_(), target


def by_all_pairs(input: Tensor, target: Tensor) -> Tensor:
    """Compute the Chamfer distance from one tensor of all pairs."""
    pairs = torch.cdist(input, target).square()
    return pairs.amin(1).mean() + pairs.amin(2).mean()


def signals() -> tuple[Tensor, Tensor]:
    """Give sixteen signals of four seconds, and noisy ones."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(8, 2, 64000, generator=generator)
    input = target + 0.1 * torch.randn(target.shape, generator=generator)
    return input.requires_grad_(), target


def scores() -> tuple[Tensor, Tensor]:
    """Give the scores of many patches, all of which should be taken for real."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(16, 1, 256, 256, generator=generator)
    return input.requires_grad_(), torch.ones(()).expand_as(input)


def ensembles() -> tuple[Tensor, Tensor]:
    """Give a thousand members of maps with 256 values in all."""
    generator = torch.Generator().manual_seed(0)
    input, target = (
        torch.randn(16, 1000, 4, 4, generator=generator),
        torch.randn(16, 4, 4, generator=generator),
    )
    return input.requires_grad_(), target


def by_all_members(input: Tensor, target: Tensor) -> Tensor:
    """Compute the fair ranked probability score from one tensor of all pairs of members."""
    count = input.shape[1]
    pairs = (input.unsqueeze(1) - input.unsqueeze(2)).abs().sum((1, 2)) / (2 * count * (count - 1))
    return ((input - target.unsqueeze(1)).abs().mean(1) - pairs).mean()


def networks() -> tuple[Tensor, Tensor]:
    """Give the logits of two networks for 150 classes of each position."""
    generator = torch.Generator().manual_seed(0)
    input, target = torch.randn(2, 4, 150, 128, 128, generator=generator)
    return input.requires_grad_(), target


def by_logarithms(input: Tensor, target: Tensor) -> Tensor:
    """Compute the divergence as torch does, of the logarithms of both."""
    logarithms = input.log_softmax(1), target.log_softmax(1)
    return nn.functional.kl_div(*logarithms, reduction="none", log_target=True).sum(1).mean()


class Targetless(nn.Module):
    """Calls a loss without a target as the others are called."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, input: Tensor, _: Tensor) -> Tensor:
        """Compute the loss of the input alone."""
        result: Tensor = self.loss(input)
        return result


GIOU_PEERS = {
    "torchvision": bare_peer(
        "torchvision.ops.giou_loss",
        lambda module: lambda x, t: module.generalized_box_iou_loss(x, t, reduction="mean"),
    ),
    "monai": peer("monai.losses", lambda module: lambda x, t: module.BoxGIoULoss()(x[0], t[0])),
}

CIOU_PEERS = {
    "torchvision": bare_peer(
        "torchvision.ops.ciou_loss",
        lambda module: lambda x, t: module.complete_box_iou_loss(x, t, reduction="mean"),
    ),
}

CASES: dict[str, Case] = {
    "many boxes": (lambda: boxes(400_000), ours.GIoULoss(), GIOU_PEERS),
    "few boxes": (lambda: boxes(2_000), ours.GIoULoss(), GIOU_PEERS),
    "complete boxes": (lambda: boxes(400_000), ours.CIoULoss(), CIOU_PEERS),
    "structural similarity": (
        images,
        ours.SSIMLoss(),
        {
            "pytorch-msssim": peer(
                "pytorch_msssim", lambda module: lambda x, t: 1 - module.ssim(x, t, data_range=1)
            ),
            "monai": peer("monai.losses", lambda module: module.SSIMLoss(2)),
            "kornia": peer("kornia.losses", lambda module: lambda x, t: 2 * module.ssim_loss(x, t, 11)),
        },
    ),
    "structural similarity at five scales": (
        images,
        ours.MSSSIMLoss(),
        {
            "pytorch-msssim": peer(
                "pytorch_msssim", lambda module: lambda x, t: 1 - module.ms_ssim(x, t, data_range=1)
            ),
        },
    ),
    "local correlation of volumes": (
        volumes,
        ours.LocalCrossCorrelationLoss(),
        {
            "monai": peer(
                "monai.losses", lambda module: module.LocalNormalizedCrossCorrelationLoss(3, kernel_size=9)
            ),
        },
    ),
    "divergence of two networks": (
        networks,
        ours.KLDistillationLoss(),
        {"torch": lambda: by_logarithms},
    ),
    "total variation": (
        images,
        Targetless(ours.TotalVariationLoss()),
        {
            "kornia": peer(
                "kornia.losses", lambda module: lambda x, _: module.total_variation(x, "mean").mean()
            )
        },
    ),
    "ensembles of a thousand": (
        ensembles,
        ours.EnsembleCRPSLoss(),
        {
            "all pairs": lambda: by_all_members,
            "scoringrules": peer(
                "scoringrules",
                lambda module: (
                    lambda x, t: module.crps_ensemble(t, x, m_axis=1, estimator="pwm", backend="torch").mean()
                ),
            ),
        },
    ),
    "clouds of points": (clouds, ours.ChamferLoss(), {"torch.cdist": lambda: by_all_pairs}),
    "signals": (
        signals,
        ours.SISDRLoss(),
        {
            "auraloss": peer("auraloss.time", lambda module: module.SISDRLoss(zero_mean=False)),
        },
    ),
    "adversarial": (
        scores,
        ours.AdversarialLoss(),
        {
            "torch": nn.BCEWithLogitsLoss,
            "monai": peer(
                "monai.losses",
                lambda module: lambda x, _: module.PatchAdversarialLoss(criterion="bce")(x, True, True),
            ),
        },
    ),
    "relativistic": (
        scores,
        ours.RelativisticLoss(),
        {"torch": lambda: lambda x, t: nn.functional.softplus(t - x).mean()},
    ),
    "spectra of signals": (
        signals,
        ours.STFTLoss(),
        {"auraloss": peer("auraloss.freq", lambda module: module.MultiResolutionSTFTLoss())},
    ),
}

if __name__ == "__main__":
    compare("compare_kinds", CASES)
