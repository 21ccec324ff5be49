"""What losses of torch and torchvision are of ours."""

from migration_record import Callable, Check, callable_of, case, default, goes, is_

__all__ = ["CALLABLES"]

_OLD = {"size_average": None, "reduce": None}
_REDUCTION = {"reduction": goes("reduction")}
_LIST = {"drop": [None], "takes": "list"}
_WEIGHT = goes(
    "weight",
    differs="ours divides the mean by the weights of what counts, torch by the number of elements",
    **_LIST,
)
_PER_CLASS = "pos_weight is one number per class here, without the dimensions of space that torch wants"
_POS_WEIGHT = goes("pos_weight", drop=[None], takes="numbers", otherwise=_PER_CLASS)


def _of_torch(name, parameters, cases, checks, *, call="(x, t)", unchecked=()) -> Callable:
    names = [f"torch.nn.{name}", f"torch.nn.modules.loss.{name}"]
    return callable_of(
        "torch",
        names,
        parameters,
        cases,
        call=call,
        checks=checks,
        unchecked={"size_average", "reduce", *unchecked},
    )


def _of_differences(name: str, ours: str, parameters: dict[str, object], *checks: str) -> Callable:
    rules = {name: goes(name) for name in parameters if name not in _OLD}
    every = ["", 'reduction="sum"', 'reduction="none"', *checks]
    return _of_torch(name, parameters, [case(is_(ours), rules)], [Check("values", each) for each in every])


CALLABLES = [
    _of_differences("L1Loss", "l1_loss", {**_OLD, "reduction": "mean"}),
    _of_differences("MSELoss", "mse_loss", {**_OLD, "reduction": "mean"}),
    _of_differences("SmoothL1Loss", "smooth_l1_loss", {**_OLD, "reduction": "mean", "beta": 1.0}, "beta=0.5"),
    _of_differences("HuberLoss", "huber_loss", {"reduction": "mean", "delta": 1.0}, "delta=0.5"),
    _of_torch(
        "GaussianNLLLoss",
        {"full": False, "eps": 1e-6, "reduction": "mean"},
        [case(is_("gaussian_nll_loss"), {"full": goes("full"), "eps": goes("eps"), **_REDUCTION})],
        [Check("values", each) for each in ("", "full=True", "eps=0.5", 'reduction="sum"')],
        call="(x, t, var=var)",
    ),
    _of_torch(
        "CrossEntropyLoss",
        {
            "weight": None,
            "size_average": None,
            "ignore_index": -100,
            "reduce": None,
            "reduction": "mean",
            "label_smoothing": 0.0,
        },
        [
            case(
                is_("cross_entropy_loss"),
                {
                    "weight": goes("weight", **_LIST),
                    "ignore_index": goes("ignore_index"),
                    "label_smoothing": goes("label_smoothing"),
                    **_REDUCTION,
                },
            )
        ],
        [
            Check("labels", ""),
            Check("distributions", ""),
            Check("labels, some ignored", "ignore_index=255"),
            Check("labels, some ignored", 'ignore_index=255, reduction="sum", weight=w'),
            Check("labels", "weight=w, label_smoothing=0.1"),
            Check("labels", 'reduction="none"'),
        ],
    ),
    _of_torch(
        "NLLLoss",
        {
            "weight": None,
            "size_average": None,
            "ignore_index": -100,
            "reduce": None,
            "reduction": "mean",
        },
        [
            case(
                is_("cross_entropy_loss"),
                {"weight": goes("weight", **_LIST), "ignore_index": goes("ignore_index"), **_REDUCTION},
                differs="it takes logarithms of probabilities, ours takes logits",
            )
        ],
        [
            Check("labels", "", "(x, t)"),
            Check("labels", "weight=w", "(x, t)"),
            Check("labels", 'reduction="sum"', "(x, t)"),
            Check("labels, some ignored", "ignore_index=255", "(x, t)"),
        ],
    ),
    _of_torch(
        "BCEWithLogitsLoss",
        {"weight": None, **_OLD, "reduction": "mean", "pos_weight": None},
        [
            case(
                is_("bce_loss"),
                {"weight": _WEIGHT, "pos_weight": _POS_WEIGHT, **_REDUCTION},
                when={"pos_weight": [None]},
            ),
            case(
                is_("bce_loss"), {"weight": _WEIGHT, "pos_weight": _POS_WEIGHT, **_REDUCTION}, note=_PER_CLASS
            ),
        ],
        [
            Check("soft", ""),
            Check("soft", 'reduction="sum"'),
            Check("soft", 'reduction="none"'),
            Check("flat soft", "pos_weight=w"),
            Check("flat soft", "weight=w"),
            Check("flat soft", 'pos_weight=w, reduction="sum"'),
            Check("flat soft", "pos_weight=w, weight=w"),
        ],
    ),
    _of_torch(
        "BCELoss",
        {"weight": None, **_OLD, "reduction": "mean"},
        [
            case(
                is_("bce_loss"),
                {"weight": _WEIGHT, **_REDUCTION},
                differs="it takes probabilities, ours takes logits: leave the model's last sigmoid out",
            )
        ],
        [
            Check("soft", "", "(x.sigmoid(), t)"),
            Check("flat soft", "weight=w", "(x.sigmoid(), t)"),
            Check("soft", 'reduction="sum"', "(x.sigmoid(), t)"),
        ],
    ),
    _of_torch(
        "MultiLabelSoftMarginLoss",
        {"weight": None, **_OLD, "reduction": "mean"},
        [
            case(
                is_("bce_loss"),
                {
                    "weight": _WEIGHT,
                    "reduction": default(
                        "its sum and none have the mean over the classes; ours have the sum"
                    ),
                },
            )
        ],
        [
            Check("flat binary", ""),
            Check("flat binary", "weight=w"),
            Check("flat binary", 'reduction="sum"'),
        ],
    ),
    callable_of(
        "torchvision",
        ["torchvision.ops.sigmoid_focal_loss", "torchvision.ops.focal_loss.sigmoid_focal_loss"],
        {"alpha": 0.25, "gamma": 2, "reduction": "none"},
        [
            case(
                is_("focal_loss"),
                {
                    "alpha": goes("alpha", map=[[-1, None]], takes="number"),
                    "gamma": goes("gamma"),
                    **_REDUCTION,
                },
                note="for targets of 0 and 1; the two differ where targets are between them",
            )
        ],
        call="(x, t)",
        checks=[
            Check("binary", ""),
            Check("binary", 'reduction="mean"'),
            Check("binary", "alpha=-1, reduction='mean'"),
            Check("binary", "alpha=0.75, gamma=1.5, reduction='sum'"),
        ],
    ),
]
