"""What MONAI's losses of two losses are of ours."""

from migration_record import Check, case, default, goes, harmless, is_
from monai_switches import (
    FOCAL_SUM,
    HARD,
    LABELS,
    LAMBDAS,
    OF_TWO,
    ONE_HOT,
    PROBABILITIES,
    REDUCTION,
    RULES,
    SHAPE,
    SMOOTH,
    UNSMOOTHED,
    WEIGHT_OF_BOTH,
    of_monai,
    shape,
    smooth,
)

__all__ = ["CALLABLES"]

CALLABLES = [
    of_monai(
        "DiceCELoss",
        "dice",
        {**OF_TWO, "weight": None, "lambda_dice": 1.0, "lambda_ce": 1.0, "label_smoothing": 0.0},
        [
            case(
                is_("dice_ce_loss"),
                {
                    **{key: rule for key, rule in RULES.items() if key in OF_TWO},
                    **shape(),
                    **smooth("smooth"),
                    "softmax": harmless(),
                    "sigmoid": harmless(),
                    "weight": default(
                        "it weighs both losses, and divides their means by the number of classes"
                    ),
                    "lambda_dice": goes("dice_weight"),
                    "lambda_ce": goes("ce_weight"),
                    "label_smoothing": goes("label_smoothing"),
                },
                when={"softmax": [True]},
                note=LABELS,
            ),
            case(
                is_("bce_dice_loss"),
                {
                    **{key: rule for key, rule in RULES.items() if key in OF_TWO},
                    **shape(),
                    **smooth("smooth"),
                    "sigmoid": harmless(),
                    "softmax": harmless(),
                    "lambda_dice": goes("dice_weight"),
                    "lambda_ce": goes("bce_weight"),
                    "label_smoothing": harmless(),
                    "weight": default("it is the pos_weight of one loss, and the weight of the other"),
                },
                when={"sigmoid": [True]},
                differs="they are equal for one channel; with more, its cross entropy is that of exclusive "
                "classes, under a sigmoid as well",
            ),
        ],
        Check("labels", f"{ONE_HOT}, lambda_dice=0.7, lambda_ce=0.3"),
        Check("labels", f'{ONE_HOT}, reduction="sum"'),
        Check("labels", f"{ONE_HOT}, batch=True, smooth_nr=1.0, smooth_dr=1.0"),
        Check("labels", f"{ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{ONE_HOT}, label_smoothing=0.1"),
        Check("labels", f"{ONE_HOT}, weight=w"),
        Check("labels", f"{ONE_HOT}, include_background=False"),
        Check("labels", f"{ONE_HOT}, squared_pred=True"),
        Check("labels", f"{ONE_HOT}, jaccard=True"),
        Check("binary", "sigmoid=True", "(x, t)"),
        Check(
            "binary", 'sigmoid=True, lambda_dice=0.7, lambda_ce=0.3, batch=True, reduction="sum"', "(x, t)"
        ),
        Check("binary", "sigmoid=True, smooth_nr=1.0, smooth_dr=1.0, label_smoothing=0.1", "(x, t)"),
        Check("binary", "sigmoid=True, smooth_nr=0.0, smooth_dr=50.0, include_background=False", "(x, t)"),
        Check("binary", "sigmoid=True, squared_pred=True, weight=None", "(x, t)"),
        Check("binary", "sigmoid=True, jaccard=True", "(x, t)"),
        Check("binary", "sigmoid=True, weight=w", "(x, t)"),
        missing="without softmax or sigmoid its Dice loss takes probabilities, and its cross entropy logits",
    ),
    of_monai(
        "DiceFocalLoss",
        "dice",
        {
            **OF_TWO,
            "gamma": 2.0,
            "weight": None,
            "lambda_dice": 1.0,
            "lambda_focal": 1.0,
            "alpha": None,
        },
        [
            case(
                is_("focal_dice_loss", activation="sigmoid"),
                {
                    **{key: rule for key, rule in RULES.items() if key in OF_TWO},
                    **shape(),
                    **smooth("smooth"),
                    "sigmoid": harmless(),
                    "softmax": harmless(),
                    "gamma": goes("gamma"),
                    "alpha": goes("alpha", drop=[None]),
                    "lambda_dice": goes("dice_weight"),
                    "lambda_focal": goes("focal_weight"),
                    "weight": WEIGHT_OF_BOTH,
                    "reduction": default("only its mean is one; its sum is over means"),
                },
                when={"sigmoid": [True]},
                note=HARD,
            ),
            case(
                {
                    "sum": {
                        "dice": is_("dice_loss", activation="softmax"),
                        "focal": is_("focal_loss", activation="sigmoid"),
                    }
                },
                {
                    **{key: rule for key, rule in RULES.items() if key in OF_TWO},
                    **shape(),
                    **smooth("sum.dice.params.smooth"),
                    "softmax": harmless(),
                    "sigmoid": harmless(),
                    "batch": goes("sum.dice.params.batch"),
                    **FOCAL_SUM,
                    **LAMBDAS,
                },
                when={"softmax": [True]},
                note=f"{HARD}; its focal loss is under a sigmoid also beside a softmax",
            ),
        ],
        Check("binary", "sigmoid=True, alpha=0.25, gamma=1.5", "(x, t)"),
        Check("labels", "sigmoid=True, to_onehot_y=True, lambda_dice=0.7, lambda_focal=0.3"),
        Check("binary", "sigmoid=True, batch=True, smooth_nr=1.0, smooth_dr=1.0", "(x, t)"),
        Check("binary", "sigmoid=True, smooth_nr=0.0, smooth_dr=50.0", "(x, t)"),
        Check("binary", "sigmoid=True, weight=w", "(x, t)"),
        Check("binary", 'sigmoid=True, reduction="sum"', "(x, t)"),
        Check("binary", "sigmoid=True, include_background=False", "(x, t)"),
        Check("binary", "sigmoid=True, squared_pred=True", "(x, t)"),
        Check("binary", "sigmoid=True, jaccard=True", "(x, t)"),
        Check("labels", f"{ONE_HOT}, lambda_dice=0.7, lambda_focal=0.3, gamma=1.5, alpha=0.25"),
        Check("labels", f"{ONE_HOT}, batch=True, smooth_nr=1.0, smooth_dr=1.0"),
        Check("labels", f"{ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{ONE_HOT}, weight=w"),
        Check("labels", f'{ONE_HOT}, reduction="sum"'),
        Check("labels", f"{ONE_HOT}, include_background=False"),
        Check("labels", f"{ONE_HOT}, squared_pred=True"),
        Check("labels", f"{ONE_HOT}, jaccard=True"),
        missing="without softmax or sigmoid its Dice loss takes probabilities, and its focal loss logits",
    ),
    of_monai(
        "GeneralizedDiceFocalLoss",
        "dice",
        {
            **SHAPE,
            "other_act": None,
            "w_type": "square",
            **REDUCTION,
            **SMOOTH,
            "batch": False,
            "gamma": 2.0,
            "weight": None,
            "lambda_gdl": 1.0,
            "lambda_focal": 1.0,
        },
        [
            case(
                {
                    "sum": {
                        "dice": is_("generalized_dice_loss", smooth=0.0),
                        "focal": is_("focal_loss", activation="sigmoid"),
                    }
                },
                {
                    **shape("sum.dice.params"),
                    **UNSMOOTHED,
                    "w_type": goes(
                        "sum.dice.params.class_weighting",
                        map=[["square", "inverse_square"], ["simple", "inverse"], ["uniform", "equal"]],
                    ),
                    "batch": goes("sum.dice.params.batch"),
                    "lambda_gdl": goes("sum.dice.weight"),
                    **FOCAL_SUM,
                },
                when={"sigmoid": [sigmoid], "softmax": [not sigmoid]},
                note=HARD,
            )
            for sigmoid in (True, False)
        ],
        *(
            Check("labels", f"{switch}=True, to_onehot_y=True, {smooth}{more}")
            for switch in ("softmax", "sigmoid")
            for smooth, more in (
                ("smooth_nr=0, smooth_dr=0", ""),
                ("smooth_nr=0, smooth_dr=0", ", lambda_gdl=0.7, lambda_focal=0.3, gamma=1.5"),
                ("smooth_nr=0, smooth_dr=0", ', w_type="simple", batch=True'),
                ("smooth_nr=0, smooth_dr=0", ', reduction="sum"'),
                ("smooth_nr=0, smooth_dr=0", ", weight=w"),
                ("smooth_nr=0, smooth_dr=0", ", include_background=False"),
                ("smooth_nr=0.1, smooth_dr=0", ""),
                ("smooth_nr=0, smooth_dr=0.1", ""),
            )
        ),
        missing="without softmax or sigmoid its Dice loss takes probabilities, and its focal loss logits",
    ),
    of_monai(
        "AsymmetricUnifiedFocalLoss",
        "unified_focal_loss",
        {
            "to_onehot_y": False,
            "num_classes": 2,
            "weight": 0.5,
            "gamma": 0.5,
            "delta": 0.7,
            **REDUCTION,
            "ignore_index": None,
        },
        [
            case(
                is_("unified_focal_loss", balance=1 / 3, smooth=1e-7),
                {
                    "to_onehot_y": harmless(),
                    "gamma": goes("gamma"),
                    "delta": goes("delta"),
                    "weight": default(
                        "a weight of w is a balance of w / (2 - w), and the loss over 1 - w / 2"
                    ),
                    "reduction": goes("reduction"),
                },
                differs="it takes probabilities of two classes, ours logits; and it is 3/4 of ours",
            )
        ],
        Check("labels of two classes", "to_onehot_y=True", PROBABILITIES),
        Check("labels of two classes", "to_onehot_y=True, gamma=0.4, delta=0.6", PROBABILITIES),
        Check("labels of two classes", "to_onehot_y=True, weight=0.3", PROBABILITIES),
        Check("labels of two classes", 'to_onehot_y=True, reduction="sum"', PROBABILITIES),
        unchecked=("num_classes", "ignore_index"),
    ),
]
