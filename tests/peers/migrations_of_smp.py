"""What losses of segmentation-models-pytorch are of ours."""

from collections.abc import Mapping

from migration_record import NEEDED, Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]

_MODES = ("binary", "multiclass", "multilabel")
_PARAMETERS = {
    "mode": NEEDED,
    "classes": None,
    "log_loss": False,
    "from_logits": True,
    "smooth": 0.0,
    "ignore_index": None,
    "eps": 1e-7,
    "class_weights": None,
}
_RULES = {
    "mode": harmless(),
    "classes": default("ours leaves a class out by weight: [0, 1, ...], with one number per class"),
    "log_loss": default("ours is one minus the score, and not the logarithm of it"),
    "from_logits": goes("activation", drop=[True], map=[[False, "none"]]),
    "ignore_index": goes("ignore_index", drop=[None]),
    "eps": default("ours has no such floor"),
    "class_weights": goes("weight", drop=[None], takes="list"),
}


def _of_smp(
    name: str,
    module: str,
    parameters: Mapping[str, object],
    cases: list[dict[str, object]],
    *checks: Check,
    call: str = "(x, t)",
    unchecked: tuple[str, ...] = (),
) -> Callable:
    names = [
        f"{package}.losses.{inner}{name}"
        for package in ("smp", "segmentation_models_pytorch")
        for inner in ("", f"{module}.")
    ]
    return callable_of("smp", names, parameters, cases, call=call, checks=checks, unchecked=unchecked)


_PER_CLASS = "pos_weight is one number per class here, without the dimensions of space"
_POOLED = {"batch": True, "empty": "zero"}


def _overlap_checks(extra: str = "") -> list[Check]:
    multi = f'"multiclass"{extra}'
    return [
        Check("labels, one absent", multi),
        Check("labels", f"{multi}, smooth=50.0"),
        Check("binary, one channel", f'"binary"{extra}, smooth=1.0'),
        Check("binary", f'"multilabel"{extra}, smooth=1.0'),
        Check("labels", f"{multi}, classes=[1, 2]"),
        Check("labels", f"{multi}, log_loss=True"),
        Check("labels", f"{multi}, from_logits=False", "(x.softmax(1), t)"),
        Check("binary", f'"multilabel"{extra}, from_logits=False', "(x.sigmoid(), t)"),
        Check("labels, some ignored", f"{multi}, ignore_index=255"),
        Check("labels", f"{multi}, eps=1000.0"),
        Check("labels", f"{multi}, class_weights=[1.0, 2.0, 0.5, 0.25]"),
    ]


CALLABLES = [
    _of_smp(
        "DiceLoss",
        "dice",
        _PARAMETERS,
        [case(is_("dice_loss", **_POOLED), {**_RULES, "smooth": goes("smooth", by="twice")})],
        *_overlap_checks(),
    ),
    _of_smp(
        "JaccardLoss",
        "jaccard",
        _PARAMETERS,
        [case(is_("jaccard_loss", **_POOLED), {**_RULES, "smooth": goes("smooth")})],
        *_overlap_checks(),
    ),
    _of_smp(
        "TverskyLoss",
        "tversky",
        {
            **{name: value for name, value in _PARAMETERS.items() if name != "class_weights"},
            "alpha": 0.5,
            "beta": 0.5,
            "gamma": 1.0,
            "class_weights": None,
        },
        [
            case(
                is_("tversky_loss", **_POOLED),
                {
                    **_RULES,
                    "smooth": goes("smooth"),
                    "alpha": goes("alpha"),
                    "beta": goes("beta"),
                    "gamma": harmless(),
                },
                when={"gamma": [1]},
            ),
            *(
                case(
                    is_("focal_tversky_loss", **_POOLED),
                    {
                        **_RULES,
                        "smooth": goes("smooth"),
                        "alpha": goes("alpha"),
                        "beta": goes("beta"),
                        "gamma": goes("gamma", by="reciprocal"),
                        **more,
                    },
                    when={"mode": modes},
                    differs=differs,
                )
                for modes, more, differs in (
                    (_MODES[:1], {"classes": harmless(), "class_weights": harmless()}, ""),
                    (
                        _MODES[1:],
                        {},
                        "it raises the mean over classes to the power, ours each class; equal for one",
                    ),
                )
            ),
        ],
        *_overlap_checks(", alpha=0.3, beta=0.7"),
        Check("binary, one channel", '"binary", smooth=1.0, alpha=0.3, beta=0.7, gamma=0.75'),
        Check("binary, one channel", '"binary", smooth=1.0, gamma=0.75, log_loss=True'),
        Check(
            "binary, one channel", '"binary", smooth=1.0, gamma=0.75, from_logits=False', "(x.sigmoid(), t)"
        ),
        Check("binary, one channel, some ignored", '"binary", smooth=1.0, gamma=0.75, ignore_index=255'),
        Check("binary, one channel", '"binary", gamma=0.75, eps=1000.0'),
        *(
            Check("labels", f'"multiclass", alpha=0.3, beta=0.7, gamma=0.75, smooth=1.0{more}')
            for more in (
                "",
                ", classes=[1, 2]",
                ", log_loss=True",
                ", eps=1000.0",
                ", class_weights=[1.0, 2.0, 0.5, 0.25]",
                ", ignore_index=3",
            )
        ),
        Check("labels", '"multiclass", gamma=0.75, smooth=1.0, from_logits=False', "(x.softmax(1), t)"),
    ),
    _of_smp(
        "FocalLoss",
        "focal",
        {
            "mode": NEEDED,
            "alpha": None,
            "gamma": 2.0,
            "ignore_index": None,
            "from_logits": True,
            "eps": 1e-7,
            "reduction": "mean",
            "normalized": False,
            "reduced_threshold": None,
            "class_weights": None,
        },
        [
            case(
                is_("focal_loss", activation="sigmoid"),
                {
                    "mode": harmless(),
                    "alpha": goes("alpha", drop=[None]),
                    "gamma": goes("gamma"),
                    "ignore_index": goes("ignore_index", drop=[None]),
                    "from_logits": default("it takes probabilities, ours logits"),
                    "eps": harmless(),
                    "reduction": default("its sum has the mean over the classes, and its none lists them"),
                    "normalized": default("ours has no such form"),
                    "reduced_threshold": default("ours has no such form"),
                    "class_weights": default("its mean is weighed class by class, ours position by position"),
                },
                note="for targets of 0 and 1; the two differ where targets are between them",
            )
        ],
        Check("labels", '"multiclass", alpha=0.25, gamma=1.5'),
        Check("binary", '"multilabel", alpha=0.25'),
        Check("binary, one channel", '"binary"'),
        Check("labels, some ignored", '"multiclass", ignore_index=255'),
        Check("binary", '"multilabel", from_logits=False', "(x.sigmoid(), t)"),
        Check("binary", '"multilabel", eps=1e-3'),
        Check("binary", '"multilabel", reduction="sum"'),
        Check("binary", '"multilabel", normalized=True'),
        Check("binary", '"multilabel", reduced_threshold=0.5'),
        Check("labels", '"multiclass", class_weights=[1.0, 2.0, 0.5, 0.25]'),
    ),
    _of_smp(
        "LovaszLoss",
        "lovasz",
        {"mode": NEEDED, "per_image": False, "ignore_index": None, "from_logits": True},
        [
            case(
                is_(name),
                {
                    "mode": harmless(),
                    "per_image": goes("batch", map=[[True, False], [False, True]]),
                    "ignore_index": goes("ignore_index", drop=[None]),
                    "from_logits": harmless(),
                },
                when=when,
                differs=differs,
            )
            for name, when, differs in (
                ("lovasz_hinge_loss", {"mode": ["binary"]}, ""),
                (
                    "lovasz_hinge_loss",
                    {"mode": ["multilabel"]},
                    "it has all channels in one score, ours a score for each; equal for one channel",
                ),
                ("lovasz_softmax_loss", {"mode": ["multiclass"], "per_image": [False]}, ""),
                (
                    "lovasz_softmax_loss",
                    {"mode": ["multiclass"]},
                    "it takes the mean of each sample first; equal where samples have equally many classes",
                ),
            )
        ],
        Check("binary, one channel", '"binary"'),
        Check("binary, one channel", '"binary", per_image=True, from_logits=False'),
        Check("binary, one channel, some ignored", '"binary", ignore_index=255'),
        Check("binary", '"multilabel"'),
        Check("binary", '"multilabel", per_image=True, from_logits=False, ignore_index=255'),
        Check("labels", '"multiclass", from_logits=False'),
        Check("labels, some ignored", '"multiclass", ignore_index=255'),
        Check("labels, unequally many", '"multiclass", per_image=True, ignore_index=255, from_logits=False'),
        call="(x.float(), t)",
    ),
    _of_smp(
        "SoftBCEWithLogitsLoss",
        "soft_bce",
        {
            "weight": None,
            "ignore_index": -100,
            "reduction": "mean",
            "smooth_factor": None,
            "pos_weight": None,
        },
        [
            case(
                is_("bce_loss"),
                {
                    "weight": goes(
                        "weight",
                        drop=[None],
                        takes="list",
                        differs="ours divides by the weights of what counts, it by the number of elements",
                    ),
                    "ignore_index": goes(
                        "ignore_index",
                        drop=[None, -100],
                        differs="its mean divides by what is ignored as well",
                    ),
                    "reduction": goes("reduction"),
                    "smooth_factor": {
                        "drop": [None, 0],
                        "differs": "ours has no smoothing of binary targets: smooth the target",
                    },
                    "pos_weight": goes("pos_weight", drop=[None], takes="numbers", otherwise=_PER_CLASS),
                },
                note="nothing is ignored unless it is asked for; there, -100",
            )
        ],
        Check("soft", ""),
        Check("soft", 'reduction="sum"'),
        Check("flat soft", "pos_weight=w"),
        Check("flat soft", "weight=w"),
        Check("soft", "smooth_factor=0.1"),
        Check("binary, some ignored", "ignore_index=255"),
    ),
    _of_smp(
        "SoftCrossEntropyLoss",
        "soft_ce",
        {"reduction": "mean", "smooth_factor": None, "ignore_index": -100, "dim": 1},
        [
            case(
                is_("cross_entropy_loss"),
                {
                    "reduction": goes("reduction"),
                    "smooth_factor": goes("label_smoothing", drop=[None]),
                    "ignore_index": goes(
                        "ignore_index",
                        drop=[None, -100],
                        differs="its mean divides by what is ignored as well",
                    ),
                    "dim": default("ours has the classes in the second dimension"),
                },
                note="nothing is ignored unless it is asked for; there, -100",
            )
        ],
        Check("labels", "smooth_factor=0.1"),
        Check("labels", 'smooth_factor=0.0, reduction="sum"'),
        Check("labels, some ignored", "smooth_factor=0.0, ignore_index=255"),
        unchecked=("dim",),
    ),
    _of_smp(
        "MCCLoss",
        "mcc",
        {"eps": 1e-5},
        [
            case(
                is_("mcc_loss", activation="none", smooth=0.0, batch=True),
                {
                    "eps": {
                        "drop": [0],
                        "differs": "it is added to all four counts; ours is another smoothing",
                    }
                },
                note="for one channel, of probabilities, as there",
            )
        ],
        Check("binary, one channel", "eps=0.0", "(x.sigmoid(), t)"),
        Check("binary, one channel", "eps=1.0", "(x.sigmoid(), t)"),
        Check("binary, one channel", "", "(x.sigmoid(), t)", is_special=True),
    ),
]
