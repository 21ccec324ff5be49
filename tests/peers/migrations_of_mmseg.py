"""What losses of mmsegmentation are of ours; its heads hand over ignore_index, 255 unless given there."""

from migration_record import Callable, Check, callable_of, case, default, goes, harmless, is_

__all__ = ["CALLABLES"]

_NAMED = {"loss_name": harmless()}
_IGNORED = "its mean divides by what is ignored as well, unless avg_non_ignore is true"


def _of_mmseg(name, module, parameters, cases=(), *checks, missing="", unchecked=()) -> Callable:
    names = [f"mmseg.models.losses.{name}", f"mmseg.{name}", f"mmseg.models.{name}"]
    names.append(f"mmseg.models.losses.{module}.{name}")
    return callable_of(
        "mmseg",
        names,
        parameters,
        cases,
        checks=checks,
        missing=missing,
        unchecked={"loss_weight", "loss_name", *unchecked},
    )


_CE = {
    "use_sigmoid": False,
    "use_mask": False,
    "reduction": "mean",
    "class_weight": None,
    "loss_weight": 1.0,
    "loss_name": "loss_ce",
    "avg_non_ignore": False,
}

CALLABLES = [
    _of_mmseg(
        "CrossEntropyLoss",
        "cross_entropy_loss",
        _CE,
        [
            case(
                is_("cross_entropy_loss", ignore_index=255),
                {
                    "use_sigmoid": harmless(),
                    "reduction": goes("reduction"),
                    "class_weight": goes(
                        "weight",
                        drop=[None],
                        takes="list",
                        differs="its mean divides by other numbers, which are not the same in all versions",
                    ),
                    "avg_non_ignore": {"drop": [True], "differs": _IGNORED},
                    **_NAMED,
                },
                when={"use_sigmoid": [False], "use_mask": [False]},
                note="its head ignores 255 unless it has an ignore_index of its own",
            ),
        ],
        Check("labels, some ignored", "avg_non_ignore=True"),
        Check("labels, some ignored", ""),
        Check("labels, some ignored", 'avg_non_ignore=True, reduction="sum"'),
        Check("labels, some ignored", "avg_non_ignore=True, class_weight=w"),
        missing="with use_sigmoid it is binary cross entropy of labels made one-hot, which bce_loss has for "
        "targets of the input's shape; with use_mask it is that of instances",
    ),
    _of_mmseg(
        "FocalLoss",
        "focal_loss",
        {
            "use_sigmoid": True,
            "gamma": 2.0,
            "alpha": 0.5,
            "reduction": "mean",
            "class_weight": None,
            "loss_weight": 1.0,
            "loss_name": "loss_focal",
        },
        [
            case(
                is_("focal_loss", activation="sigmoid", ignore_index=255),
                {
                    "gamma": goes("gamma"),
                    "alpha": goes("alpha", takes="number"),
                    "reduction": goes("reduction"),
                    "class_weight": goes(
                        "weight",
                        drop=[None],
                        takes="list",
                        differs="its mean divides by the number of elements, ours by the weights",
                    ),
                    **_NAMED,
                },
                differs="its mean divides by what is ignored as well; equal where nothing is",
            )
        ],
        Check("labels, some ignored", ""),
        Check("labels, some ignored", "gamma=1.5, alpha=0.25"),
        Check("labels, some ignored", "class_weight=w"),
        Check("labels, some ignored", 'reduction="sum"', is_special=True),
        unchecked=("use_sigmoid",),
    ),
    _of_mmseg(
        "TverskyLoss",
        "tversky_loss",
        {
            "smooth": 1,
            "reduction": "mean",
            "class_weight": None,
            "loss_weight": 1.0,
            "ignore_index": 255,
            "alpha": 0.3,
            "beta": 0.7,
            "loss_name": "loss_tversky",
        },
        [
            case(
                is_("tversky_loss"),
                {
                    "smooth": goes("smooth"),
                    "reduction": default("it works for mean alone"),
                    "class_weight": goes(
                        "weight",
                        drop=[None],
                        takes="list",
                        differs="its mean divides by the number of classes, ours by the weights",
                    ),
                    "ignore_index": goes("ignore_index"),
                    "alpha": goes("alpha"),
                    "beta": goes("beta"),
                    **_NAMED,
                },
                note="ignore_index ignores positions here, and there a class of that number as well",
            )
        ],
        Check("labels, some ignored", ""),
        Check("labels", "smooth=0.5, alpha=0.4, beta=0.6, ignore_index=100"),
        Check("labels", "class_weight=w"),
        unchecked=("reduction",),
    ),
    _of_mmseg(
        "DiceLoss",
        "dice_loss",
        {
            "smooth": 1,
            "exponent": 2,
            "use_sigmoid": True,
            "activate": True,
            "reduction": "mean",
            "class_weight": None,
            "naive_dice": False,
            "loss_weight": 1.0,
            "ignore_index": 255,
            "eps": 1e-3,
            "loss_name": "loss_dice",
        },
        missing="what it is changes with its version: squares in the sizes, and since 1.1 all classes in one "
        "score, where ignore_index leaves out a class and no position",
    ),
    _of_mmseg(
        "LovaszLoss",
        "lovasz_loss",
        {
            "loss_type": "multi_class",
            "classes": "present",
            "per_image": False,
            "reduction": "mean",
            "class_weight": None,
            "loss_weight": 1.0,
            "loss_name": "loss_lovasz",
        },
        missing="it has its own means over classes and images, by loss_type, classes and per_image",
    ),
]
