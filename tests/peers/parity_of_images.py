"""Parity of losses of images."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity(
        "ssim_loss",
        "images",
        "SSIMLoss()(x, t)",
        "1 - pytorch_msssim.ssim(x, t, data_range=1)",
        "Its data_range is 255 unless given; its window is that of float32.",
        tolerance=1e-5,
    ),
    Parity(
        "ssim_loss",
        "images of tiny differences far from zero",
        "SSIMLoss()(x, t)",
        "1 - pytorch_msssim.ssim(x, t, data_range=1)",
        "It subtracts squares, of which float32 has not enough digits; its own window is off in float64 too.",
        agree=False,
    ),
    Parity(
        "ssim_loss",
        "images",
        "SSIMLoss()(x, t)",
        "monai.losses.SSIMLoss(2)(x, t)",
        "It computes in float32.",
        tolerance=1e-5,
    ),
    Parity(
        "ssim_loss",
        "images",
        'SSIMLoss(window="uniform", window_size=7, data_range=2)(x, t)',
        'monai.losses.SSIMLoss(2, data_range=2, kernel_type="uniform", win_size=7)(x, t)',
        "Uniform windows are its kernel_type, window_size its win_size.",
        tolerance=1e-5,
    ),
    Parity(
        "ssim_loss",
        "images",
        'SSIMLoss(padding="reflect")(x, t)',
        "2 * kornia.losses.ssim_loss(x, t, 11)",
        "It continues images as in a mirror, and halves the loss.",
    ),
    Parity(
        "ms_ssim_loss",
        "large images",
        "MSSSIMLoss()(x, t)",
        "1 - pytorch_msssim.ms_ssim(x, t, data_range=1)",
        "Its data_range is 255 unless given; its window is that of float32.",
        tolerance=1e-5,
    ),
    Parity(
        "local_cross_correlation_loss",
        "images",
        "LocalCrossCorrelationLoss(window_size=3)(x, t)",
        '1 + monai.losses.LocalNormalizedCrossCorrelationLoss(2, reduction="none")(x, t)'
        "[..., 1:-1, 1:-1].mean()",
        "It is minus the squared correlation, and continues images with zeros, which are no part of ours.",
        tolerance=1e-3,
    ),
    Parity(
        "total_variation_loss",
        "images",
        'TotalVariationLoss(reduction="sum")(x)',
        "kornia.losses.total_variation(x).sum()",
        "It gives one sum for each sample.",
    ),
    Parity(
        "total_variation_loss",
        "images",
        "TotalVariationLoss()(x)",
        'kornia.losses.total_variation(x, reduction="mean").mean()',
        "It adds up the means along each axis; ours divides all differences by the number of positions.",
        agree=False,
    ),
    Parity(
        "gradient_difference_loss",
        "images",
        'GradientDifferenceLoss(stencil="sobel", reduction="none")(x, t)[..., 1:-1, 1:-1].mean()',
        "(kornia.filters.spatial_gradient(x) - kornia.filters.spatial_gradient(t))[..., 1:-1, 1:-1]"
        ".abs().sum(2).mean()",
        "Its gradient is Sobel's; at the border it repeats positions, where ours has no difference.",
    ),
    Parity(
        "deformation_loss",
        "fields of displacements",
        "DeformationLoss()(x)",
        "monai.losses.BendingEnergyLoss()(x)",
        "The same since MONAI 1.6.",
    ),
    Parity(
        "deformation_loss",
        "fields of displacements",
        "DeformationLoss(order=1)(x)",
        "monai.losses.DiffusionLoss()(x)",
        "It takes half the difference of the positions on both sides.",
        agree=False,
    ),
]
