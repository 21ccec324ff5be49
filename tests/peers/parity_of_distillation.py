"""Parity of losses of a student and its teacher; their libraries write them down with torch's functions."""

from parity_record import Parity

__all__ = ["RECORDS"]

KL = "torch.nn.functional.kl_div({}, {}.log_softmax(1), reduction='none', log_target=True).sum(1).mean()"

MIXED = "(0.3 * t.softmax(1) + 0.7 * x.softmax(1)).log()"

RECORDS = [
    Parity(
        "kl_distillation_loss",
        "two networks",
        "KLDistillationLoss()(x, t)",
        KL.format("x.log_softmax(1)", "t"),
        "The sum over classes, and the mean over positions.",
    ),
    Parity(
        "kl_distillation_loss",
        "two networks",
        "KLDistillationLoss()(x, t)",
        "torch.nn.KLDivLoss(reduction='batchmean', log_target=True)(x.log_softmax(1), t.log_softmax(1))",
        "It divides by the samples, of which each has many positions: as many times as large.",
        agree=False,
    ),
    Parity(
        "kl_distillation_loss",
        "two networks",
        "KLDistillationLoss(direction='reverse', temperature=4.0)(x, t)",
        "16 * " + KL.format("(t / 4).log_softmax(1)", "(x / 4)"),
        "Both change places; the square of the temperature is always there.",
    ),
    Parity(
        "js_distillation_loss",
        "two networks",
        "JSDistillationLoss(beta=0.3)(x, t)",
        f"0.3 * {KL.format(MIXED, 't')} + 0.7 * {KL.format(MIXED, 'x')}",
        "Beta weighs the teacher, as in TRL's GKD.",
    ),
]
