"""The manifest, from which the command answers without torch, says what the collection says."""

import json
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import pytest

from lossary_factory import make_manifest
from lossary_losses import loss_registry

pytestmark = pytest.mark.xdist_group("processes")


def test_it_is_current():
    """What the wheel ships is what the code would say now; ``nox -s manifest`` writes it again."""
    shipped = json.loads((files("lossary_losses") / "lossary-manifest.json").read_text(encoding="utf-8"))
    assert shipped == make_manifest(loss_registry, version=version("lossary-losses"))


@pytest.mark.parametrize("arguments", [["list"], ["show", "focal_loss"], ["validate", "loss.yaml"]], ids=str)
def test_the_command_needs_no_torch(arguments, tmp_path):
    """Listing, showing and validating losses imports neither torch nor what reads all distributions."""
    (tmp_path / "loss.yaml").write_text("loss: {name: focal_loss, params: {gamma: 1.5}}\n", encoding="utf-8")
    program = (
        "import sys; before = {*sys.modules}; from lossary_factory._command import lossary; "
        f"lossary({arguments!r}, standalone_mode=False); "
        "assert not {'torch', 'importlib.metadata'} & {*sys.modules} - before"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert ran.returncode == 0, ran.stderr
