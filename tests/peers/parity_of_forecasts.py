"""Parity of losses of forecasts: likelihoods and scores."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity(
        "poisson_nll_loss", "counts", "PoissonNLLLoss()(x, t)", "torch.nn.PoissonNLLLoss()(x, t)", "As it is."
    ),
    Parity(
        "poisson_nll_loss",
        "counts",
        "PoissonNLLLoss(full=True)(x, t)",
        "-torch.distributions.Poisson(x.exp()).log_prob(t).mean()",
        "All of the likelihood.",
    ),
    Parity(
        "poisson_nll_loss",
        "counts",
        "PoissonNLLLoss(full=True)(x, t)",
        "torch.nn.PoissonNLLLoss(full=True)(x, t)",
        "Its factorial is Stirling's approximation; the gradients are equal.",
        agree=False,
    ),
    Parity(
        "negative_binomial_nll_loss",
        "counts",
        "NegativeBinomialNLLLoss()(x, t, log_concentration=var.log())",
        "-torch.distributions.NegativeBinomial(var, logits=x - var.log()).log_prob(t).mean()",
        "Its total_count is the concentration, its logits are the difference of both logarithms.",
    ),
    Parity(
        "student_t_nll_loss",
        "values",
        "StudentTNLLLoss()(x, t, log_scale=var.log(), log_df=(2 * var).log())",
        "-torch.distributions.StudentT(2 * var, x, var).log_prob(t).mean()",
        "It takes the degrees of freedom and the scale, not their logarithms.",
    ),
    Parity(
        "crps_loss",
        "values",
        "CRPSLoss()(x, t, log_scale=var.log())",
        'scoringrules.crps_normal(t, x, var, backend="torch").mean()',
        "The scale is the standard deviation.",
    ),
    Parity(
        "crps_loss",
        "values",
        'CRPSLoss(distribution="laplace")(x, t, log_scale=var.log())',
        'scoringrules.crps_laplace(t, x, var, backend="torch").mean()',
        "It takes the scale, not its logarithm.",
    ),
    Parity(
        "crps_loss",
        "values",
        'CRPSLoss(distribution="logistic")(x, t, log_scale=var.log())',
        'scoringrules.crps_logistic(t, x, var, backend="torch").mean()',
        "As before.",
    ),
    Parity(
        "ensemble_crps_loss",
        "ensembles",
        "EnsembleCRPSLoss()(x, t)",
        'scoringrules.crps_ensemble(t, x, m_axis=1, estimator="fair", backend="torch").mean()',
        "Its default is another: the plain score.",
    ),
    Parity(
        "ensemble_crps_loss",
        "ensembles",
        "EnsembleCRPSLoss()(x, t)",
        'scoringrules.crps_ensemble(t, x, m_axis=1, estimator="pwm", backend="torch").mean()',
        "The same.",
    ),
    Parity(
        "ensemble_crps_loss",
        "ensembles",
        "EnsembleCRPSLoss(fair=0.0)(x, t)",
        'scoringrules.crps_ensemble(t, x, m_axis=1, estimator="nrg", backend="torch").mean()',
        "The ensemble as the distribution.",
    ),
]
