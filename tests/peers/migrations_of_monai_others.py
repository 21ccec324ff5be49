"""What MONAI's other losses are of ours: of positions, of boundaries, and around others."""

from migration_record import NEEDED, Check, case, default, goes, harmless, is_
from monai_switches import LABELS, ONE_HOT, PROBABILITIES, REDUCTION, SHAPE, of_monai, shape

__all__ = ["CALLABLES"]

CALLABLES = [
    of_monai(
        "FocalLoss",
        "focal_loss",
        {
            "include_background": True,
            "to_onehot_y": False,
            "gamma": 2.0,
            "alpha": None,
            "weight": None,
            **REDUCTION,
            "use_softmax": False,
            "ignore_index": None,
        },
        [
            case(
                is_("focal_loss", activation="sigmoid"),
                {
                    **{
                        key: rule
                        for key, rule in shape().items()
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
                note=f"{LABELS}; for targets of 0 and 1",
            ),
            case(
                is_("focal_loss", activation="softmax"),
                {
                    **{
                        key: rule
                        for key, rule in shape().items()
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
    of_monai(
        "BoundaryLoss",
        "boundary_loss",
        {**SHAPE, "other_act": None, **REDUCTION, "batch": False},
        [
            case(
                is_("boundary_loss", activation="none"),
                {
                    **shape(),
                    "reduction": default("only its mean is one; its sum is of means over positions"),
                    "batch": harmless(),
                },
                note=LABELS,
            )
        ],
        Check("labels", ONE_HOT),
        Check("labels", "to_onehot_y=True", PROBABILITIES),
        Check("binary", "sigmoid=True", "(x, t)"),
        Check("labels", f"{ONE_HOT}, include_background=False"),
        Check("labels", f'{ONE_HOT}, reduction="sum"'),
        Check("labels", f"{ONE_HOT}, batch=True"),
    ),
    of_monai(
        "HausdorffDTLoss",
        "hausdorff_loss",
        {
            "alpha": 2.0,
            "include_background": False,
            "to_onehot_y": False,
            "sigmoid": False,
            "softmax": False,
            "other_act": None,
            **REDUCTION,
            "batch": False,
        },
        [
            case(
                is_("hausdorff_dt_loss", activation="none"),
                {
                    **shape(),
                    "alpha": goes("alpha"),
                    "include_background": {
                        "drop": [True],
                        "differs": "it leaves class 0 out unless told; ours does by weight: [0, 1, ...]",
                    },
                    "reduction": default("only its mean is one; its sum is of means over positions"),
                    "batch": harmless(),
                },
                note=f"{LABELS}; equal where both regions have boundaries",
            )
        ],
        Check("binary", "sigmoid=True, include_background=True", "(x, t)"),
        Check("labels", f"{ONE_HOT}, include_background=True, alpha=1.5"),
        Check("labels", "to_onehot_y=True, include_background=True", PROBABILITIES),
        Check("labels", f'{ONE_HOT}, include_background=True, reduction="sum"'),
        Check("labels", f"{ONE_HOT}, include_background=True, batch=True"),
        Check("labels", ONE_HOT),
    ),
    of_monai(
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
            f"monai.losses.DiceLoss({ONE_HOT}), weights=[1.0, 0.7, 0.1]",
            "(x, t.unsqueeze(1).double())",
        ),
        Check(
            "labels at several levels",
            f'monai.losses.DiceLoss({ONE_HOT}), weight_mode="same"',
            "(x, t.unsqueeze(1).double())",
        ),
        Check(
            "labels at several levels",
            f'monai.losses.DiceLoss({ONE_HOT}), weight_mode="two", weights=[1.0, 0.5, 0.1]',
            "(x, t.unsqueeze(1).double())",
        ),
    ),
    of_monai(
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
