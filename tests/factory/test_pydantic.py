"""``LossSpec`` as the type of a field, with toys; the guide's example runs against the real losses."""

from __future__ import annotations

import pytest

from lossary_factory import ConfigError, LossSpec, _spec, check, validate

pydantic = pytest.importorskip("pydantic")


@pytest.fixture
def field(losses, monkeypatch):
    """Return what pydantic makes of the type, with the toys as the installed collection."""
    monkeypatch.setattr(_spec, "installed_registry", lambda: losses)
    return pydantic.TypeAdapter(LossSpec)


def test_a_field_takes_names_configs_and_specs(field, losses):
    """All of them become specs, and a spec is taken as it is."""
    spec = validate({"name": "dice_loss", "params": {"smooth": 2}}, registry=losses)
    assert field.validate_python("FocalLoss") == validate("focal_loss", registry=losses)
    assert field.validate_python({"name": "dice_loss", "params": {"smooth": 2}}) == spec
    assert field.validate_python(spec) is spec


def test_a_field_is_written_as_a_config(field):
    """The JSON of a spec gives the spec again."""
    spec = field.validate_python({"sum": {"a": {"name": "dice_loss", "weight": 2}}})
    assert field.dump_python(spec) == {"sum": {"a": {"name": "dice_loss", "weight": 2.0}}}
    assert field.validate_json(field.dump_json(spec)) == spec


def test_a_wrong_config_is_our_report(field, losses):
    """The message is the factory's, and the context has each problem as data."""
    config = {"name": "focal_loss", "params": {"gama": 1, "alpha": 2}}
    with pytest.raises(ConfigError) as ours:
        validate(config, registry=losses)
    with pytest.raises(pydantic.ValidationError) as theirs:
        field.validate_python(config)
    (error,) = theirs.value.errors()
    assert (error["type"], error["msg"]) == ("loss_config", str(ours.value))
    assert error["ctx"]["problems"] == [problem.to_dict() for problem in check(config, registry=losses)]


def test_an_object_of_python_cannot_be_written(field, losses):
    """It is an error of serialization, not a config that means something else."""

    @losses.register(name="any_loss")
    class AnyLoss(losses.base_class):
        def __init__(self, rows=None) -> None: ...

    spec = field.validate_python({"name": "any_loss", "params": {"rows": object()}})
    with pytest.raises(ValueError, match="rows"):
        field.dump_json(spec)
