"""``lossary build --dry-run``: a loss of the collection runs once, and what its terms do is told."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from lossary_factory._command import call, lossary
from lossary_losses import DiceLoss, FocalLoss, loss_registry

ROOT = Path(__file__).parents[2]
README = ROOT / "packages/factory/README.md"
SUM = """\
loss:
  sum:
    region: {name: dice_loss, weight: 0.7}
    none: {name: bce_loss, weight: 0}
    pixel: {weight: 0.5, sum: {focal: {name: focal_loss, weight: 0.5}}}
"""


@pytest.fixture
def dry_run(tmp_path, monkeypatch):
    """Return a function that tries the loss of a text, and gives the result of the command."""
    monkeypatch.chdir(tmp_path)

    def dry_run(text, *options):
        Path("loss.yaml").write_text(text, encoding="utf-8")
        return CliRunner().invoke(lossary, ["build", "loss.yaml", "--dry-run", *options])

    return dry_run


def trial(result):
    """Return what a machine is told of a trial."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["trial"]


@pytest.mark.parametrize(
    "name", sorted(set(loss_registry.list()) - set(loss_registry.filter_by_tag("composite")))
)
def test_every_loss_is_tried(dry_run, name):
    """For each loss that can be named alone, data that suits its tags is made up."""
    result = dry_run(f"loss: {name}", "--format=json")
    if "missing-parameter" in result.stderr:
        pytest.skip("it cannot be named alone")
    assert trial(result)["is_finite"]


EXAMPLES = {
    path: "" for path in (ROOT / "docs/examples").glob("*") if path.suffix in (".yaml", ".toml", ".json")
}
EXAMPLES |= dict.fromkeys((ROOT / "docs/examples/interop/conf/loss").iterdir(), "")
for name, key in (("training", "loss"), ("jsonargparse", "loss"), ("lightning", "model.loss")):
    EXAMPLES[ROOT / f"docs/examples/interop/{name}.yaml"] = key


@pytest.mark.parametrize("path", sorted(EXAMPLES), ids=lambda path: path.name)
def test_every_example_is_tried(path):
    """Heads, resolutions and class weights decide the shapes of what is made up."""
    key = ["--key", EXAMPLES[path]] if EXAMPLES[path] else []
    result = CliRunner().invoke(lossary, ["build", str(path), "--dry-run", *key])
    assert result.exit_code == 0, result.output
    assert re.search(r"^total +[\d.]+ +[\d.]+$", result.output, re.MULTILINE)


def test_what_the_terms_do(dry_run):
    """Each term has its value, its share of the total, and what it adds to the gradient."""
    input = torch.tensor([[[[0.3, -2.0]]]], requires_grad=True)
    target = torch.tensor([[[[1.0, 0.0]]]])
    torch.save({"input": input.detach(), "target": target}, "data.pt")
    found = trial(dry_run(SUM, "--data=data.pt", "--format=json"))
    expected = {"region": (DiceLoss(), 0.7), "pixel": (FocalLoss(), 0.25), "pixel.focal": (FocalLoss(), 0.25)}
    terms = {term.pop("name"): term for term in found["terms"]}
    assert terms.pop("none") == {"value": None, "weight": None, "gradient_norm": None}
    total = 0.0
    for name, (loss, weight) in expected.items():
        value = loss(input, target)
        (gradient,) = torch.autograd.grad(value, input)
        scale = 0.5 if name == "pixel" else 1.0
        assert terms[name]["value"] == pytest.approx(scale * value.item())
        assert terms[name]["weight"] == pytest.approx(weight / scale)
        assert terms[name]["gradient_norm"] == pytest.approx(weight * gradient.norm().item())
        total += 0 if name == "pixel.focal" else weight * value.item()
    assert found["value"] == pytest.approx(total)
    assert min(found["forward_seconds"], found["backward_seconds"]) > 0


def test_shape_and_kind_are_chosen(dry_run):
    """``--input`` and ``--target`` say what is made up."""
    result = dry_run("loss: focal_loss", "--input=3,5,7", "--target=labels")
    assert "made-up data: input float32 (3, 5, 7), target int64 (3, 7)" in result.output


def test_data_of_arrays(dry_run):
    """An .npz file gives the arguments by their names, those beyond input and target too."""
    mask = np.array([[True, False]])
    np.savez("data.npz", input=np.array([[[0.0, np.nan]]]), target=np.array([[[1.0, 0.0]]]), mask=mask)
    assert trial(dry_run("loss: bce_loss", "--data=data.npz", "--format=json"))["value"] == pytest.approx(
        np.log(2)
    )


def test_a_loss_that_raises_is_reported(dry_run):
    """What forward raises is told with the data, without a traceback, and ends with one."""
    result = dry_run("loss: cross_entropy_loss", "--input=2,1,4")
    assert result.exit_code == 1
    assert "error[forward]: InputValueError: " in result.output
    assert "on made-up data: input float32 (2, 1, 4), target int64 (2, 4)" in result.output
    assert "Traceback" not in result.output
    for_machines = dry_run("loss: cross_entropy_loss", "--input=2,1,4", "--format=json")
    assert (for_machines.exit_code, for_machines.stdout) == (1, "")
    assert "error[forward]" in for_machines.stderr


def test_what_is_not_finite_ends_with_one(dry_run):
    """A NaN that the data brings along is no success; JSON has null for it."""
    torch.save({"input": torch.tensor([[torch.nan]]), "target": torch.ones(1, 1)}, "data.pt")
    result = dry_run("loss: bce_loss", "--data=data.pt", "--format=json")
    assert (result.exit_code, json.loads(result.stdout)["trial"]["value"]) == (1, None)
    assert "error[not-finite]" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.pt", None, "missing.pt cannot be read"),
        ("data.txt", b"", "data.txt must end in .pt or .npz"),
        ("data.npz", b"not a zip", "data.npz cannot be read"),
        ("data.pt", b"not a zip", "data.pt cannot be read"),
    ],
)
def test_data_that_cannot_be_read_is_a_wrong_call(dry_run, name, content, message):
    """The file, and what is wrong with it, are named."""
    if content is not None:
        Path(name).write_bytes(content)
    result = dry_run("loss: bce_loss", f"--data={name}")
    assert (result.exit_code, message in result.output) == (2, True)


def test_no_object_is_unpickled(dry_run):
    """A file of data that would run code when it is unpickled is refused, in both formats."""

    class Hostile:
        def __reduce__(self):
            return Path.touch, (Path("made"),)

    torch.save({"input": Hostile(), "target": torch.ones(1)}, "data.pt")
    np.savez("data.npz", input=np.array([Hostile()], dtype=object), target=np.ones(1))
    for name in ("data.pt", "data.npz"):
        assert dry_run("loss: bce_loss", f"--data={name}").exit_code == 2
    assert not Path("made").exists()


@pytest.mark.parametrize(
    "options", [["--input=2,x"], ["--target=masks"], ["--data=data.pt", "--input=2,3"]], ids=" ".join
)
def test_options_that_make_no_sense_are_a_wrong_call(dry_run, options):
    """They end with two, and nothing is built."""
    assert dry_run("loss: bce_loss", *options).exit_code == 2


@pytest.mark.parametrize("shape", ["1000000,1000000,1000", "2"])
def test_shapes_that_cannot_be_made_are_a_wrong_call(dry_run, shape):
    """Too large for any memory, or without a dimension for the classes: said, without a traceback."""
    result = dry_run("loss: cross_entropy_loss", f"--input={shape}")
    assert result.exit_code == 2
    assert re.search("no data can be made up|labels need an input", result.output)


def test_an_empty_batch_is_tried(dry_run):
    """The losses promise a finite result for it."""
    assert trial(dry_run("loss: dice_loss", "--input=0,1,4,4", "--format=json"))["is_finite"]


def test_a_file_lacks_the_target(dry_run):
    """What the file has is said."""
    torch.save({"input": torch.ones(1), "labels": torch.ones(1)}, "data.pt")
    result = dry_run("loss: bce_loss", "--data=data.pt")
    assert (result.exit_code, "has no 'target'\nit has: input, labels" in result.output) == (2, True)


def test_further_arguments_are_made_up(dry_run, monkeypatch):
    """What else a loss must be called with gets positive numbers of the input's shape."""
    with loss_registry.isolated():

        @loss_registry.register(name="scaled_loss", tags=["regression"])
        class ScaledLoss(nn.Module):
            def forward(self, input, target, *, variance, mask=None):
                assert variance.shape == input.shape
                return ((input - target) ** 2 / variance).sqrt().log().sum() * 0 + variance.log().sum()

        monkeypatch.setattr(call, "installed_registry", lambda _collection: loss_registry)
        result = dry_run("loss: scaled_loss")
    assert (result.exit_code, "variance float32 (2, 1, 16, 16)" in result.output) == (0, True)


class Breaks(torch.autograd.Function):
    """Works forward, and not backward."""

    @staticmethod
    def forward(ctx, input):
        return input.sum()

    @staticmethod
    def backward(ctx, gradient):
        raise NotImplementedError("no way back")


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        (lambda _logits: 3.0, 1, "error[forward]: TypeError: the loss gave no tensor, but a float"),
        (Breaks.apply, 1, "error[backward]: NotImplementedError: no way back"),
        (lambda logits: logits.detach().sum() * 0, 0, "total  0              -"),
    ],
    ids=["no tensor", "no backward", "no gradient"],
)
def test_odd_losses_are_told(dry_run, monkeypatch, result, code, said):
    """A loss of one's own that gives no tensor, no gradient, or breaks on the way back."""
    with loss_registry.isolated():

        @loss_registry.register(name="odd_loss")
        class OddLoss(nn.Module):
            def forward(self, input, target):
                return result(input)

        monkeypatch.setattr(call, "installed_registry", lambda _collection: loss_registry)
        ran = dry_run("loss: odd_loss")
    assert (ran.exit_code, said in ran.output) == (code, True), ran.output


def test_heads_that_select(dry_run):
    """Nested selectors, masks and shared tensors are made up where the heads look for them."""
    text = """\
heads:
  a: {name: bce_loss, inputs: {input: "input.aux[1]", mask: batch.valid}}
  b: {name: l1_loss, inputs: {input: "input.aux[0].x", target: target.a}}
"""
    result = dry_run(text)
    assert result.exit_code == 0, result.output
    assert "input {aux: [{x: float32 (2, 1, 16, 16)}, float32 (2, 1, 16, 16)]}" in result.output
    assert "batch {valid: bool (2, 16, 16)}" in result.output


def test_the_page_shows_what_is_printed(dry_run):
    """The README's trial is what the command prints, but for the times."""
    page = README.read_text(encoding="utf-8")
    config = page.split("# train.yaml\n")[1].partition("```")[0]
    shown = page.split("```text\n")[1].partition("```")[0]
    printed = dry_run(config).stdout
    without_times = re.compile(r"[\d.e+]+ ms")
    assert without_times.sub("ms", printed).endswith(without_times.sub("ms", shown))
