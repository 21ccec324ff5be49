"""What MONAI's losses share: switches that say what they make of input and target."""

from collections.abc import Mapping

from migration_record import Callable, Check, callable_of, default, goes, harmless

__all__ = [
    "CALL",
    "DICE",
    "FOCAL_SUM",
    "HARD",
    "LABELS",
    "LAMBDAS",
    "OF_TWO",
    "ONE_HOT",
    "OVERLAP",
    "PROBABILITIES",
    "REDUCTION",
    "RULES",
    "SHAPE",
    "SMOOTH",
    "UNSMOOTHED",
    "WEIGHT",
    "WEIGHT_OF_BOTH",
    "of_monai",
    "shape",
    "smooth",
]

LABELS = "labels have no channel of their own here: (B, *S), not (B, 1, *S)"
HARD = f"{LABELS}; with targets between 0 and 1 ours is what soft_label=True is there"
CALL = "(x, t.unsqueeze(1))"
PROBABILITIES = "(x.softmax(1), t.unsqueeze(1))"
ONE_HOT = "softmax=True, to_onehot_y=True"

SHAPE = {"include_background": True, "to_onehot_y": False, "sigmoid": False, "softmax": False}
REDUCTION = {"reduction": "mean"}
SMOOTH = {"smooth_nr": 1e-5, "smooth_dr": 1e-5}
OVERLAP = {"squared_pred": False, "jaccard": False}


def shape(at: str = "params") -> dict[str, dict[str, object]]:
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


def smooth(to: str, **about: object) -> dict[str, dict[str, object]]:
    return {
        "smooth_nr": goes(to, **about),
        "smooth_dr": {"same_as": "smooth_nr", "differs": "ours has one smooth for both"},
    }


UNSMOOTHED = {
    "smooth_nr": {"drop": [0], "differs": "the smoothings are different ones; ours is 0 where theirs are 0"},
    "smooth_dr": {"drop": [0], "differs": "the smoothings are different ones; ours is 0 where theirs are 0"},
}
WEIGHT = goes(
    "weight",
    drop=[None],
    takes="list",
    differs="its mean divides by the number of classes, ours by the weights",
)
WEIGHT_OF_BOTH = default("it weighs both losses, and divides their means by the number of classes")
RULES = {
    "squared_pred": default("its sizes are sums of squares; ours has no such form"),
    "jaccard": default("ours has no sum with that"),
    "reduction": goes("reduction"),
    "batch": goes("batch"),
    "ignore_index": goes("ignore_index", drop=[None]),
    "soft_label": harmless(),
}


def of_monai(
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
        call=CALL,
        checks=checks,
        missing=missing,
        unchecked={"other_act", *unchecked},
    )


DICE = {
    **SHAPE,
    "other_act": None,
    **OVERLAP,
    **REDUCTION,
    **SMOOTH,
    "batch": False,
    "weight": None,
    "soft_label": False,
    "ignore_index": None,
}
OF_TWO = {**SHAPE, "other_act": None, **OVERLAP, **REDUCTION, **SMOOTH, "batch": False}

FOCAL_SUM = {
    "gamma": goes("sum.focal.params.gamma"),
    "lambda_focal": goes("sum.focal.weight"),
    "weight": WEIGHT_OF_BOTH,
    "reduction": default("only its mean is one; its sum is over means"),
}
LAMBDAS = {"lambda_dice": goes("sum.dice.weight"), "alpha": goes("sum.focal.params.alpha", drop=[None])}
