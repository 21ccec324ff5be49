"""What a type checker knows of the factory: a registry's type goes through to what is built."""

from pathlib import Path
from typing import Any

from typing_extensions import assert_type

from lossary_factory import ConfigError, LossSpec, Problem, build, check, load, validate
from lossary_registry import Registry


class Loss:
    """The base of some collection."""


losses = Registry(Loss, "losses")

assert_type(validate("some_loss", registry=losses), LossSpec[Loss])
assert_type(validate({"name": "some_loss"}, registry=losses).build(), Loss)
assert_type(load("train.yaml", registry=losses), LossSpec[Loss])
assert_type(load(Path("train.yaml"), registry=losses).loss_class, type[Loss])
assert_type(build({"loss": {"sum": {"a": "some_loss"}}}, registry=losses), Loss)
assert_type(build(Path("train.yaml"), registry=losses), Loss)
assert_type(build(validate("some_loss", registry=losses)), Loss)

# Without a registry the installed collection decides, at run time.
assert_type(validate("some_loss"), LossSpec[Any])
assert_type(build("some_loss"), Any)

assert_type(check("train.yaml"), list[Problem])
assert_type(ConfigError([]).problems, tuple[Problem, ...])

validate(3)  # type: ignore[call-overload]  # ty: ignore
load({"name": "some_loss"})  # type: ignore[call-overload]  # ty: ignore
validate("some_loss").name = "other"  # type: ignore[misc]  # ty: ignore
