"""What losses of kornia are of ours."""

import math

from migration_record import NEEDED, Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]


def _of_kornia(name, module, parameters, cases, *checks, call="(x, t)", unchecked=()) -> Callable:
    names = [f"kornia.losses.{name}", f"kornia.losses.{module}.{name}"]
    return callable_of("kornia", names, parameters, cases, call=call, checks=checks, unchecked=unchecked)


def _robust(name: str, module: str, alpha: float) -> Callable:
    node = is_("adaptive_robust_loss", alpha=alpha)
    return _of_kornia(
        name,
        module,
        {"reduction": "none"},
        [case(node, {"reduction": goes("reduction")})],
        *(Check("values", each) for each in ("", '"mean"', 'reduction="sum"')),
    )


_EACH_FIRST = "it takes the mean of each sample first; equal where samples have equally many classes"
_WEIGHT = default("ours divides by the weights, and has them elsewhere")
_IGNORED = goes("ignore_index", drop=[-100, None], differs="its mean divides by what is ignored as well")

CALLABLES = [
    _robust("CharbonnierLoss", "charbonnier", 1.0),
    _robust("CauchyLoss", "cauchy", 0.0),
    _robust("GemanMcclureLoss", "geman_mcclure", -2.0),
    _robust("WelschLoss", "welsch", -math.inf),
    _of_kornia(
        "DiceLoss",
        "dice",
        {"average": "micro", "eps": 1e-8, "weight": None, "ignore_index": -100},
        [
            case(
                is_("generalized_dice_loss", class_weighting="equal", smooth=0.0),
                {
                    "average": harmless(),
                    "eps": default("ours has no such floor"),
                    "weight": _WEIGHT,
                    "ignore_index": goes("ignore_index"),
                },
                when={"average": ["micro"]},
            ),
            case(
                is_("dice_loss", smooth=0.0, empty="skip"),
                {
                    "average": harmless(),
                    "eps": default("ours has no such floor"),
                    "weight": _WEIGHT,
                    "ignore_index": goes("ignore_index"),
                },
                when={"average": ["macro"]},
                differs=_EACH_FIRST,
            ),
        ],
        Check("labels", ""),
        Check("labels, one absent", ""),
        Check("labels, some ignored", "ignore_index=255"),
        Check("labels", "eps=50.0"),
        Check("labels", "weight=w"),
        Check("labels, unequally many", '"macro"'),
        Check("labels, unequally many", '"macro", ignore_index=255'),
        Check("labels", '"macro", eps=50.0'),
        Check("labels", '"macro", weight=w'),
    ),
    _of_kornia(
        "TverskyLoss",
        "tversky",
        {"alpha": NEEDED, "beta": NEEDED, "eps": 1e-8, "ignore_index": -100},
        [
            case(
                is_("tversky_loss", smooth=0.0, empty="skip"),
                {
                    "alpha": goes("alpha"),
                    "beta": goes("beta"),
                    "eps": default("ours has no such floor"),
                    "ignore_index": goes("ignore_index"),
                },
                differs=_EACH_FIRST,
            )
        ],
        Check("labels, unequally many", "0.3, 0.7"),
        Check("labels, unequally many", "0.3, 0.7, ignore_index=255"),
        Check("labels", "0.3, 0.7, eps=50.0"),
    ),
    _of_kornia(
        "FocalLoss",
        "focal",
        {"alpha": NEEDED, "gamma": 2.0, "reduction": "none", "weight": None, "ignore_index": -100},
        [
            case(
                is_("focal_loss"),
                {
                    "alpha": {
                        "drop": [None],
                        "differs": "it is 1 - alpha for class 0, and alpha for all others: ours has weight",
                    },
                    "gamma": goes("gamma"),
                    "reduction": {
                        "to": "params.reduction",
                        "map": [["sum", "sum"]],
                        "differs": "its none has zeros for all other classes, and its mean counts them: "
                        "ours is C times that",
                    },
                    "weight": _WEIGHT,
                    "ignore_index": goes("ignore_index"),
                },
            )
        ],
        Check("labels", 'None, 1.5, "sum"'),
        Check("labels", 'None, 2.0, "mean"'),
        Check("labels", "None"),
        Check("labels", '0.25, 2.0, "sum"'),
        Check("labels", 'None, 2.0, "sum", weight=w'),
        Check("labels, some ignored", 'None, 2.0, "sum", ignore_index=255'),
    ),
    _of_kornia(
        "BinaryFocalLossWithLogits",
        "focal",
        {
            "alpha": NEEDED,
            "gamma": 2.0,
            "reduction": "none",
            "pos_weight": None,
            "weight": None,
            "ignore_index": -100,
        },
        [
            case(
                is_("focal_loss"),
                {
                    "alpha": goes("alpha", drop=[None]),
                    "gamma": goes("gamma"),
                    "reduction": goes("reduction"),
                    "pos_weight": default("ours has alpha for that"),
                    "weight": _WEIGHT,
                    "ignore_index": _IGNORED,
                },
                note="for targets of 0 and 1; the two differ where targets are between them",
            )
        ],
        Check("binary", '0.25, 1.5, "mean"'),
        Check("binary", "0.25"),
        Check("binary", 'None, 2.0, "sum"'),
        Check("flat binary", '0.25, 2.0, "mean", pos_weight=w'),
        Check("flat binary", '0.25, 2.0, "mean", weight=w'),
        Check("binary, some ignored", '0.25, 2.0, "mean", ignore_index=255'),
    ),
    _of_kornia(
        "LovaszHingeLoss",
        "lovasz_hinge",
        {},
        [case(is_("lovasz_hinge_loss"), note="for its one channel; the target has that channel here")],
        Check("binary, one channel", "", "(x, t[:, 0])"),
    ),
    _of_kornia(
        "LovaszSoftmaxLoss",
        "lovasz_softmax",
        {"weight": None},
        [case(is_("lovasz_softmax_loss", empty="score"), {"weight": _WEIGHT})],
        Check("labels", ""),
        Check("labels, one absent", ""),
        Check("labels", "weight=w"),
    ),
    _of_kornia(
        "HausdorffERLoss",
        "hausdorff",
        {"alpha": 2.0, "k": 10, "reduction": "mean"},
        [
            case(
                is_("hausdorff_dt_loss", activation="none"),
                {
                    "alpha": goes("alpha"),
                    "k": default("ours has distances, and no erosions to count"),
                    "reduction": goes("reduction"),
                },
                differs="its distances are counts of erosions that take the error itself, and are normalised",
            )
        ],
        Check("labels", "", "(x.softmax(1), t.unsqueeze(1))"),
        Check("labels", 'alpha=1.5, k=5, reduction="sum"', "(x.softmax(1), t.unsqueeze(1))"),
    ),
]
