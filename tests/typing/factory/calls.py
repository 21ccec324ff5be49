"""What a type checker knows of the factory: a registry's type goes through to what is built."""

from pathlib import Path
from typing import Any

from typing_extensions import assert_type

from lossary_factory import ConfigError, LossSpec, Problem, build, check, describe, load, to_config, validate
from lossary_registry import Registry


class Loss:
    """The base of some collection."""


class SpecialLoss(Loss):
    """One of them."""


losses = Registry(Loss, "losses")

assert_type(validate("some_loss", registry=losses), LossSpec[Loss])
assert_type(validate({"name": "some_loss"}, registry=losses).build(), Loss)
assert_type(load("train.yaml", registry=losses), LossSpec[Loss])
assert_type(load(Path("train.yaml"), registry=losses).loss_class, type[Loss])
assert_type(build({"loss": {"sum": {"a": "some_loss"}}}, registry=losses), Loss)
assert_type(build(Path("train.yaml"), registry=losses), Loss)
assert_type(build(validate("some_loss", registry=losses)), Loss)

# What is expected is what is built, whatever the registry says.
assert_type(build("some_loss", registry=losses, expect=SpecialLoss), SpecialLoss)
assert_type(build(validate("some_loss"), expect=SpecialLoss), SpecialLoss)

spec = load("train.yaml", registry=losses, key="train.loss", overrides=["train.loss.weight=1"], allow={"a"})
assert_type(spec.replace("params.gamma", 3), LossSpec[Loss])
assert_type(spec.with_defaults(), LossSpec[Loss])
assert_type(spec.to_dict(defaults=True), dict[str, Any])
assert_type(spec.fingerprint(), str)
assert_type(to_config(Loss(), registry=losses), dict[str, Any])
assert_type(describe("some_loss", registry=losses), dict[str, Any])

# Without a registry the installed collection decides, at run time.
assert_type(validate("some_loss"), LossSpec[Any])
assert_type(build("some_loss"), Any)

assert_type(check("train.yaml"), list[Problem])
assert_type(ConfigError([]).problems, tuple[Problem, ...])
assert_type(ConfigError([]).to_json(), str)

validate(3)  # type: ignore[call-overload]  # ty: ignore
load({"name": "some_loss"})  # type: ignore[call-overload]  # ty: ignore
validate("some_loss").name = "other"  # type: ignore[misc]  # ty: ignore
