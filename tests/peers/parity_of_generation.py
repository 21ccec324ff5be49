"""Parity of losses of generative models."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity(
        "adversarial_loss",
        "values",
        "AdversarialLoss()(x, torch.ones_like(x))",
        'monai.losses.PatchAdversarialLoss(criterion="bce")(x, True, True)',
        "Whether scores are of real samples is a target of ones or zeros; its sigmoid rounds to one at 40.",
    ),
    Parity(
        "adversarial_loss",
        "values",
        'AdversarialLoss(objective="least_squares")(x, torch.zeros_like(x))',
        "monai.losses.PatchAdversarialLoss(no_activation_leastsq=True)(x, False, True)",
        "Without its activation.",
    ),
    Parity(
        "adversarial_loss",
        "values",
        'AdversarialLoss(objective="least_squares")(x, torch.zeros_like(x))',
        "monai.losses.PatchAdversarialLoss()(x, False, True)",
        "Unless told it makes scores below zero twenty times smaller.",
        agree=False,
    ),
    Parity(
        "adversarial_loss",
        "values",
        'AdversarialLoss(objective="hinge")(x.tanh(), torch.zeros_like(x))',
        'monai.losses.PatchAdversarialLoss(criterion="hinge")(x, False, True)',
        "It passes scores through tanh first, after which the hinge is a line.",
    ),
    Parity(
        "adversarial_loss",
        "binary",
        "AdversarialLoss()(x, t)",
        "torch.nn.BCEWithLogitsLoss()(x, t)",
        "Real and generated samples in one call.",
    ),
    Parity(
        "gaussian_kl_loss",
        "values",
        'GaussianKLLoss(reduction="sum")(x, log_variance=t)',
        "-0.5 * torch.sum(1 + t - x.pow(2) - t.exp())",
        "As PyTorch's example of a variational autoencoder writes it.",
    ),
    Parity(
        "gaussian_kl_loss",
        "values",
        "GaussianKLLoss()(x, log_variance=t)",
        "torch.distributions.kl_divergence(torch.distributions.Normal(x, (t / 2).exp()),"
        " torch.distributions.Normal(0.0, 1.0)).mean()",
        "The divergence from the standard Gaussian.",
    ),
    Parity(
        "vector_quantization_loss",
        "values",
        "VectorQuantizationLoss()(x, t)",
        "torch.nn.functional.mse_loss(x.detach(), t) + 0.25 * torch.nn.functional.mse_loss(x, t.detach())",
        "Both terms, beta on the encoder's.",
    ),
    Parity(
        "gradient_penalty_loss",
        "values",
        "GradientPenaltyLoss()(x)",
        "torch.nn.functional.mse_loss(x, torch.zeros_like(x)) * x[0].numel() / 2",
        "Around zero it is half of the squared length: R1, or R2.",
    ),
    Parity(
        "gradient_penalty_loss",
        "values",
        "GradientPenaltyLoss(centre=1.0)(x)",
        "(torch.linalg.vector_norm(x.flatten(1), dim=1) - 1).square().mean()",
        "Around one it is WGAN-GP's.",
    ),
    Parity(
        "denoising_loss",
        "values",
        'DenoisingLoss(prediction="noise", weighting="min_snr")(x, t, log_snr=log_snr)',
        "(torch.nn.functional.mse_loss(x, t, reduction='none').flatten(1).mean(1)"
        " * torch.clamp(5 / log_snr.exp(), max=1)).mean()",
        "As diffusers' training scripts write it for epsilon, from the logarithm of compute_snr.",
    ),
    Parity(
        "denoising_loss",
        "values",
        'DenoisingLoss(prediction="v", weighting="min_snr")(x, t, log_snr=log_snr)',
        "(torch.nn.functional.mse_loss(x, t, reduction='none').flatten(1).mean(1)"
        " * torch.clamp(log_snr.exp(), max=5) / (log_snr.exp() + 1)).mean()",
        "The same for v_prediction.",
    ),
    Parity(
        "denoising_loss",
        "values",
        'DenoisingLoss(prediction="v", weighting="edm")(x, t, log_snr=log_snr)',
        "torch.nn.functional.mse_loss(x, t)",
        "EDM's weights, with a sigma_data of one, are those of plain v-prediction.",
    ),
    Parity(
        "relativistic_loss",
        "values",
        "RelativisticLoss()(x, t)",
        "torch.nn.functional.softplus(t - x).mean()",
        "As it is.",
    ),
]
