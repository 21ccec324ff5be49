"""``lossary migrate`` with what the losses know of other libraries; tests/peers compares the values."""

import json
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import pytest
from click.testing import CliRunner

from lossary_factory import build, load
from lossary_factory._command import lossary


@pytest.fixture
def migrate(tmp_path, monkeypatch):
    """Return a function that migrates a text, and gives what the command does."""
    monkeypatch.chdir(tmp_path)

    def migrate(text: str, *arguments: str):
        (tmp_path / "old.yaml").write_text(text, encoding="utf-8")
        return CliRunner().invoke(lossary, ["migrate", "old.yaml", *arguments], prog_name="lossary")

    return migrate


def test_what_is_known_is_of_this_version():
    """The file is read for the version that it was written for: else run ``tests/peers/migrations.py``."""
    shipped = json.loads((files("lossary_losses") / "lossary-migrations.json").read_text(encoding="utf-8"))
    assert shipped["version"] == version("lossary-losses")
    assert shipped["callables"]


@pytest.mark.parametrize(
    ("old", "name", "params"),
    [
        ("_target_: torchvision.ops.sigmoid_focal_loss", "focal_loss", {"alpha": 0.25, "reduction": "none"}),
        ("_target_: timm.loss.LabelSmoothingCrossEntropy", "cross_entropy_loss", {"label_smoothing": 0.1}),
        ("_target_: torch.nn.CrossEntropyLoss", "cross_entropy_loss", {"ignore_index": -100}),
        ("_target_: monai.losses.DiceLoss", "dice_loss", {"activation": "none", "smooth": 1e-5}),
        (
            "{class_path: monai.losses.DiceLoss, init_args: {softmax: true, to_onehot_y: true}}",
            "dice_loss",
            {"activation": "softmax", "smooth": 1e-5},
        ),
        (
            "{_target_: smp.losses.DiceLoss, mode: multiclass, smooth: 1}",
            "dice_loss",
            {"batch": True, "empty": "zero", "smooth": 2},
        ),
        (
            "{type: mmseg.CrossEntropyLoss, avg_non_ignore: true, loss_weight: 1.0, class_weight: null}",
            "cross_entropy_loss",
            {"ignore_index": 255},
        ),
    ],
)
def test_what_is_equal(migrate, old, name, params):
    """It is written with all that differs from our defaults."""
    text = f"loss: {old}\n" if old.startswith("{") else f"loss:\n  {old}\n"
    result = migrate(text, "-o", "new.yaml")
    assert result.exit_code == 0, result.output
    again = CliRunner().invoke(lossary, ["validate", "new.yaml"])
    assert again.exit_code == 0, again.output
    spec = load("new.yaml")
    assert (spec.name, dict(spec.params)) == (name, params)


def test_a_loss_of_two(migrate):
    """MONAI's Dice of a softmax and focal loss of a sigmoid is a sum of two of ours."""
    text = (
        "loss: {_target_: monai.losses.DiceFocalLoss, softmax: true, to_onehot_y: true, lambda_dice: 0.5}\n"
    )
    result = migrate(text, "-o", "new.yaml")
    assert result.exit_code == 0, result.output
    assert set(build("new.yaml").terms) == {"dice", "focal"}


@pytest.mark.parametrize(
    ("old", "code", "words"),
    [
        ("torch.nn.BCELoss", "value-changes", "it takes probabilities, ours takes logits"),
        ("pytorch_optimizer.loss.BCEFocalLoss", "value-changes", "it takes probabilities"),
        ("monai.losses.GeneralizedDiceLoss", "value-changes", "the smoothings are different ones"),
        ("monai.losses.DiceFocalLoss", "no-counterpart", "without softmax or sigmoid"),
        ("monai.losses.GeneralizedWassersteinDiceLoss", "no-counterpart", "distances between classes"),
        ("timm.loss.JsdCrossEntropy", "no-counterpart", "several views"),
        ("timm.loss.AsymmetricLossMultiLabel", "value-changes", "C times our mean"),
        ("mmseg.CrossEntropyLoss", "value-changes", "its mean divides by what is ignored as well"),
        ("mmseg.DiceLoss", "no-counterpart", "changes with its version"),
        ("torch.nn.CTCLoss", "unknown-loss", "nothing is known of"),
        ("src.losses.DiceLoss", "value-changes", "ours of that name is dice_loss"),
        ("nnunetv2.training.loss.compound_losses.DC_and_CE_loss", "unknown-loss", "nothing is known of"),
        ("MAELoss", "unknown-loss", "nothing is known of"),
        ("RMSELoss", "unknown-loss", "nothing is known of"),
        ("SoftDiceLoss", "unknown-loss", "nothing is known of"),
        ("DiceBCELoss", "unknown-loss", "nothing is known of"),
        ("CEDiceLoss", "unknown-loss", "nothing is known of"),
        ("LiftedStructureLoss", "unknown-loss", "nothing is known of"),
        ("CTCLoss", "unknown-loss", "nothing is known of"),
        ("BinaryCrossentropy", "unknown-loss", "nothing is known of"),
        ("LabelSmoothingCrossEntropy", "unknown-loss", "timm.loss.LabelSmoothingCrossEntropy"),
        ("BCEWithLogitsLoss", "unknown-loss", "torch.nn.BCEWithLogitsLoss"),
    ],
)
def test_what_is_not(migrate, old, code, words):
    """It is refused, at its place, and never taken for a loss that is spelled like it."""
    result = migrate(f"loss:\n  _target_: {old}\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"old.yaml:2:13: error[{code}]" in result.stderr
    assert words in result.stderr


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ("{_target_: kornia.losses.FocalLoss, alpha: 0.25, reduction: sum}", "1 - alpha for class 0"),
        ("{_target_: kornia.losses.FocalLoss, alpha: null, reduction: mean}", "ours is C times that"),
        ("{_target_: monai.losses.DiceLoss, include_background: false}", "weight: [0, 1, ...]"),
        ("{_target_: monai.losses.DiceLoss, smooth_nr: 0}", "ours has one smooth for both"),
        ("{_target_: smp.losses.DiceLoss, smooth: 1}", "needs 'mode'"),
        ("{_target_: monai.losses.DiceLoss, smooth: 1}", "has no parameter 'smooth'"),
        ("{type: DiceLoss, use_sigmoid: true}", "write its whole name: mmseg.models.losses.DiceLoss"),
        ("[{name: ce, _target_: torch.nn.CrossEntropyLoss, weight: 0.5}]", "or count the whole loss"),
        ("{class_name: Dice, module: keras.losses, config: {smooth: 1}}", "keras.losses.Dice"),
    ],
)
def test_switches(migrate, old, words):
    """What a parameter is of ours, or what to write for it, is said of each."""
    result = migrate(f"loss: {old}\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


def test_it_needs_no_torch(tmp_path):
    """What is known is a file; nothing is imported for it."""
    (tmp_path / "old.yaml").write_text("loss: {_target_: torch.nn.L1Loss}\n", encoding="utf-8")
    program = (
        "import sys; before = {*sys.modules}; from lossary_factory._command import lossary; "
        "lossary(['migrate', 'old.yaml'], standalone_mode=False); "
        "assert not {'torch', 'importlib.metadata'} & {*sys.modules} - before"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (ran.returncode, ran.stdout) == (0, "version: 1\nloss:\n  name: l1_loss\n"), ran.stderr
