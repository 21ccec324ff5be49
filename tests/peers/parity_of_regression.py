"""Parity of losses of differences."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity("l1_loss", "values", "L1Loss()(x, t)", "torch.nn.L1Loss()(x, t)", "As it is."),
    Parity(
        "smooth_l1_loss",
        "values",
        "SmoothL1Loss(beta=0.5)(x, t)",
        "torch.nn.SmoothL1Loss(beta=0.5)(x, t)",
        "As it is.",
    ),
    Parity(
        "smooth_l1_loss",
        "values",
        "SmoothL1Loss(beta=0.5)(x, t)",
        "torch.nn.HuberLoss(delta=0.5)(x, t) / 0.5",
        "The Huber loss over its delta.",
    ),
    Parity(
        "huber_loss",
        "values",
        "HuberLoss(delta=0.5)(x, t)",
        "torch.nn.HuberLoss(delta=0.5)(x, t)",
        "As it is.",
    ),
    Parity("mse_loss", "values", "MSELoss()(x, t)", "torch.nn.MSELoss()(x, t)", "As it is."),
    Parity(
        "weighted_mse_loss",
        "values",
        "WeightedMSELoss(weight=w)(x, t)",
        "torch.nn.MSELoss()(x * w.sqrt().view(-1, 1, 1), t * w.sqrt().view(-1, 1, 1))",
        "The weight scales, as if both had been multiplied by its root.",
    ),
    Parity(
        "gaussian_nll_loss",
        "values",
        "GaussianNLLLoss()(x, t, var=var)",
        "torch.nn.GaussianNLLLoss()(x, t, var)",
        "Equal; ours takes the logarithm of the variance as well, as log_var.",
    ),
    Parity(
        "gaussian_nll_loss",
        "values",
        "GaussianNLLLoss(full=True, eps=0.5)(x, t, var=var)",
        "torch.nn.GaussianNLLLoss(full=True, eps=0.5)(x, t, var)",
        "Equal, also where the variance is below eps.",
    ),
    Parity(
        "quantile_loss",
        "values",
        "QuantileLoss()(x, t)",
        "torch.nn.L1Loss()(x, t) / 2",
        "The median is half of the absolute error.",
    ),
    Parity(
        "charbonnier_loss",
        "values",
        "CharbonnierLoss(epsilon=1.0)(x, t) - 1",
        'kornia.losses.CharbonnierLoss("mean")(x, t)',
        "Its epsilon is 1, and it is subtracted.",
    ),
    Parity(
        "adaptive_robust_loss",
        "values",
        "AdaptiveRobustLoss(alpha=1.0)(x, t)",
        'kornia.losses.CharbonnierLoss("mean")(x, t)',
        "Alpha is 1.",
    ),
    Parity(
        "adaptive_robust_loss",
        "values",
        "AdaptiveRobustLoss(alpha=0.0)(x, t)",
        'kornia.losses.CauchyLoss("mean")(x, t)',
        "Alpha is 0.",
    ),
    Parity(
        "adaptive_robust_loss",
        "values",
        "AdaptiveRobustLoss(alpha=-2.0)(x, t)",
        'kornia.losses.GemanMcclureLoss("mean")(x, t)',
        "Alpha is -2.",
    ),
    Parity(
        "adaptive_robust_loss",
        "values",
        "AdaptiveRobustLoss(alpha=-inf)(x, t)",
        'kornia.losses.WelschLoss("mean")(x, t)',
        "Alpha is minus infinity.",
    ),
    Parity(
        "adaptive_robust_loss",
        "values",
        "AdaptiveRobustLoss(alpha=2.0)(x, t)",
        "torch.nn.MSELoss()(x, t) / 2",
        "Alpha is 2.",
    ),
    Parity(
        "relative_lp_loss",
        "values",
        "RelativeLpLoss()(x, t)",
        "(torch.linalg.vector_norm((x - t).flatten(1), dim=1)"
        " / torch.linalg.vector_norm(t.flatten(1), dim=1)).mean()",
        "Norms over everything of a sample, and a mean over samples.",
    ),
    Parity(
        "silog_loss",
        "depths",
        "SILogLoss(scale=10)(x, t)",
        "10 * torch.sqrt(torch.var(x.log() - t.log(), correction=0)"
        " + 0.15 * torch.mean(x.log() - t.log()) ** 2)",
        "As BTS has it, of one image.",
    ),
    Parity(
        "wing_loss",
        "values",
        "WingLoss(width=1.0, epsilon=0.5)(x, t)",
        "smp.losses._functional.wing_loss(x, t, width=1.0, curvature=0.5)",
        "Its curvature is epsilon; unless given it has 5 and 0.5, the paper 10 and 2.",
    ),
]
