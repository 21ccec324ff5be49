"""What losses of timm are of ours."""

from migration_record import Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]


def _of_timm(name, module, parameters, cases=(), *checks, missing="") -> Callable:
    names = [f"timm.loss.{name}", f"timm.loss.{module}.{name}"]
    return callable_of("timm", names, parameters, cases, checks=checks, missing=missing)


_SMOOTHING = default("ours has no smoothing of binary targets: smooth the target")

CALLABLES = [
    _of_timm(
        "LabelSmoothingCrossEntropy",
        "cross_entropy",
        {"smoothing": 0.1},
        [case(is_("cross_entropy_loss"), {"smoothing": goes("label_smoothing")})],
        Check("flat labels", ""),
        Check("flat labels", "smoothing=0.2"),
    ),
    _of_timm(
        "SoftTargetCrossEntropy",
        "cross_entropy",
        {},
        [case(is_("cross_entropy_loss"))],
        Check("flat distributions", ""),
    ),
    _of_timm(
        "JsdCrossEntropy",
        "jsd",
        {"num_splits": 3, "alpha": 12, "smoothing": 0.1},
        missing="it compares several views of each sample, which none of ours does",
    ),
    _of_timm(
        "BinaryCrossEntropy",
        "binary_cross_entropy",
        {
            "smoothing": 0.1,
            "target_threshold": None,
            "weight": None,
            "reduction": "mean",
            "sum_classes": False,
            "pos_weight": None,
            "smooth_dense": False,
        },
        [
            case(
                is_("bce_loss"),
                {
                    "smoothing": harmless(),
                    "target_threshold": default("ours takes targets as they are"),
                    "weight": default("ours divides by the weights, it by the number of elements"),
                    "reduction": goes("reduction"),
                    "sum_classes": default("ours has the mean over classes"),
                    "pos_weight": goes("pos_weight", drop=[None], takes="numbers"),
                    "smooth_dense": _SMOOTHING,
                },
                note="for targets of the input's shape, which it does not smooth; labels are not taken here",
            )
        ],
        Check("flat soft", ""),
        Check("flat soft", 'smoothing=0.2, reduction="sum"'),
        Check("flat soft", "pos_weight=w"),
        Check("flat soft", "weight=w"),
        Check("flat soft", "target_threshold=0.5"),
        Check("flat soft", "sum_classes=True"),
        Check("flat soft", "smooth_dense=True"),
    ),
    _of_timm(
        "PolyCrossEntropy",
        "poly_loss",
        {"epsilon": 2.0, "smoothing": 0.0, "reduction": "mean"},
        [
            case(
                is_("poly_loss", activation="softmax"),
                {
                    "epsilon": goes("epsilon"),
                    "smoothing": default("ours has no smoothing here"),
                    "reduction": goes("reduction"),
                },
            )
        ],
        Check("flat distributions", ""),
        Check("flat labels", 'epsilon=1.5, reduction="sum"'),
        Check("flat labels", "smoothing=0.1"),
    ),
    _of_timm(
        "PolyBinaryCrossEntropy",
        "poly_loss",
        {"epsilon": 2.0, "gamma": 0.0, "alpha": None, "smoothing": 0.0, "reduction": "mean"},
        [
            case(
                is_("poly_loss", activation="sigmoid"),
                {
                    "epsilon": goes("epsilon"),
                    "gamma": default("ours is that of cross entropy alone"),
                    "alpha": default("ours is that of cross entropy alone"),
                    "smoothing": _SMOOTHING,
                    "reduction": goes(
                        "reduction",
                        only=["mean", "sum", "none"],
                        otherwise="it adds up over classes and divides by the batch",
                    ),
                },
            )
        ],
        Check("flat soft", ""),
        Check("flat binary", 'epsilon=1.0, reduction="sum"'),
        Check("flat binary", "gamma=2.0"),
        Check("flat binary", "alpha=0.25"),
        Check("flat binary", "smoothing=0.1"),
        Check("flat binary", 'reduction="batchmean"'),
    ),
    _of_timm(
        "AsymmetricLossMultiLabel",
        "asymmetric_loss",
        {
            "gamma_neg": 4,
            "gamma_pos": 1,
            "clip": 0.05,
            "eps": 1e-8,
            "disable_torch_grad_focal_loss": False,
            "smoothing": 0.0,
            "reduction": "batchmean",
            "weight": None,
            "pos_weight": None,
        },
        [
            case(
                is_("asymmetric_loss"),
                {
                    "gamma_neg": goes("gamma_negative"),
                    "gamma_pos": goes("gamma_positive"),
                    "clip": goes("margin", map=[[None, 0.0]]),
                    "eps": default("ours has no such floor"),
                    "disable_torch_grad_focal_loss": default("ours has the gradient of all of it"),
                    "smoothing": _SMOOTHING,
                    "reduction": goes(
                        "reduction",
                        only=["mean", "sum", "none"],
                        otherwise="it adds up over classes and divides by the batch: C times our mean",
                    ),
                    "weight": default("ours divides by the weights, it by the number of elements"),
                    "pos_weight": default("ours has no such weight"),
                },
            )
        ],
        Check("flat binary", ""),
        Check("flat binary", 'reduction="mean"'),
        Check("flat binary", 'reduction="sum", gamma_neg=3, gamma_pos=0, clip=0.1'),
        Check("flat binary", 'reduction="mean", clip=None'),
        Check("flat binary", 'reduction="mean", eps=0.3'),
        Check("flat binary", 'reduction="mean", disable_torch_grad_focal_loss=True'),
        Check("flat binary", 'reduction="mean", smoothing=0.1'),
        Check("flat binary", 'reduction="mean", weight=w'),
        Check("flat binary", 'reduction="mean", pos_weight=2.0'),
    ),
    _of_timm(
        "AsymmetricLossSingleLabel",
        "asymmetric_loss",
        {"gamma_pos": 1, "gamma_neg": 4, "eps": 0.1, "reduction": "mean"},
        [
            case(
                is_("focal_loss", activation="softmax"),
                {
                    "gamma_pos": goes("gamma"),
                    "gamma_neg": harmless(),
                    "eps": harmless(),
                    "reduction": default("it has no other than mean"),
                },
                when={"gamma_neg": [0], "eps": [0]},
            ),
        ],
        Check("flat labels", "gamma_pos=2, gamma_neg=0, eps=0"),
        Check("flat labels", 'gamma_pos=1, gamma_neg=0, eps=0, reduction="none"'),
        missing="its gamma_neg is that of the other classes, and its eps smooths labels; it is the focal "
        "loss with gamma_neg=0 and eps=0",
    ),
]
