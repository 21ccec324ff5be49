"""Parity of losses of forecasts: likelihoods."""

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
]
