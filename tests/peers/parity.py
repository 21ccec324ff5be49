"""How our losses relate to other libraries': tested, and written down.

python tests/peers/parity.py --output docs/parity.md
"""

import argparse
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import parity_of_audio
import parity_of_classification
import parity_of_detection
import parity_of_distillation
import parity_of_forecasts
import parity_of_generation
import parity_of_images
import parity_of_regression
import parity_of_rows
import parity_of_segmentation
import parity_of_structure
from migration_page import section
from migration_record import Callable
from migrations import CALLABLES
from parity_record import DISTRIBUTIONS, Parity

__all__ = ["ALONE", "RECORDS", "page"]

RECORDS = [
    *parity_of_classification.RECORDS,
    *parity_of_segmentation.RECORDS,
    *parity_of_structure.RECORDS,
    *parity_of_regression.RECORDS,
    *parity_of_detection.RECORDS,
    *parity_of_images.RECORDS,
    *parity_of_audio.RECORDS,
    *parity_of_generation.RECORDS,
    *parity_of_rows.RECORDS,
    *parity_of_forecasts.RECORDS,
    *parity_of_distillation.RECORDS,
]

ALONE = {
    "chamfer_loss": "none of these libraries has it; PyTorch3D does.",
    "distribution_focal_loss": "none of these libraries has it; MMDetection and Ultralytics do.",
    "eiou_loss": "none of these libraries has it; MMDetection's is another loss of that name.",
    "feature_loss": "none of these libraries takes any extractor; lpips and piq bring their own.",
    "gaussian_box_loss": "none of these libraries has it; MMRotate and Ultralytics do, with epsilons.",
    "generalized_cross_entropy_loss": "none of these libraries has it.",
    "geodesic_rotation_loss": "none of these libraries has it; PyTorch3D does, biased at equality.",
    "heads": "none of these libraries has it.",
    "heatmap_focal_loss": "none of these libraries has it; MMDetection's takes probabilities.",
    "iou_loss": "none of these libraries has it.",
    "lambda_loss": "none of these libraries has it; allRank does, with another mean.",
    "keypoint_similarity_loss": "none of these libraries has it; Ultralytics does.",
    "log_cosh_dice_loss": "none of these libraries has it; smp's log_loss is minus the logarithm.",
    "log_cosh_loss": "none of these libraries has it.",
    "matched": "none of these libraries has it; the repositories of detectors do.",
    "permutation_invariant": "none of these libraries has it; Asteroid and torchmetrics do.",
    "product": "none of these libraries has it.",
    "proxy_anchor_loss": "pytorch-metric-learning has it, and holds the centres itself.",
    "quality_focal_loss": "none of these libraries has it; MMDetection does.",
    "skeleton_recall_loss": "none of these libraries has it; its authors' repository does.",
    "style_loss": "none of these libraries has it; piq does, without dividing by the size.",
    "symmetric_cross_entropy_loss": "none of these libraries has it.",
    "varifocal_loss": "none of these libraries has it; MMDetection and Ultralytics do.",
}
"""The losses without a record, each with the reason."""

_HEADING = """\
# Parity with other libraries

What to write here for what stands in code that uses another library, and what changes. The two expressions of
a line have the same value and the same gradient, or, where *equal* says no, different ones that no conversion
brings together; a test computes all of them. `x` is the input and `t` the target, of B samples and C classes,
with N positions in all samples; `w` holds a weight for each class. What `lossary migrate` makes of a config
stands at the end.

Versions: {versions}, and torch and torchvision as they come. `smp` is segmentation-models-pytorch."""


def page(records: Iterable[Parity], alone: Mapping[str, str], callables: Iterable[Callable]) -> str:
    """Write the records down, a table for each loss, and what a config of other libraries becomes."""
    pinned = [name for name in DISTRIBUTIONS.values() if name not in ("torch", "torchvision")]
    parts = [_HEADING.format(versions=", ".join(f"{name} {version(name)}" for name in pinned))]
    by_loss: dict[str, list[Parity]] = {}
    for record in records:
        by_loss.setdefault(record.loss, []).append(record)
    for name in sorted(by_loss):
        heading = ["| library | ours | theirs, converted | equal | conversion |", "|---|---|---|---|---|"]
        parts += ["", f"## {name}", "", *heading, *(_row(each) for each in by_loss[name])]
    parts += ["", "## Without a counterpart", ""]
    parts += [*(f"- `{name}`: {reason}" for name, reason in sorted(alone.items())), "", section(callables)]
    return "\n".join(parts)


def _row(record: Parity) -> str:
    equal = "yes" if record.agree else "**no**"
    return f"| {record.library} | `{record.ours}` | `{record.theirs}` | {equal} | {record.words} |"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.parse_args().output.write_text(page(RECORDS, ALONE, CALLABLES), encoding="utf-8")


if __name__ == "__main__":
    main()
