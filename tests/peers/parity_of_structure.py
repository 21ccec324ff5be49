"""Parity of losses of boundaries and centre lines, of sums of losses, and of composites."""

from parity_record import Parity

__all__ = ["RECORDS"]

SINGLE = 1e-5
"""What single precision allows for."""

RECORDS = [
    Parity(
        "boundary_loss",
        "labels",
        "BoundaryLoss(weight=[0, 1, 1, 1])(x, t)",
        "monai.losses.BoundaryLoss("
        "softmax=True, to_onehot_y=True, include_background=False)(x, t.unsqueeze(1))",
        "A weight of zero leaves a class out.",
        tolerance=SINGLE,
    ),
    Parity(
        "hausdorff_dt_loss",
        "binary",
        "HausdorffDTLoss()(x, t)",
        "monai.losses.HausdorffDTLoss(sigmoid=True, include_background=True)(x, t)",
        "Equal where both regions have boundaries; it leaves the background out unless told otherwise.",
        tolerance=SINGLE,
    ),
    Parity(
        "hausdorff_dt_loss",
        "labels",
        "HausdorffDTLoss()(x, t)",
        "kornia.losses.HausdorffERLoss()(x.softmax(1), t.unsqueeze(1))",
        "Its distances are counts of erosions that take the error itself, and are normalised.",
        agree=False,
    ),
    Parity(
        "soft_cldice_loss",
        "binary, one channel",
        "SoftClDiceLoss()(x, t)",
        "monai.losses.SoftclDiceLoss(sigmoid=True, smooth=1e-12)(x, t)",
        "Its iter_ is iterations, its smooth_nr and smooth_dr are smooth; another smooth, 1e-4 unless given, "
        "is added to the sum of precision and sensitivity.",
    ),
    Parity(
        "soft_cldice_loss",
        "labels",
        "SoftClDiceLoss(weight=[0, 1, 1, 1])(x, t)",
        "monai.losses.SoftclDiceLoss(softmax=True, to_onehot_y=True, include_background=False)"
        "(x, t.unsqueeze(1))",
        "It has the lines of all classes in one score, ours a score for each class.",
        agree=False,
    ),
    Parity(
        "bce_dice_loss",
        "binary, one channel",
        "BCEDiceLoss(smooth=1e-5)(x, t)",
        "monai.losses.DiceCELoss(sigmoid=True)(x, t)",
        "For one channel; with more its cross entropy is that of exclusive classes, under a sigmoid as well.",
    ),
    Parity(
        "dice_ce_loss",
        "labels",
        "DiceCELoss(smooth=1e-5, dice_weight=0.7, ce_weight=0.3)(x, t)",
        "monai.losses.DiceCELoss("
        "softmax=True, to_onehot_y=True, lambda_dice=0.7, lambda_ce=0.3)(x, t.unsqueeze(1))",
        "Its lambdas are the weights.",
    ),
    Parity(
        "focal_dice_loss",
        "binary",
        "FocalDiceLoss(smooth=1e-5, alpha=0.25)(x, t)",
        "monai.losses.DiceFocalLoss(sigmoid=True, alpha=0.25)(x, t)",
        "As it is.",
        tolerance=SINGLE,
    ),
    Parity(
        "focal_dice_loss",
        "labels",
        "FocalDiceLoss(smooth=1e-5)(x, t)",
        "monai.losses.DiceFocalLoss(softmax=True, to_onehot_y=True)(x, t.unsqueeze(1))",
        "Its softmax is that of the Dice loss alone; its focal loss is always under a sigmoid. A "
        "weighted_sum of both of ours is equal.",
        agree=False,
    ),
    Parity(
        "unified_focal_loss",
        "labels of two classes",
        "UnifiedFocalLoss(balance=1 / 3, delta=0.7, gamma=0.5, smooth=1e-7)(x, t)",
        "monai.losses.AsymmetricUnifiedFocalLoss(to_onehot_y=True)(x.softmax(1), t.unsqueeze(1)) / 0.75",
        "It takes probabilities of two classes. The mean of its focal loss is over classes as well, half of "
        "ours: a weight of w there is balance = w / (2 - w), and its value is over 1 - w / 2.",
    ),
    Parity(
        "weighted_sum",
        "labels",
        'WeightedSum({"dice": DiceLoss(smooth=1e-5), "focal": FocalLoss(activation="sigmoid")})(x, t)',
        "monai.losses.DiceFocalLoss(softmax=True, to_onehot_y=True)(x, t.unsqueeze(1))",
        "Losses of one target, each with what it makes of the input.",
        tolerance=SINGLE,
    ),
    Parity(
        "weighted_sum",
        "labels",
        'WeightedSum({"dice": GeneralizedDiceLoss(smooth=0.0), "focal": FocalLoss(activation="sigmoid")})'
        "(x, t)",
        "monai.losses.GeneralizedDiceFocalLoss("
        "softmax=True, to_onehot_y=True, smooth_nr=0, smooth_dr=0)(x, t.unsqueeze(1))",
        "As above.",
        tolerance=SINGLE,
    ),
    Parity(
        "deep_supervision",
        "labels at several levels",
        "DeepSupervision(DiceLoss(smooth=1e-5))(x, t)",
        "monai.losses.DeepSupervisionLoss(monai.losses.DiceLoss(softmax=True, to_onehot_y=True))"
        "(x, t.unsqueeze(1).double())",
        "Equal up to the fifth level: its weights do not fall below 1/16.",
        tolerance=SINGLE,
    ),
    Parity(
        "masked",
        "values",
        "Masked(torch.nn.MSELoss())(x, t, mask=mask)",
        "monai.losses.MaskedLoss(torch.nn.MSELoss)(x, t, mask.unsqueeze(1)) * mask.numel() / mask.sum()",
        "It multiplies input and target by the mask, so that masked positions are perfect and count; for a "
        "loss that is zero there, its mean times all over what counts.",
    ),
]
