"""From a built loss back to its config, and from a name to its description."""

from __future__ import annotations

import struct

import attrs
import pytest

from lossary_factory import ConfigError, UnwritableError, build, describe, to_config, validate


@attrs.define
class Array:
    """Holds numbers of 32 bits, as a tensor does."""

    numbers: list
    dtype: str = "torch.float32"

    @property
    def size(self):
        return len(self.numbers)

    def tolist(self):
        return [struct.unpack("f", struct.pack("f", number))[0] for number in self.numbers]


@pytest.mark.parametrize(
    "config",
    [
        {"name": "focal_loss", "params": {"gamma": 1, "weight": [0.25, 2]}},
        {
            "sum": {
                "a": {"name": "focal_loss", "weight": {"schedule": "linear", "final": 1}},
                "b": {"product": {"c": "called_loss"}},
            }
        },
        {"heads": {"a": {"name": "called_loss", "inputs": {"input": "input.a"}}}},
        {"deep_supervision": {"loss": "focal_loss", "weights": [1, 0.5]}},
    ],
)
def test_a_loss_gives_the_config_that_it_came_from(composites, config):
    """Validated, the config of a built loss is the first spec with its defaults filled in."""
    spec = validate(config, registry=composites)
    again = to_config(spec.build(), registry=composites)
    assert validate(again, registry=composites) == spec.with_defaults()


def test_an_array_becomes_the_shortest_numbers(losses):
    """0.2 in 32 bits is written 0.2, not as the 64 bits that it is equal to."""
    loss = build("focal_loss", registry=losses)
    loss.__dict__["weight"] = Array([0.2, 1 / 3])
    assert to_config(loss, registry=losses)["params"]["weight"] == [0.2, 0.33333334]


def test_a_large_array_is_no_config(losses):
    """Ten thousand numbers are not written out."""
    loss = build("focal_loss", registry=losses)
    loss.__dict__["weight"] = Array([0.0] * 10_001)
    with pytest.raises(UnwritableError, match="weight of focal_loss holds 10,001 numbers"):
        to_config(loss, registry=losses)


def test_an_object_is_no_config(losses):
    """What plain data cannot spell is named."""
    loss = build("focal_loss", registry=losses)
    loss.__dict__["alpha"] = object()
    with pytest.raises(UnwritableError, match="alpha of focal_loss is an object of type object"):
        to_config(loss, registry=losses)


def test_a_loss_that_was_spoilt_is_no_config(losses):
    """An option that the constructor would refuse is reported as in a config."""
    loss = build("focal_loss", registry=losses)
    loss.__dict__["gamma"] = -1.0
    with pytest.raises(ConfigError, match="gamma must be >= 0"):
        to_config(loss, registry=losses)


def test_a_class_without_fields_does_not_tell(losses):
    """Guessing which attribute holds which option would sometimes be wrong."""
    with pytest.raises(UnwritableError, match="dice_loss does not tell what its 'smooth' is"):
        to_config(build("dice_loss", registry=losses), registry=losses)


def test_a_class_that_is_not_registered_has_no_name(losses):
    """A config names what is registered."""
    with pytest.raises(UnwritableError, match="ToyLosses does not have the class object"):
        to_config(object(), registry=losses)


def test_a_description_is_plain_data(losses):
    """What a loss is and takes, as JSON could hold it, by any of its names."""
    assert describe("FocalLoss", registry=losses) == {
        "name": "focal_loss",
        "summary": "Cross entropy that looks away from what is easy.",
        "class": losses.entry("focal_loss").target,
        "aliases": ["FocalLoss"],
        "tags": ["classification", "binary"],
        "parameters": {
            "gamma": {"accepts": "a number >= 0", "required": False, "default": 2.0},
            "alpha": {"accepts": "a number >= 0 and <= 1 or null", "required": False, "default": None},
            "weight": {"accepts": "a list of numbers, a Tensor or null", "required": False, "default": None},
            "reduction": {"accepts": "'none', 'mean' or 'sum'", "required": False, "default": "mean"},
        },
    }


def test_a_description_says_what_is_required(losses):
    """A parameter without a default has none."""
    assert describe("tversky_loss", registry=losses)["parameters"]["alpha"] == {
        "accepts": "a number",
        "required": True,
    }
