"""What losses of MONAI are of ours."""

from collections.abc import Mapping

from migration_record import NEEDED, Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]

_LABELS = "labels have no channel of their own here: (B, *S), not (B, 1, *S)"
_HARD = f"{_LABELS}; with targets between 0 and 1 ours is what soft_label=True is there"
_CALL = "(x, t.unsqueeze(1))"
_PROBABILITIES = "(x.softmax(1), t.unsqueeze(1))"
_ONE_HOT = "softmax=True, to_onehot_y=True"

_SHAPE = {"include_background": True, "to_onehot_y": False, "sigmoid": False, "softmax": False}
_REDUCTION = {"reduction": "mean"}
_SMOOTH = {"smooth_nr": 1e-5, "smooth_dr": 1e-5}
_OVERLAP = {"squared_pred": False, "jaccard": False}


def _shape(at: str = "params") -> dict[str, dict[str, object]]:
    """Say what becomes of the switches that most of them have; without one, they take probabilities."""
    activation = f"{at}.activation"
    return {
        "include_background": default(
            "ours leaves a class out by weight: [0, 1, ...], with one number per class"
        ),
        "to_onehot_y": harmless(),
        "sigmoid": goes(activation, drop=[False], map=[[True, "sigmoid"]]),
        "softmax": goes(activation, drop=[False], map=[[True, "softmax"]]),
    }


def _smooth(to: str, **about: object) -> dict[str, dict[str, object]]:
    return {
        "smooth_nr": goes(to, **about),
        "smooth_dr": {"same_as": "smooth_nr", "differs": "ours has one smooth for both"},
    }


_UNSMOOTHED = {
    "smooth_nr": {"drop": [0], "differs": "the smoothings are different ones; ours is 0 where theirs are 0"},
    "smooth_dr": {"drop": [0], "differs": "the smoothings are different ones; ours is 0 where theirs are 0"},
}
_WEIGHT = goes(
    "weight",
    drop=[None],
    takes="list",
    differs="its mean divides by the number of classes, ours by the weights",
)
_WEIGHT_OF_BOTH = default("it weighs both losses, and divides their means by the number of classes")
_RULES = {
    "squared_pred": default("its sizes are sums of squares; ours has no such form"),
    "jaccard": default("ours has no sum with that"),
    "reduction": goes("reduction"),
    "batch": goes("batch"),
    "ignore_index": goes("ignore_index", drop=[None]),
    "soft_label": harmless(),
}


def _of_monai(
    name: str,
    module: str,
    parameters: Mapping[str, object],
    cases: list[dict[str, object]],
    *checks: Check,
    missing: str = "",
    unchecked: tuple[str, ...] = (),
) -> Callable:
    return callable_of(
        "monai",
        [f"monai.losses.{name}", f"monai.losses.{module}.{name}"],
        parameters,
        cases,
        call=_CALL,
        checks=checks,
        missing=missing,
        unchecked={"other_act", *unchecked},
    )


_DICE = {
    **_SHAPE,
    "other_act": None,
    **_OVERLAP,
    **_REDUCTION,
    **_SMOOTH,
    "batch": False,
    "weight": None,
    "soft_label": False,
    "ignore_index": None,
}
_OF_TWO = {**_SHAPE, "other_act": None, **_OVERLAP, **_REDUCTION, **_SMOOTH, "batch": False}

_FOCAL_SUM = {
    "gamma": goes("sum.focal.params.gamma"),
    "lambda_focal": goes("sum.focal.weight"),
    "weight": _WEIGHT_OF_BOTH,
    "reduction": default("only its mean is one; its sum is over means"),
}
_LAMBDAS = {"lambda_dice": goes("sum.dice.weight"), "alpha": goes("sum.focal.params.alpha", drop=[None])}

CALLABLES = [
    _of_monai(
        "DiceLoss",
        "dice",
        _DICE,
        [
            case(
                is_("jaccard_loss", activation="none"),
                {
                    **_RULES,
                    **_shape(),
                    **_smooth("smooth", by="half"),
                    "weight": _WEIGHT,
                    "jaccard": harmless(),
                },
                when={"jaccard": [True]},
                note=_HARD,
            ),
            case(
                is_("dice_loss", activation="none"),
                {**_RULES, **_shape(), **_smooth("smooth"), "weight": _WEIGHT},
                when={"jaccard": [False]},
                note=_HARD,
            ),
        ],
        Check("labels", "to_onehot_y=True", _PROBABILITIES),
        Check("labels", _ONE_HOT),
        Check("labels", "sigmoid=True, to_onehot_y=True"),
        Check("distributions", "softmax=True, soft_label=True", "(x, t)"),
        Check("binary", "sigmoid=True", "(x, t)"),
        Check("binary", "", "(x.sigmoid(), t)"),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("labels", f"{_ONE_HOT}, squared_pred=True"),
        Check("labels", f'{_ONE_HOT}, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, smooth_nr=1.0, smooth_dr=1.0"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{_ONE_HOT}, batch=True"),
        Check("labels", f"{_ONE_HOT}, weight=w"),
        Check("labels, some ignored", f"{_ONE_HOT}, ignore_index=255"),
        Check("labels", f"{_ONE_HOT}, jaccard=True"),
        Check("labels", "to_onehot_y=True, jaccard=True", _PROBABILITIES),
        Check("labels", "sigmoid=True, to_onehot_y=True, jaccard=True"),
        Check("labels", f'{_ONE_HOT}, jaccard=True, reduction="sum", batch=True'),
        Check("labels", f"{_ONE_HOT}, jaccard=True, smooth_nr=50.0, smooth_dr=50.0"),
        Check("labels", f"{_ONE_HOT}, jaccard=True, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{_ONE_HOT}, jaccard=True, include_background=False"),
        Check("labels", f"{_ONE_HOT}, jaccard=True, squared_pred=True"),
        Check("labels", f"{_ONE_HOT}, jaccard=True, weight=w"),
        Check("labels, some ignored", f"{_ONE_HOT}, jaccard=True, ignore_index=255"),
        Check("distributions", "softmax=True, jaccard=True, soft_label=True", "(x, t)"),
    ),
    _of_monai(
        "TverskyLoss",
        "tversky",
        {
            **_SHAPE,
            "other_act": None,
            "alpha": 0.5,
            "beta": 0.5,
            **_REDUCTION,
            **_SMOOTH,
            "batch": False,
            "soft_label": False,
            "ignore_index": None,
        },
        [
            case(
                is_("tversky_loss", activation="none"),
                {
                    **{key: rule for key, rule in _RULES.items() if key not in _OVERLAP},
                    **_shape(),
                    **_smooth("smooth"),
                    "alpha": goes("alpha"),
                    "beta": goes("beta"),
                },
                note=_HARD,
            )
        ],
        Check("labels", f"{_ONE_HOT}, alpha=0.3, beta=0.7"),
        Check("labels", "to_onehot_y=True", _PROBABILITIES),
        Check("binary", "sigmoid=True, alpha=0.3, beta=0.7", "(x, t)"),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("labels", f'{_ONE_HOT}, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, smooth_nr=1.0, smooth_dr=1.0, batch=True"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels, some ignored", f"{_ONE_HOT}, ignore_index=255"),
        Check("distributions", "softmax=True, soft_label=True", "(x, t)"),
    ),
    _of_monai(
        "GeneralizedDiceLoss",
        "dice",
        {
            **_SHAPE,
            "other_act": None,
            "w_type": "square",
            **_REDUCTION,
            **_SMOOTH,
            "batch": False,
            "soft_label": False,
        },
        [
            case(
                is_("generalized_dice_loss", activation="none", smooth=0.0),
                {
                    "reduction": goes("reduction"),
                    "batch": goes("batch"),
                    "soft_label": harmless(),
                    **_shape(),
                    **_UNSMOOTHED,
                    "w_type": goes(
                        "class_weighting",
                        map=[["square", "inverse_square"], ["simple", "inverse"], ["uniform", "equal"]],
                    ),
                },
                note=_HARD,
            )
        ],
        Check("labels", f"{_ONE_HOT}, smooth_nr=0, smooth_dr=0"),
        Check("labels", "to_onehot_y=True, smooth_nr=0, smooth_dr=0", _PROBABILITIES),
        Check("binary", "sigmoid=True, smooth_nr=0, smooth_dr=0", "(x, t)"),
        Check("labels", f'{_ONE_HOT}, smooth_nr=0, smooth_dr=0, w_type="uniform"'),
        Check("labels", f'{_ONE_HOT}, smooth_nr=0, smooth_dr=0, w_type="simple", batch=True'),
        Check("labels", f'{_ONE_HOT}, smooth_nr=0, smooth_dr=0, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0, smooth_dr=0, include_background=False"),
        Check("distributions", "softmax=True, smooth_nr=0, smooth_dr=0, soft_label=True", "(x, t)"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.1, smooth_dr=0.0"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.0, smooth_dr=0.1"),
        Check("labels", _ONE_HOT, is_special=True),
    ),
    _of_monai(
        "DiceCELoss",
        "dice",
        {**_OF_TWO, "weight": None, "lambda_dice": 1.0, "lambda_ce": 1.0, "label_smoothing": 0.0},
        [
            case(
                is_("dice_ce_loss"),
                {
                    **{key: rule for key, rule in _RULES.items() if key in _OF_TWO},
                    **_shape(),
                    **_smooth("smooth"),
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
                note=_LABELS,
            ),
            case(
                is_("bce_dice_loss"),
                {
                    **{key: rule for key, rule in _RULES.items() if key in _OF_TWO},
                    **_shape(),
                    **_smooth("smooth"),
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
        Check("labels", f"{_ONE_HOT}, lambda_dice=0.7, lambda_ce=0.3"),
        Check("labels", f'{_ONE_HOT}, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, batch=True, smooth_nr=1.0, smooth_dr=1.0"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{_ONE_HOT}, label_smoothing=0.1"),
        Check("labels", f"{_ONE_HOT}, weight=w"),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("labels", f"{_ONE_HOT}, squared_pred=True"),
        Check("labels", f"{_ONE_HOT}, jaccard=True"),
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
    _of_monai(
        "DiceFocalLoss",
        "dice",
        {
            **_OF_TWO,
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
                    **{key: rule for key, rule in _RULES.items() if key in _OF_TWO},
                    **_shape(),
                    **_smooth("smooth"),
                    "sigmoid": harmless(),
                    "softmax": harmless(),
                    "gamma": goes("gamma"),
                    "alpha": goes("alpha", drop=[None]),
                    "lambda_dice": goes("dice_weight"),
                    "lambda_focal": goes("focal_weight"),
                    "weight": _WEIGHT_OF_BOTH,
                    "reduction": default("only its mean is one; its sum is over means"),
                },
                when={"sigmoid": [True]},
                note=_HARD,
            ),
            case(
                {
                    "sum": {
                        "dice": is_("dice_loss", activation="softmax"),
                        "focal": is_("focal_loss", activation="sigmoid"),
                    }
                },
                {
                    **{key: rule for key, rule in _RULES.items() if key in _OF_TWO},
                    **_shape(),
                    **_smooth("sum.dice.params.smooth"),
                    "softmax": harmless(),
                    "sigmoid": harmless(),
                    "batch": goes("sum.dice.params.batch"),
                    **_FOCAL_SUM,
                    **_LAMBDAS,
                },
                when={"softmax": [True]},
                note=f"{_HARD}; its focal loss is under a sigmoid also beside a softmax",
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
        Check("labels", f"{_ONE_HOT}, lambda_dice=0.7, lambda_focal=0.3, gamma=1.5, alpha=0.25"),
        Check("labels", f"{_ONE_HOT}, batch=True, smooth_nr=1.0, smooth_dr=1.0"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=0.0, smooth_dr=50.0"),
        Check("labels", f"{_ONE_HOT}, weight=w"),
        Check("labels", f'{_ONE_HOT}, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("labels", f"{_ONE_HOT}, squared_pred=True"),
        Check("labels", f"{_ONE_HOT}, jaccard=True"),
        missing="without softmax or sigmoid its Dice loss takes probabilities, and its focal loss logits",
    ),
    _of_monai(
        "GeneralizedDiceFocalLoss",
        "dice",
        {
            **_SHAPE,
            "other_act": None,
            "w_type": "square",
            **_REDUCTION,
            **_SMOOTH,
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
                    **_shape("sum.dice.params"),
                    **_UNSMOOTHED,
                    "w_type": goes(
                        "sum.dice.params.class_weighting",
                        map=[["square", "inverse_square"], ["simple", "inverse"], ["uniform", "equal"]],
                    ),
                    "batch": goes("sum.dice.params.batch"),
                    "lambda_gdl": goes("sum.dice.weight"),
                    **_FOCAL_SUM,
                },
                when={"sigmoid": [sigmoid], "softmax": [not sigmoid]},
                note=_HARD,
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
    _of_monai(
        "GeneralizedWassersteinDiceLoss",
        "dice",
        {
            "dist_matrix": NEEDED,
            "weighting_mode": "default",
            **_REDUCTION,
            **_SMOOTH,
        },
        [],
        missing="it has distances between classes, which none of ours has",
    ),
    _of_monai(
        "FocalLoss",
        "focal_loss",
        {
            "include_background": True,
            "to_onehot_y": False,
            "gamma": 2.0,
            "alpha": None,
            "weight": None,
            **_REDUCTION,
            "use_softmax": False,
            "ignore_index": None,
        },
        [
            case(
                is_("focal_loss", activation="sigmoid"),
                {
                    **{
                        key: rule
                        for key, rule in _shape().items()
                        if key in ("include_background", "to_onehot_y")
                    },
                    "gamma": goes("gamma"),
                    "alpha": goes("alpha", drop=[None], takes="number"),
                    "weight": default("its mean divides by the number of elements, ours by the weights"),
                    "reduction": default(
                        "only its mean is one; its sum is over the means of samples and channels"
                    ),
                    "use_softmax": harmless(),
                    "ignore_index": goes(
                        "ignore_index",
                        drop=[None],
                        differs="where it is ignored, the means divide by other numbers",
                    ),
                },
                when={"use_softmax": [False]},
                note=f"{_LABELS}; for targets of 0 and 1",
            ),
            case(
                is_("focal_loss", activation="softmax"),
                {
                    **{
                        key: rule
                        for key, rule in _shape().items()
                        if key in ("include_background", "to_onehot_y")
                    },
                    "gamma": goes("gamma"),
                    "alpha": default(
                        "it is 1 - alpha for class 0, and alpha for all others; ours has weight"
                    ),
                    "weight": default("its mean divides by the number of elements, ours by the weights"),
                    "reduction": default(
                        "only its mean is one; its sum is over the means of samples and channels"
                    ),
                    "use_softmax": harmless(),
                    "ignore_index": goes("ignore_index", drop=[None]),
                },
                when={"use_softmax": [True]},
                differs="its mean divides by the number of classes as well, unless ignore_index is given: "
                "ours is C times that",
            ),
        ],
        Check("labels", "to_onehot_y=True, alpha=0.25, gamma=1.5"),
        Check("binary", "", "(x, t)"),
        Check("labels", "to_onehot_y=True, alpha=[0.1, 0.2, 0.3, 0.4]"),
        Check("labels", "to_onehot_y=True, weight=w"),
        Check("labels", 'to_onehot_y=True, reduction="sum"'),
        Check("labels", "to_onehot_y=True, include_background=False"),
        Check("labels, some ignored", "to_onehot_y=True, ignore_index=255"),
        Check("labels", "to_onehot_y=True, use_softmax=True, gamma=1.5"),
        Check("labels", "to_onehot_y=True, use_softmax=True, alpha=0.25"),
        Check("labels", "to_onehot_y=True, use_softmax=True, weight=w"),
        Check("labels", 'to_onehot_y=True, use_softmax=True, reduction="sum"'),
        Check("labels", "to_onehot_y=True, use_softmax=True, include_background=False"),
        Check(
            "labels, some ignored", "to_onehot_y=True, use_softmax=True, ignore_index=255", is_special=True
        ),
    ),
    _of_monai(
        "BoundaryLoss",
        "boundary_loss",
        {**_SHAPE, "other_act": None, **_REDUCTION, "batch": False},
        [
            case(
                is_("boundary_loss", activation="none"),
                {
                    **_shape(),
                    "reduction": default("only its mean is one; its sum is of means over positions"),
                    "batch": harmless(),
                },
                note=_LABELS,
            )
        ],
        Check("labels", _ONE_HOT),
        Check("labels", "to_onehot_y=True", _PROBABILITIES),
        Check("binary", "sigmoid=True", "(x, t)"),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("labels", f'{_ONE_HOT}, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, batch=True"),
    ),
    _of_monai(
        "HausdorffDTLoss",
        "hausdorff_loss",
        {
            "alpha": 2.0,
            "include_background": False,
            "to_onehot_y": False,
            "sigmoid": False,
            "softmax": False,
            "other_act": None,
            **_REDUCTION,
            "batch": False,
        },
        [
            case(
                is_("hausdorff_dt_loss", activation="none"),
                {
                    **_shape(),
                    "alpha": goes("alpha"),
                    "include_background": {
                        "drop": [True],
                        "differs": "it leaves class 0 out unless told; ours does by weight: [0, 1, ...]",
                    },
                    "reduction": default("only its mean is one; its sum is of means over positions"),
                    "batch": harmless(),
                },
                note=f"{_LABELS}; equal where both regions have boundaries",
            )
        ],
        Check("binary", "sigmoid=True, include_background=True", "(x, t)"),
        Check("labels", f"{_ONE_HOT}, include_background=True, alpha=1.5"),
        Check("labels", "to_onehot_y=True, include_background=True", _PROBABILITIES),
        Check("labels", f'{_ONE_HOT}, include_background=True, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, include_background=True, batch=True"),
        Check("labels", _ONE_HOT),
    ),
    _of_monai(
        "MCCLoss",
        "mcc_loss",
        {**_SHAPE, "other_act": None, **_REDUCTION, "smooth_nr": 0.0, "smooth_dr": 1e-5, "batch": False},
        [
            case(
                is_("mcc_loss", activation="none", smooth=0.0),
                {**_shape(), **_UNSMOOTHED, "reduction": goes("reduction"), "batch": goes("batch")},
                note=_LABELS,
            )
        ],
        Check("labels", f"{_ONE_HOT}, smooth_dr=0"),
        Check("labels", "to_onehot_y=True, smooth_dr=0", _PROBABILITIES),
        Check("binary", "sigmoid=True, smooth_dr=0, batch=True", "(x, t)"),
        Check("labels", f'{_ONE_HOT}, smooth_dr=0, reduction="sum"'),
        Check("labels", f"{_ONE_HOT}, smooth_dr=0, include_background=False"),
        Check("labels", f"{_ONE_HOT}, smooth_dr=1e5"),
        Check("labels", f"{_ONE_HOT}, smooth_nr=1e5, smooth_dr=0"),
        Check("labels", _ONE_HOT, is_special=True),
    ),
    _of_monai(
        "SoftclDiceLoss",
        "cldice",
        {
            "iter_": 3,
            "smooth_nr": 1.0,
            "smooth_dr": 1.0,
            "smooth": 1e-4,
            **_SHAPE,
            "other_act": None,
            **_REDUCTION,
        },
        [
            case(
                is_("soft_cldice_loss", activation="none"),
                {
                    **_shape(),
                    **_smooth("smooth"),
                    "iter_": goes("iterations"),
                    "smooth": {
                        "drop": [1e-12],
                        "differs": "it is added to the sum of precision and sensitivity; ours adds nothing",
                    },
                    "reduction": goes("reduction"),
                },
                differs="they are equal for one channel; with more it has the lines of all in one score",
            )
        ],
        Check("binary", "sigmoid=True", "(x, t)"),
        Check("binary", "sigmoid=True, smooth=1e-12, iter_=2", "(x, t)"),
        Check("binary", "", "(x.sigmoid(), t)"),
        Check("labels", f"{_ONE_HOT}, include_background=False"),
        Check("binary", "sigmoid=True, smooth_nr=2.0, smooth_dr=2.0", "(x, t)"),
        Check("binary", "sigmoid=True, smooth_nr=0.0, smooth_dr=20.0", "(x, t)"),
        Check("binary", 'sigmoid=True, reduction="sum"', "(x, t)"),
    ),
    _of_monai(
        "AsymmetricUnifiedFocalLoss",
        "unified_focal_loss",
        {
            "to_onehot_y": False,
            "num_classes": 2,
            "weight": 0.5,
            "gamma": 0.5,
            "delta": 0.7,
            **_REDUCTION,
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
        Check("labels of two classes", "to_onehot_y=True", _PROBABILITIES),
        Check("labels of two classes", "to_onehot_y=True, gamma=0.4, delta=0.6", _PROBABILITIES),
        Check("labels of two classes", "to_onehot_y=True, weight=0.3", _PROBABILITIES),
        Check("labels of two classes", 'to_onehot_y=True, reduction="sum"', _PROBABILITIES),
        unchecked=("num_classes", "ignore_index"),
    ),
    _of_monai(
        "DeepSupervisionLoss",
        "ds_loss",
        {"loss": NEEDED, "weight_mode": "exp", "weights": None},
        [
            case(
                {"deep_supervision": {}},
                {
                    "loss": {"takes": "loss", "to": "deep_supervision.loss"},
                    "weight_mode": default("ours has its weights from exp alone, or from a list"),
                },
                when={"weights": [None]},
                differs="its weights do not fall below 1/16, where ours go on from the sixth level",
            ),
            case(
                {"deep_supervision": {}},
                {
                    "loss": {"takes": "loss", "to": "deep_supervision.loss"},
                    "weight_mode": harmless(),
                    "weights": goes("deep_supervision.weights", takes="list"),
                },
            ),
        ],
        Check(
            "labels at several levels",
            f"monai.losses.DiceLoss({_ONE_HOT}), weights=[1.0, 0.7, 0.1]",
            "(x, t.unsqueeze(1).double())",
        ),
        Check(
            "labels at several levels",
            f'monai.losses.DiceLoss({_ONE_HOT}), weight_mode="same"',
            "(x, t.unsqueeze(1).double())",
        ),
        Check(
            "labels at several levels",
            f'monai.losses.DiceLoss({_ONE_HOT}), weight_mode="two", weights=[1.0, 0.5, 0.1]',
            "(x, t.unsqueeze(1).double())",
        ),
    ),
    _of_monai(
        "MaskedLoss",
        "spatial_mask",
        {"loss": NEEDED},
        [
            case(
                is_("masked"),
                {"loss": {"takes": "loss", "to": "params.loss"}},
                differs="it multiplies input and target by the mask: what is masked is perfect, and counts",
            )
        ],
        Check("values", "torch.nn.MSELoss", "(x, t, mask.unsqueeze(1))"),
    ),
]
