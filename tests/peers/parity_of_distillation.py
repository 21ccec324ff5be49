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
    Parity(
        "dkd_loss",
        "two networks, flat",
        "DKDLoss(alpha=0.0, beta=1.0, temperature=1.0)(x, t, labels=torch.zeros(B, dtype=torch.long))",
        KL.format("x[:, 1:].log_softmax(1)", "t[:, 1:]"),
        "Beside the label, the other classes are compared as if it were not there.",
    ),
    Parity(
        "top_k_distillation_loss",
        "two networks",
        "TopKDistillationLoss()(x, t.log_softmax(1).topk(2, 1)[0], indices=t.topk(2, 1)[1])",
        "torch.nn.functional.kl_div(x.log_softmax(1).gather(1, t.topk(2, 1)[1]),"
        " t.log_softmax(1).topk(2, 1)[0], reduction='none', log_target=True).sum(1).mean()",
        "Without the rest it is no divergence, and may be negative.",
        agree=False,
    ),
    Parity(
        "top_k_distillation_loss",
        "two networks",
        "TopKDistillationLoss()(x, t.log_softmax(1).topk(C, 1)[0], indices=t.topk(C, 1)[1])",
        KL.format("x.log_softmax(1)", "t"),
        "With all classes it is the divergence over them.",
    ),
    Parity(
        "dist_loss",
        "two networks, flat",
        "DISTLoss(gamma=0.0)(x, t)",
        "(1 - torch.nn.functional.cosine_similarity(x.softmax(1) - 1 / C, t.softmax(1) - 1 / C)).mean()",
        "Pearson's correlation is the cosine of what has no mean; DIST's code has an epsilon of 1e-8.",
    ),
    Parity(
        "channel_wise_distillation_loss",
        "two networks",
        "ChannelWiseDistillationLoss()(x, t)",
        "16 * torch.nn.functional.kl_div((x.flatten(2) / 4).log_softmax(2), (t.flatten(2) / 4).softmax(2),"
        " reduction='sum') / (B * C)",
        "As mmrazor writes it.",
    ),
    Parity(
        "attention_transfer_loss",
        "two networks",
        "AttentionTransferLoss()(x, t)",
        "(torch.nn.functional.normalize(x.pow(2).mean(1).flatten(1))"
        " - torch.nn.functional.normalize(t.pow(2).mean(1).flatten(1))).pow(2).mean()",
        "As the authors' code, and torchdistill's mode 'code'.",
    ),
]
