"""What losses of pytorch-optimizer are of ours."""

from migration_record import NEEDED, Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]


def _of_optimizer(name, module, parameters, cases=(), *checks, missing="") -> Callable:
    names = [f"pytorch_optimizer.{place}{name}" for place in ("loss.", f"loss.{module}.", "")]
    return callable_of("pytorch_optimizer", names, parameters, cases, checks=checks, missing=missing)


_SMOOTHING = default("ours has no smoothing of binary targets: smooth the target")
_PROBABILITIES = "it takes probabilities, ours takes logits: leave the model's last sigmoid out"
_ONE_SCORE = "it has one score for all channels and samples together: equal for one channel"
_SIGMOID = "(x.sigmoid(), t)"

_SEGMENTED = {
    "classes": default("ours leaves a class out by weight: [0, 1, ...], with one number per class"),
    "log_loss": default("ours is one minus the score, and not the logarithm of it"),
    "from_logits": goes("activation", drop=[True], map=[[False, "none"]]),
    "label_smooth": goes("smooth"),
    "ignore_index": goes("ignore_index", drop=[None]),
    "eps": default("ours has no such floor"),
    "mode": harmless(),
}


def _segmented(name: str, ours: str, mode: object, **more: object) -> Callable:
    parameters = {
        "mode": mode,
        "classes": None,
        "log_loss": False,
        "from_logits": True,
        "label_smooth": 0.0,
        **more,
        "eps": 1e-6,
    }
    rules = {name: rule for name, rule in _SEGMENTED.items() if name in parameters}
    return _of_optimizer(
        name,
        name.removesuffix("Loss").lower(),
        parameters,
        [case(is_(ours, batch=True, empty="zero"), rules)],
        Check("labels, one absent", '"multiclass"'),
        Check("binary, one channel", '"binary", label_smooth=1.0'),
        Check("binary", '"multilabel", label_smooth=50.0'),
        Check("labels", '"multiclass", classes=[1, 2]'),
        Check("labels", '"multiclass", log_loss=True'),
        Check("labels", '"multiclass", from_logits=False', "(x.softmax(1), t)"),
        Check("labels", '"multiclass", eps=1000.0'),
        *([Check("labels, some ignored", '"multiclass", ignore_index=255')] if more else []),
    )


CALLABLES = [
    _segmented("DiceLoss", "dice_loss", "binary", ignore_index=None),
    _segmented("JaccardLoss", "jaccard_loss", NEEDED),
    _of_optimizer(
        "BCELoss",
        "cross_entropy",
        {"label_smooth": 0.0, "eps": 1e-6, "reduction": "mean"},
        [
            case(
                is_("bce_loss"),
                {"label_smooth": _SMOOTHING, "eps": harmless(), "reduction": goes("reduction")},
                differs=_PROBABILITIES,
            )
        ],
        Check("soft", "", _SIGMOID),
        Check("soft", 'label_smooth=0.1, eps=1e-5, reduction="sum"', _SIGMOID),
    ),
    _of_optimizer(
        "FocalLoss",
        "focal",
        {"alpha": 1.0, "gamma": 2.0},
        [
            case(
                is_("focal_loss"),
                {
                    "alpha": {
                        "drop": [1],
                        "differs": "it weighs the whole loss; ours weighs ones against zeros",
                    },
                    "gamma": goes("gamma"),
                },
                note="for targets of 0 and 1; the two differ where targets are between them",
            )
        ],
        Check("binary", ""),
        Check("binary", "gamma=1.5"),
        Check("binary", "alpha=0.25"),
    ),
    _of_optimizer(
        "BCEFocalLoss",
        "focal",
        {"alpha": 0.25, "gamma": 2.0, "label_smooth": 0.0, "eps": 1e-6, "reduction": "mean"},
        [
            case(
                is_("focal_loss"),
                {
                    "alpha": goes("alpha"),
                    "gamma": goes("gamma"),
                    "label_smooth": _SMOOTHING,
                    "eps": harmless(),
                    "reduction": goes("reduction"),
                },
                differs=_PROBABILITIES,
            )
        ],
        Check("binary", "", _SIGMOID),
        Check("binary", 'alpha=0.5, gamma=1.5, label_smooth=0.1, eps=1e-5, reduction="sum"', _SIGMOID),
    ),
    _of_optimizer(
        "TverskyLoss",
        "tversky",
        {"alpha": 0.5, "beta": 0.5, "smooth": 1e-6},
        [
            case(
                is_("tversky_loss", batch=True),
                {"alpha": goes("alpha"), "beta": goes("beta"), "smooth": goes("smooth")},
                differs=_ONE_SCORE,
            )
        ],
        Check("binary", ""),
        Check("binary", "0.3, 0.7, smooth=1.0"),
    ),
    _of_optimizer(
        "FocalTverskyLoss",
        "focal",
        {"alpha": 0.5, "beta": 0.5, "gamma": 1.0, "smooth": 1e-6},
        [
            case(
                is_("focal_tversky_loss", batch=True),
                {
                    "alpha": goes("alpha"),
                    "beta": goes("beta"),
                    "gamma": goes("gamma", by="reciprocal"),
                    "smooth": goes("smooth"),
                },
                differs=_ONE_SCORE,
            )
        ],
        Check("binary", ""),
        Check("binary", "0.3, 0.7, gamma=0.75, smooth=1.0"),
    ),
    _of_optimizer(
        "LovaszHingeLoss",
        "lovasz",
        {"per_image": True},
        [
            case(
                is_("lovasz_hinge_loss"),
                {"per_image": goes("batch", map=[[True, False], [False, True]])},
                differs="it has several channels in one score: equal for one channel",
            )
        ],
        Check("binary", ""),
        Check("binary", "per_image=False"),
    ),
    _of_optimizer(
        "SoftF1Loss",
        "f1",
        {"beta": 1.0, "eps": 1e-6},
        missing="it is 1 - F-beta of probabilities of one channel: a Tversky loss, alpha 1 / (1 + beta**2)",
    ),
]
