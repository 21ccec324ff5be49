"""The examples of working with other tools run, against the real tools, and do what the guide says."""
# ruff: noqa: S603  # the subprocesses are this interpreter

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pydantic import BaseModel, TypeAdapter, ValidationError
from torch import nn
from torch.testing import assert_close

from lossary_factory import ConfigError, LossSpec, build, check, validate
from lossary_losses import DiceLoss, FocalLoss, WeightedSum

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/interop"
GUIDE = (ROOT / "docs/guides/interop.md").read_text(encoding="utf-8")
BOTH = str(WeightedSum({"region": DiceLoss(), "pixel": FocalLoss()}, weights={"region": 0.7, "pixel": 0.5}))


def run(name, *arguments, cwd):
    """Run an example as a user does, in a folder that it may fill, and return what it prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    # The other tools warn of themselves; -W keeps the interpreter from telling.
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def load(name):
    """Return what an example defines."""
    return runpy.run_path(str(EXAMPLES / name))


def test_the_guide_names_every_example():
    """Each file has its place in the guide, and each file that the guide names is there."""
    named = set(re.findall(r"\.\./examples/interop/([\w/.]+)", GUIDE))
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts <= named
    assert all((EXAMPLES / name).exists() for name in named)


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE))
def test_the_guide_shows_code(block):
    """What the guide shows is Python, and imports nothing from us that is not there."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lossary"):
            assert all(hasattr(sys.modules[node.module], name.name) for name in node.names)


def test_a_training_loop_learns(tmp_path):
    """The loss falls, and the term with a schedule counts more as training goes on."""
    printed = run("training_loop.py", cwd=tmp_path)
    assert re.findall(r"step (\d+)", printed) == ["0", "20", "40"]
    totals = load("training_loop.py")["train"](EXAMPLES / "training.yaml")
    assert totals[-1] < 0.01 * totals[0]


def test_hydra_composes_and_overrides(tmp_path):
    """A group chooses the loss and a dotted override changes a weight, in both ways of building."""
    printed = run("hydra_app.py", "loss=focal_dice", "loss.sum.pixel.weight=0.5", cwd=tmp_path)
    assert printed == f"{BOTH}\nthe same by its target: True\n"


def test_the_target_of_hydra_builds_losses_alone():
    """A wrong config inside the target keeps our message; a name that is no loss is never imported."""
    with initialize_config_dir(str(EXAMPLES / "conf"), version_base=None):
        config = compose("config", overrides=["+loss.params.smooth=1"])
        with pytest.raises(Exception, match="focal_loss has no parameter 'smooth'"):
            instantiate(config.criterion)
        config = compose("config", overrides=["loss.name=os.getcwd"])
        with pytest.raises(Exception, match="a config names what is registered; it never imports"):
            instantiate(config.criterion)


def test_a_config_of_omegaconf_is_a_mapping():
    """A DictConfig is taken as it is, interpolations resolved by OmegaConf."""
    config = OmegaConf.create(
        {"gamma": 1.5, "loss": {"sum": {"a": {"name": "focal_loss", "params": {"gamma": "${gamma}"}}}}}
    )
    assert isinstance(config, DictConfig)
    spec = validate(config.loss)
    assert spec == validate({"sum": {"a": {"name": "focal_loss", "params": {"gamma": 1.5}}}})
    assert type(spec.to_dict()["sum"]) is dict


def test_lightning_trains_with_a_config(tmp_path):
    """LightningCLI reads the loss as plain data; the module builds it, trains, and ends its schedule."""
    printed = run("lightning_cli.py", "fit", "--config", str(EXAMPLES / "lightning.yaml"), cwd=tmp_path)
    assert "trained with WeightedSum(" in printed
    assert "weights: squares 1, robust 0.5" in printed


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--loss", "focal_loss"], "1 epochs with FocalLoss()"),
        (["--config", str(EXAMPLES / "jsonargparse.yaml")], "3 epochs with FocalLoss(gamma=0.1, alpha=0.25)"),
        (['--loss={"name": "focal_loss", "params": {"gamma": 1.5}}'], "1 epochs with FocalLoss(gamma=1.5)"),
    ],
)
def test_jsonargparse_hands_a_config_over(tmp_path, arguments, expected):
    """A name, a config of its own file, and JSON on the command line."""
    assert run("jsonargparse_app.py", *arguments, cwd=tmp_path) == f"{expected}\n"


def test_the_example_of_pydantic_runs(tmp_path):
    """It prints a loss, its config as JSON, and our report of a wrong one."""
    printed = run("pydantic_model.py", cwd=tmp_path)
    loss, config, *report = printed.splitlines()
    assert loss == "FocalLoss(gamma=1.5)"
    assert json.loads(config) == {"epochs": 3, "loss": {"name": "focal_loss", "params": {"gamma": 1.5}}}
    assert "did you mean 'gamma'?" in "".join(report)


class Model(BaseModel):
    losses: dict[str, LossSpec]


def test_pydantic_reads_and_writes_specs():
    """A field of specs takes names, configs and specs, and a model survives its own JSON."""
    spec = validate({"name": "dice_loss", "params": {"smooth": 2}})
    model = Model(losses={"a": "FocalLoss", "b": {"name": "dice_loss", "params": {"smooth": 2}}, "c": spec})
    assert model.losses == {"a": validate("focal_loss"), "b": spec, "c": spec}
    assert Model.model_validate_json(model.model_dump_json()) == model
    assert model.model_dump()["losses"]["b"] == {"name": "dice_loss", "params": {"smooth": 2.0}}


def test_pydantic_reports_in_our_words():
    """Each problem is in the message, and its parts are in the context, beside the errors of other fields."""
    config = {"name": "focal_loss", "params": {"gama": 1, "alpha": 2}}
    with pytest.raises(ValidationError) as raised:
        Model.model_validate({"losses": {"a": config, "b": 3}})
    first, second = raised.value.errors()
    with pytest.raises(ConfigError) as ours:
        validate(config)
    assert (first["loc"], first["type"], first["msg"]) == (("losses", "a"), "loss_config", str(ours.value))
    assert first["ctx"]["problems"] == [problem.to_dict() for problem in check(config)]
    assert second["loc"] == ("losses", "b")


def test_pydantic_describes_a_spec():
    """The JSON Schema of a model has a place for the config; the losses themselves are in ours."""
    described = TypeAdapter(LossSpec).json_schema()
    assert described == {"title": "A loss", "anyOf": [{"type": "string"}, {"type": "object"}]}
    assert json.dumps(Model.model_json_schema())


@pytest.mark.parametrize("causal", [False, True])
def test_hugging_face_parts_add_up(causal):
    """Parts with few and with many labels add up to torch's mean over all of them, shifted or not."""
    example = load("hugging_face.py")
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 6, 5, requires_grad=True), torch.randint(5, (4, 6))
    labels[0, 1:] = example["NO_TOKEN"]
    shown, counted = (logits[:, :-1], labels[:, 1:]) if causal else (logits, labels)
    expected = nn.functional.cross_entropy(shown.movedim(-1, 1), counted, ignore_index=example["NO_TOKEN"])
    compute_loss = example["make_compute_loss"](example["TOKENS"], causal=causal)
    count = (counted != example["NO_TOKEN"]).sum()
    parts = [compute_loss({"logits": logits[rows]}, labels[rows], count) for rows in ([0], [1, 2, 3])]
    assert_close(sum(parts), expected)
    assert_close(torch.autograd.grad(sum(parts), logits), torch.autograd.grad(expected, logits))
    assert_close(compute_loss({"logits": logits}, labels), expected)


def test_hugging_face_is_not_given_class_weights():
    """A loss that counts otherwise than the Trainer is refused before a training begins."""
    weighted = {"name": "cross_entropy_loss", "params": {"ignore_index": -100, "weight": [1, 2, 3, 4, 5]}}
    with pytest.raises(TypeError, match="counts the weights of their classes"):
        load("hugging_face.py")["make_compute_loss"](weighted, causal=False)


def test_the_example_of_hugging_face_runs(tmp_path):
    """A whole step and its parts print the same number, for both kinds of model."""
    numbers = re.findall(r"\d\.\d+", run("hugging_face.py", cwd=tmp_path))
    assert len(numbers) == 4
    assert numbers[::2] == numbers[1::2]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("conf/loss/*.yaml")), ids=lambda path: path.name)
def test_each_group_is_a_config(path):
    """What Hydra composes from is itself a config of the factory."""
    assert build(path)
