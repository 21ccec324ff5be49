from __future__ import annotations

import copy
import functools
import pickle
import sys
from pathlib import Path

import pytest

from lossary_factory import ConfigError, LossSpec, build, check, load, make_manifest, schema, validate
from lossary_registry import FunctionRegistry, Registry, UnknownNameError

TEXT = """\
loss:
  sum:
    region: {name: dice_loss, weight: 0.7}
    pixel:
      name: focal_loss
      params: {gamma: 1, weight: [0.25, 0.75]}
"""


def test_what_is_built_has_what_the_config_says(losses, write):
    """Terms, weights and parameters arrive in the constructors."""
    loss = build(write("train.yaml", TEXT), registry=losses)
    assert loss.weights == {"region": 0.7, "pixel": 1.0}
    assert loss.terms["region"].smooth == 1.0
    assert (loss.terms["pixel"].gamma, loss.terms["pixel"].weight) == (1.0, (0.25, 0.75))


def test_a_text_is_a_path_by_its_ending(losses, write):
    """``build`` and ``check`` read a text that ends as a config file does; any other is a name."""
    write("dice_loss.yaml", "loss: focal_loss")
    assert type(build("dice_loss.yaml", registry=losses)) is losses.get("focal_loss")
    assert type(build(Path("dice_loss.yaml"), registry=losses)) is losses.get("focal_loss")
    assert type(build("dice_loss", registry=losses)) is losses.get("dice_loss")
    assert check("dice_loss.yaml", registry=losses) == []


def test_validate_takes_a_text_as_a_name(losses, write):
    """``validate`` opens no file; for what looks like one it names the function that does."""
    write("train.yaml", TEXT)
    with pytest.raises(ConfigError) as caught:
        validate("train.yaml", registry=losses)
    (problem,) = caught.value.problems
    assert problem.code == "unknown-loss"
    assert problem.hint.splitlines()[-1] == "this looks like a file: load() reads one"


def test_validate_opens_no_path(losses):
    """A path object is no config either; the hint names the function that reads one."""
    with pytest.raises(ConfigError) as caught:
        validate(Path("train.yaml"), registry=losses)
    (problem,) = caught.value.problems
    assert (problem.code, problem.hint) == ("wrong-type", "load() reads a file")


def test_a_spec_builds_any_number_of_losses(losses):
    """Each build makes new objects, which share nothing."""
    spec = validate(
        {"name": "masked_loss", "params": {"inner": "dice_loss", "others": ["dice_loss"]}}, registry=losses
    )
    first, second = spec.build(), build(spec)
    assert first.inner is not second.inner
    assert first.others is not second.others


def test_a_spec_builds_what_was_checked(losses):
    """A registry that changes after validation does not change what a spec builds."""
    spec = validate("dice_loss", registry=losses)
    losses.register(losses.get("focal_loss"), name="dice_loss", force=True)
    assert type(spec.build()).__name__ == "DiceLoss"


def test_specs_are_values(losses, write):
    """Equal configs give equal specs, wherever they come from; specs survive copying, and are frozen."""
    spec = load(write("train.yaml", TEXT), registry=losses)
    assert copy.deepcopy(spec) == spec
    with pytest.raises(AttributeError):
        spec.name = "other"


def test_nothing_is_built_before_everything_is_checked(losses):
    """One problem anywhere, and no constructor is called at all."""
    calls = []

    @losses.register(name="counted_loss")
    class Counted(losses.base_class):
        def __init__(self) -> None:
            calls.append(self)

    with pytest.raises(ConfigError):
        build({"sum": {"a": "counted_loss", "b": "nothing"}}, registry=losses)
    assert calls == []


def test_an_error_of_a_constructor_keeps_its_type_and_gains_its_place(losses, write):
    """The constructor's own exception goes through, with a note of the path, the file and the line."""
    file = write("train.yaml", "loss:\n  sum:\n    region:\n      name: broken_loss\n")
    with pytest.raises(RuntimeError) as caught:
        build(file, registry=losses)
    note = "while building broken_loss at loss.sum.region (train.yaml:3:5)"
    assert caught.value.__notes__ == [note]
    message = "no room for 1"
    assert str(caught.value) == (message if sys.version_info >= (3, 11) else f"{message}\n{note}")


def test_the_note_of_a_mapping_has_no_file(losses):
    """A config without a file has a path all the same."""
    with pytest.raises(RuntimeError) as caught:
        build({"sum": {"region": "broken_loss"}}, registry=losses)
    assert caught.value.__notes__ == ["while building broken_loss at sum.region"]


def test_config_errors_travel_between_processes(losses):
    """Pickled and loaded, an error has the same problems and the same text."""
    with pytest.raises(ConfigError) as caught:
        build("nothing", registry=losses)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_config_error_is_a_value_error(losses):
    """Code that catches ValueError catches a wrong config."""
    with pytest.raises(ValueError, match="1 problem in the config"):
        validate("nothing", registry=losses)


def test_spec_reads_as_what_it_is(losses):
    """The representation shows the name, the parameters and the class, and not the file."""
    spec = validate({"name": "dice_loss", "params": {"smooth": 2}}, registry=losses)
    assert isinstance(spec, LossSpec)
    assert repr(spec).startswith("LossSpec(name='dice_loss', params={'smooth': 2.0}, loss_class=<class '")


def test_what_is_expected_is_built(losses):
    """``expect=`` lets a loss of that class through."""
    kind = losses.get("dice_loss")
    assert type(build("dice_loss", registry=losses, expect=kind)) is kind


def test_what_is_not_expected_is_not_built(losses, write):
    """A loss of another class is a wrong config, with the place of the loss, and nothing is built."""
    file = write("train.yaml", "loss:\n  name: broken_loss\n")
    with pytest.raises(ConfigError) as caught:
        build(file, registry=losses, expect=losses.get("dice_loss"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, problem.line) == ("wrong-kind", "loss", 1)
    assert problem.message == "broken_loss is no DiceLoss, which is what was expected"


def test_what_a_function_makes_is_checked_when_it_is_made():
    """A registered function does not tell its result; the result itself does."""
    functions = Registry(None, "functions")
    functions.register(lambda: 3, name="three")
    assert build("three", registry=functions, expect=int) == 3
    with pytest.raises(ConfigError, match="three is no str"):
        build("three", registry=functions, expect=str)


@pytest.mark.parametrize(
    ("allow", "codes"), [(["DiceLoss"], ["loss-not-allowed"]), (["dice_loss", "focal_loss"], [])]
)
def test_a_config_may_be_held_to_some_names(losses, allow, codes):
    """Of all that is registered, only what is allowed can be named; sums of it always can."""
    config = {"sum": {"a": "dice_loss", "b": "FocalLoss"}}
    assert [problem.code for problem in check(config, registry=losses, allow=allow)] == codes


def test_names_that_are_allowed_have_to_be_there(losses):
    """A name that nobody registered is a mistake in the program, not in the config."""
    with pytest.raises(UnknownNameError):
        check("dice_loss", registry=losses, allow=["dise_loss"])


def test_allow_is_no_single_name(losses):
    """A text is a collection of letters, which nobody means."""
    with pytest.raises(TypeError, match="allow is a collection of names, not one name"):
        validate("dice_loss", registry=losses, allow="dice_loss")


@pytest.mark.parametrize(
    "options",
    [{"allow": ["dice_loss"]}, {"overrides": ["loss=dice_loss"]}, {"key": "loss"}, {"registry": "itself"}],
    ids=str,
)
@pytest.mark.parametrize("expect", [None, object])
def test_a_spec_was_read_already(losses, options, expect):
    """What says how to read a config comes too late for a spec, and is refused rather than ignored."""
    spec = validate("focal_loss", registry=losses)
    if "registry" in options:
        options = {"registry": losses}
    with pytest.raises(
        TypeError, match="a spec was checked already: pass registry, key, overrides and allow"
    ):
        build(spec, expect=expect, **options)


@pytest.mark.parametrize("expect", [(int, str), "Loss", 5])
def test_what_is_expected_is_a_class(losses, expect):
    """A wrong call says what is asked for."""
    with pytest.raises(TypeError, match="expect is the class that the loss has to be of, not "):
        build("dice_loss", registry=losses, expect=expect)


@pytest.mark.parametrize("registry", [FunctionRegistry("Functions"), "losses", dict])
def test_a_registry_is_one_of_classes(registry):
    """A wrong call says what is asked for, whichever function it is."""
    for call in (check, validate, build):
        with pytest.raises(TypeError, match="registry is a Registry of classes, not a "):
            call("dice_loss", registry=registry)
    for describing in (schema, functools.partial(make_manifest, version="1")):
        with pytest.raises(TypeError, match="registry is a Registry of classes, not a "):
            describing(registry=registry)
