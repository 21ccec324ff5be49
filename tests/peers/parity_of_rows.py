"""Parity of losses whose elements are rows: pairs of embeddings, lists, events, pairs of scores."""

from parity_record import Parity

__all__ = ["RECORDS"]

SINGLE = 1e-5
"""What single precision allows for."""

UNIT = "x[0] / x[0].norm(dim=1, keepdim=True), x[1] / x[1].norm(dim=1, keepdim=True)"

RECORDS = [
    Parity(
        "info_nce_loss",
        "embeddings",
        "InfoNCELoss(temperature=0.1)(*x)",
        "info_nce.InfoNCE()(*x)",
        "Its temperature is 0.1 unless given.",
    ),
    Parity(
        "info_nce_loss",
        "embeddings",
        "InfoNCELoss()(*x, negatives=queue, groups=t)",
        "info_nce.InfoNCE(temperature=0.07)(*x, queue)",
        "With negatives it takes none from the batch: one group for all rows, here t, does the same.",
    ),
    Parity(
        "info_nce_loss",
        "embeddings",
        "InfoNCELoss()(*x, negatives=own_negatives, groups=t)",
        'info_nce.InfoNCE(temperature=0.07, negative_mode="paired")(*x, own_negatives)',
        "Negatives of three dimensions are those of each row alone.",
    ),
    Parity(
        "info_nce_loss",
        "embeddings",
        "InfoNCELoss(symmetric=True)(*x)",
        f"open_clip.loss.ClipLoss()({UNIT}, 1 / 0.07)",
        "It takes embeddings of length one, and one over the temperature.",
    ),
    Parity(
        "info_nce_loss",
        "embeddings",
        "InfoNCELoss(temperature=0.1)(*x, weight=torch.linspace(0.5, 1.5, B))",
        "(torch.nn.functional.cross_entropy(torch.nn.functional.normalize(x[0])"
        " @ torch.nn.functional.normalize(x[1]).T / 0.1, torch.arange(B), reduction='none')"
        " * torch.linspace(0.5, 1.5, B)).sum() / torch.linspace(0.5, 1.5, B).sum()",
        "A matrix of all similarities, which ours never holds, and the weighted mean of its rows.",
    ),
    Parity(
        "clip_loss",
        "embeddings",
        "CLIPLoss(temperature=0.05)(*x)",
        f"open_clip.loss.ClipLoss()({UNIT}, 1 / 0.05)",
        "It takes embeddings of length one, and one over the temperature.",
    ),
    Parity(
        "siglip_loss",
        "embeddings",
        "SigLIPLoss()(*x)",
        f"open_clip.loss.SigLipLoss()({UNIT}, 10.0, -10.0)",
        "It takes embeddings of length one.",
    ),
    Parity(
        "nt_xent_loss",
        "embeddings",
        "NTXentLoss(temperature=0.07)(*x)",
        "pml.losses.NTXentLoss()(torch.cat(x), torch.arange(B).repeat(2))",
        "Its temperature is 0.07; both views stand below one another, with a label for each sample.",
    ),
    Parity(
        "supcon_loss",
        "labelled embeddings",
        "SupConLoss()(x, t)",
        "pml.losses.SupConLoss()(x, t)",
        "Both have the mean over the rows that have another of their label.",
    ),
    Parity(
        "triplet_loss",
        "labelled embeddings",
        'TripletLoss(mining="all", distance="cosine")(x[:6], t[[0, 2, 6, 3, 4, 7]])',
        "pml.losses.TripletMarginLoss(margin=0.2, distance=pml.distances.CosineSimilarity(), "
        "reducer=pml.reducers.MeanReducer())(x[:6], t[[0, 2, 6, 3, 4, 7]])",
        "The mean over all triplets; without that reducer, over those that cost something.",
    ),
    Parity(
        "triplet_loss",
        "labelled embeddings",
        "TripletLoss()(x, t)",
        "pml.losses.TripletMarginLoss(margin=0.2, reducer=pml.reducers.MeanReducer(), "
        "distance=raw_distance)(x, t, pml.miners.BatchHardMiner(distance=raw_distance)(x, t))",
        "The hardest triplet of each row, with distances of rows as they are.",
    ),
    Parity(
        "contrastive_loss",
        "labelled embeddings",
        "ContrastiveLoss()(x, t)",
        "pml.losses.ContrastiveLoss()(x, t)",
        "It has distances of rows of length one, and neither halves nor squares.",
        agree=False,
    ),
    Parity(
        "multi_similarity_loss",
        "labelled embeddings",
        "MultiSimilarityLoss()(x, t)",
        "pml.losses.MultiSimilarityLoss()(x, t, pml.miners.MultiSimilarityMiner()(x, t))",
        "Its miner is a part of ours.",
    ),
    Parity(
        "multi_similarity_loss",
        "labelled embeddings",
        "MultiSimilarityLoss(epsilon=3.0)(x, t)",
        "pml.losses.MultiSimilarityLoss()(x, t)",
        "Without its miner no pair is left out.",
    ),
    Parity(
        "circle_loss",
        "labelled embeddings",
        "CircleLoss(margin=0.4, gamma=80.0)(x, t)",
        "pml.losses.CircleLoss()(x, t)",
        "Its defaults are those of the paper for retrieval, ours those for faces.",
    ),
    Parity(
        "cox_loss",
        "hazards",
        "CoxLoss()(x, t, event=event)",
        "torchsurv.loss.cox.neg_partial_log_likelihood(x, event, t)",
        "Equal where no two times are; it computes in single precision.",
        tolerance=SINGLE,
    ),
    Parity(
        "cox_loss",
        "hazards, some events at one time",
        'CoxLoss(reduction="sum")(x, t, event=event)',
        'torchsurv.loss.cox.neg_partial_log_likelihood(x, event, t, "efron", reduction="sum")',
        "Equal where events have a time in common with events only.",
        tolerance=SINGLE,
    ),
    Parity(
        "cox_loss",
        "hazards, some events at one time",
        'CoxLoss(ties="breslow", reduction="sum")(x, t, event=event)',
        'torchsurv.loss.cox.neg_partial_log_likelihood(x, event, t, "breslow", reduction="sum")',
        "As before.",
        tolerance=SINGLE,
    ),
    Parity(
        "cox_loss",
        "hazards, some events at one time",
        "CoxLoss()(x, t, event=event)",
        'torchsurv.loss.cox.neg_partial_log_likelihood(x, event, t, "efron")',
        "Once times are equal its mean divides by the number of different times, ours by that of events.",
        agree=False,
    ),
    Parity(
        "list_softmax_loss",
        "lists",
        "ListSoftmaxLoss()(x, t)",
        "torch.nn.functional.cross_entropy(x, t / t.sum(dim=1, keepdim=True))",
        "Relevance as a distribution.",
    ),
    Parity(
        "list_softmax_loss",
        "lists",
        'ListSoftmaxLoss(distribution="softmax", temperature=0.5)(x, t)',
        "torch.nn.functional.cross_entropy(x / 0.5, t.softmax(dim=1))",
        "As ListNet has it; a temperature divides the scores.",
    ),
    Parity(
        "pairwise_logistic_loss",
        "lists",
        "PairwiseLogisticLoss()(x, t)",
        "torch.nn.functional.softplus((x[:, None] - x[:, :, None])[t[:, :, None] > t[:, None]]).mean()",
        "All pairs at once.",
    ),
    Parity(
        "dpo_loss",
        "pairs of scores",
        "DPOLoss()(x, t, reference=reference)",
        "torch.nn.functional.cross_entropy(0.1 * (x - reference), t)",
        "Two classes whose logits are scaled gains.",
    ),
    Parity(
        "dpo_loss",
        "pairs of scores",
        "DPOLoss(beta=0.5)(x, torch.nn.functional.one_hot(t, 2) * 0.8 + 0.1, reference=reference)",
        "torch.nn.functional.cross_entropy(0.5 * (x - reference), t, label_smoothing=0.2)",
        "The conservative form: one in ten preferences is wrong, which is smoothing by two in ten.",
    ),
    Parity(
        "cosine_similarity_loss",
        "embeddings",
        "CosineSimilarityLoss(detach_target=False)(*x)",
        "(1 - torch.nn.functional.cosine_similarity(*x)).mean()",
        "One minus the cosine; by default the target is detached.",
    ),
    Parity(
        "arcface_loss",
        "flat labels",
        "ArcFaceLoss(scale=8.0)(x.tanh() / 2, t)",
        "torch.nn.functional.cross_entropy(8 * torch.cos(torch.acos(x.tanh() / 2)"
        " + 0.5 * torch.nn.functional.one_hot(t, C)), t)",
        "The angle itself, whose gradient is infinite at a centre.",
    ),
    Parity(
        "cosface_loss",
        "flat labels",
        "CosFaceLoss(scale=8.0)(x.tanh(), t)",
        "torch.nn.functional.cross_entropy(8 * (x.tanh() - 0.35 * torch.nn.functional.one_hot(t, C)), t)",
        "A margin taken off the logits of the truth.",
    ),
    Parity(
        "logistic_hazard_loss",
        "hazards in bins",
        "LogisticHazardLoss()(x, t, event=event)",
        "(torch.nn.functional.binary_cross_entropy_with_logits(x, (torch.nn.functional.one_hot(t, 5)"
        " * event.unsqueeze(1)).to(x.dtype), reduction='none')"
        " * (torch.arange(5) <= t.unsqueeze(1))).sum(dim=1).mean()",
        "Binary cross entropies of the bins that were seen, as pycox adds them up.",
    ),
    Parity(
        "list_mle_loss",
        "lists",
        "ListMLELoss()(x, t)",
        "-(torch.gather(x, 1, t.argsort(dim=1, descending=True))"
        " - x.gather(1, t.argsort(dim=1, descending=True)).flip(1).logcumsumexp(dim=1).flip(1))"
        ".sum(dim=1).mean()",
        "The formula, where no two documents are as relevant; allRank draws the order of such at random.",
    ),
    Parity(
        "vicreg_loss",
        "embeddings",
        "VICRegLoss()(*x)",
        "25 * torch.nn.functional.mse_loss(*x)"
        " + sum(25 * (1 - (z.var(dim=0) + 1e-4).sqrt()).relu().mean() / 2"
        " + z.T.cov().fill_diagonal_(0).square().sum() / 4 for z in x)",
        "The authors' code; the paper has the variances of both views added up, not their mean.",
    ),
    Parity(
        "barlow_twins_loss",
        "embeddings",
        "BarlowTwinsLoss(redundancy=1.0)(*x)",
        "(torch.cat([x[0].T, x[1].T]).corrcoef()[:4, 4:] - torch.eye(4)).square().sum()",
        "Correlations; implementations that normalise with an epsilon, or by the number less one, differ.",
    ),
    Parity(
        "dino_loss",
        "flat soft",
        "DINOLoss(teacher_temperature=0.5)(x, t, center=w)",
        "torch.nn.functional.cross_entropy(x / 0.1, ((t - w) / 0.5).softmax(dim=1))",
        "The teacher is detached; the centre is a tensor, where others keep it within the loss.",
    ),
    Parity(
        "bradley_terry_loss",
        "pairs of scores",
        "BradleyTerryLoss()(x, t)",
        "torch.nn.functional.cross_entropy(x, t)",
        "Two classes whose logits are rewards.",
    ),
    Parity(
        "bradley_terry_loss",
        "pairs of scores, the first preferred",
        "BradleyTerryLoss(centering=0.01)(x, t, margin=margin)",
        "(0.01 * x.sum(dim=1) ** 2 - torch.nn.functional.logsigmoid(x[:, 0] - x[:, 1] - margin)).mean()",
        "As TRL has margins and center_rewards_coefficient.",
    ),
    Parity(
        "simpo_loss",
        "pairs of scores, the first preferred",
        "SimPOLoss(beta=2.0, gamma=1.0)(x, t)",
        "-torch.nn.functional.logsigmoid(2.0 * (x[:, 0] - x[:, 1] - 1.0 / 2.0)).mean()",
        "The authors' code and HALOs take the ratio of gamma to beta.",
    ),
    Parity(
        "ipo_loss",
        "pairs of scores, the first preferred",
        "IPOLoss(tau=0.1)(x, t, reference=reference)",
        "torch.square(x[:, 0] - x[:, 1] - (reference[:, 0] - reference[:, 1]) - 1 / (2 * 0.1)).mean()",
        "TRL and HALOs call tau beta, and pass averages over tokens.",
    ),
    Parity(
        "robust_dpo_loss",
        "pairs of scores",
        "RobustDPOLoss(beta=0.1, flip_rate=0.2)(x, t, reference=reference)",
        "(0.8 * torch.nn.functional.cross_entropy(0.1 * (x - reference), t)"
        " - 0.2 * torch.nn.functional.cross_entropy(0.1 * (x - reference), 1 - t)) / 0.6",
        "TRL and Liger call the rate label_smoothing.",
    ),
    Parity(
        "kto_loss",
        "answers",
        "KTOLoss(beta=0.1, undesirable_weight=0.5)(x, t, reference=reference[:, 0], baseline=baseline)",
        "torch.where(t == 1, 1 - (0.1 * (x - reference[:, 0] - baseline)).sigmoid(),"
        " 0.5 * (1 - (0.1 * (baseline - x + reference[:, 0])).sigmoid())).mean()",
        "As TRL has it; the baseline is its kl, and Liger's.",
    ),
    Parity(
        "orpo_loss",
        "pairs of log-probabilities, the first preferred",
        "ORPOLoss()(x, t)",
        "-torch.nn.functional.logsigmoid(x[:, 0] - x[:, 1]"
        " - (torch.log1p(-x[:, 0].exp()) - torch.log1p(-x[:, 1].exp()))).mean()",
        "Without the cross entropy of what is chosen, which TRL and Liger add.",
    ),
    Parity(
        "ppo_loss",
        "tokens",
        "PPOLoss()(x, t, old=old, mask=kept)",
        "(-torch.minimum((x - old).exp() * t, (x - old).exp().clamp(0.8, 1.2) * t))[kept].mean()",
        "As verl's token-mean, OpenRLHF's and torchtune's.",
    ),
    Parity(
        "dapo_loss",
        "tokens",
        "DAPOLoss()(x, t, old=old, mask=kept)",
        "(-torch.minimum((x - old).exp() * t, (x - old).exp().clamp(0.8, 1.28) * t))[kept].mean()",
        "As TRL has it by default, where the tokens of the step are divided by.",
    ),
    Parity(
        "grpo_loss",
        "tokens",
        "GRPOLoss(beta=0.04)(x, t, old=old, reference=before, mask=kept)",
        "(((-torch.minimum((x - old).exp() * t, (x - old).exp().clamp(0.8, 1.2) * t)"
        " + 0.04 * ((before - x).exp() - (before - x) - 1)) * kept).sum(1) / kept.sum(1)).mean()",
        "As TRL's and Liger's loss_type grpo; they count sequences without tokens too.",
    ),
    Parity(
        "dr_grpo_loss",
        "tokens",
        "DrGRPOLoss(max_length=8)(x, t, old=old, mask=kept)",
        "-torch.minimum((x - old).exp() * t, (x - old).exp().clamp(0.8, 1.2) * t)[kept].sum() / (len(x) * 8)",
        "As TRL's and Liger's, with max_completion_length.",
    ),
    Parity(
        "cispo_loss",
        "tokens",
        "CISPOLoss(cap=1.1)(x, t, old=old, mask=kept)",
        "-(torch.exp(x - old).detach().clamp(max=1.1) * t * x)[kept].mean()",
        "TRL's epsilon_high is the cap; verl's is one less.",
    ),
    Parity(
        "gspo_loss",
        "tokens",
        "GSPOLoss(clip_low=0.1, clip_high=0.1)(x, t[:, 0], old=old, mask=kept)",
        "-torch.minimum((((x - old) * kept).sum(1) / kept.sum(1)).exp() * t[:, 0],"
        " (((x - old) * kept).sum(1) / kept.sum(1)).exp().clamp(0.9, 1.1) * t[:, 0]).mean()",
        "As TRL's importance_sampling_level sequence.",
    ),
    Parity(
        "clipped_value_loss",
        "tokens",
        "ClippedValueLoss()(x, t, old=old, mask=kept)",
        "0.5 * torch.maximum((x - t) ** 2, (old + (x - old).clamp(-0.2, 0.2) - t) ** 2)[kept].mean()",
        "As torchtune, verl and OpenRLHF have it.",
    ),
    Parity(
        "linear_cross_entropy_loss",
        "flat labels",
        "LinearCrossEntropyLoss(weight=[1, 2, 3, 4], label_smoothing=0.1)"
        "(x, t, linear_weight=x.detach()[:4])",
        "torch.nn.functional.cross_entropy(torch.nn.functional.linear(x, x.detach()[:4]), t,"
        " weight=torch.tensor([1.0, 2.0, 3.0, 4.0]).double(), label_smoothing=0.1)",
        "The logits are never held; torch's own of this name, from 2.13 on, is the same number.",
    ),
    Parity(
        "z_loss",
        "labels",
        "ZLoss()(x)",
        "torch.logsumexp(x, dim=1).square().mean()",
        "What Liger calls lse_square_scale, and others a coefficient, stands outside.",
    ),
    Parity(
        "load_balancing_loss",
        "flat binary",
        "LoadBalancingLoss()(x, t)",
        "4 * (t.mean(dim=0) * torch.softmax(x, dim=1).mean(dim=0)).sum() / t.sum(dim=1).mean()",
        "Loads of transformers' add up to the number of experts of a token, here to one; it pools layers.",
    ),
]
