"""Overrides, and configs inside of larger ones."""

from __future__ import annotations

import warnings

import pytest

from lossary_factory import ConfigError, ConfigWarning, build, check, load, validate

CONFIG = {
    "loss": {
        "sum": {
            "region": "dice_loss",
            "pixel": {"name": "focal_loss", "weight": 0.3, "params": {"gamma": 1, "weight": [1, 2]}},
        }
    }
}
TRAIN = """\
train:
  epochs: 3
  gamma: 2.0
  loss:
    name: focal_loss
"""


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("loss.sum.pixel.weight=0.5", ("weights", "pixel"), 0.5),
        ("loss.sum.pixel.weight = 5e-1", ("weights", "pixel"), 0.5),
        ("loss.sum.region.weight=2", ("weights", "region"), 2.0),
    ],
)
def test_an_override_puts_a_value_in_the_place_of_another(losses, override, path, value):
    """The value is read as YAML reads it; a loss that is a mere name gets the key all the same."""
    spec = validate(CONFIG, registry=losses, overrides=[override])
    assert spec.params[path[0]][path[1]] == value


@pytest.mark.parametrize(
    ("override", "params"),
    [
        ("loss.sum.pixel.params.gamma=3", {"gamma": 3.0, "weight": [1.0, 2.0]}),
        ("loss.sum.pixel.params.alpha=.5", {"gamma": 1.0, "weight": [1.0, 2.0], "alpha": 0.5}),
        ("loss.sum.pixel.params.weight[-1]=5", {"gamma": 1.0, "weight": [1.0, 5.0]}),
        ("loss.sum.pixel.params={alpha: null}", {"alpha": None}),
        ("loss.sum.pixel=focal_loss", {}),
    ],
)
def test_overrides_reach_any_depth(losses, override, params):
    """Parameters may be new, items of lists are chosen by index, and whole mappings may be replaced."""
    assert validate(CONFIG, registry=losses, overrides=[override]).params["terms"]["pixel"].params == params


def test_overrides_leave_the_config_alone(losses):
    """What is given is not changed."""
    validate(CONFIG, registry=losses, overrides=["loss.sum.pixel.params.weight[0]=7"])
    assert CONFIG["loss"]["sum"]["pixel"]["params"]["weight"] == [1, 2]


def test_the_last_override_counts(losses):
    """Overrides are applied in their order."""
    overrides = ["loss.sum.pixel.weight=1", "loss.sum.pixel.weight=2"]
    assert validate(CONFIG, registry=losses, overrides=overrides).params["weights"]["pixel"] == 2.0


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        (
            "loss.sum.regoin.weight=1",
            "loss.sum has no 'regoin'",
            "did you mean 'region'? it has: region, pixel",
        ),
        ("loss.sum.pixel.params.weight[2]=1", "loss.sum.pixel.params.weight has no [2]", "it has 2 values"),
        (
            "loss.sum.pixel.params.weight.first=1",
            (
                "loss.sum.pixel.params.weight is a list, whose values are chosen by [index], "
                "and so has no 'first'"
            ),
            "",
        ),
        ("loss.sum.pixel.weight.x=1", "loss.sum.pixel.weight is no mapping, and so has no 'x'", ""),
        ("loss", "an override is written PATH=VALUE", ""),
        ("loss..sum=1", "a path reads like loss.sum.region.weight or params.weight[0], and not '..sum'", ""),
        ("=1", "a path reads like loss.sum.region.weight or params.weight[0], and not ''", ""),
    ],
)
def test_an_override_that_leads_nowhere(losses, override, message, hint):
    """A path has to lead through what is there, and the message says where it ends."""
    (problem,) = check(CONFIG, registry=losses, overrides=[override])
    assert (problem.code, problem.file, problem.line_text) == ("bad-override", "override", override)
    assert (problem.message, problem.hint) == (message, hint)


def test_a_wrong_value_is_shown_in_its_override(losses, write):
    """A value that came from an override is no line of the file."""
    file = write("train.yaml", "loss:\n  name: dice_loss\n  params: {smooth: 1}\n")
    (problem,) = check(file, registry=losses, overrides=["loss.params.smooth=-1"])
    assert str(problem) == (
        "override:1:20: error[out-of-range]: smooth must be >= 0, not -1\n"
        "    at loss.params.smooth\n"
        "    1 | loss.params.smooth=-1\n"
        "      |                    ^^"
    )


def test_overrides_are_a_list(losses):
    """One text would be taken for a list of letters."""
    with pytest.raises(TypeError, match="not one text"):
        validate(CONFIG, registry=losses, overrides="loss.sum.pixel.weight=1")


def test_a_key_finds_the_config(losses, write):
    """``key=`` says where the loss stands in a larger file, whose other keys are not judged."""
    file = write("train.yaml", "train: {epochs: 3, loss: {name: dice_loss}}\nmodel: {depth: 5}\n")
    assert load(file, registry=losses, key="train.loss") == validate("dice_loss", registry=losses)


def test_problems_at_a_key_have_the_whole_path(losses, write):
    """Path and line are those of the file."""
    file = write("train.yaml", "train:\n  loss: {name: dise_loss}\n")
    (problem,) = check(file, registry=losses, key="train.loss")
    assert (problem.path, problem.line, problem.column) == ("train.loss.name", 2, 16)


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("train.los", "train", "train has no 'los', where the loss was to be"),
        ("trian.loss", "", "the config has no 'trian', where the loss was to be"),
        ("train.epochs.loss", "train.epochs", "train.epochs has no 'loss', where the loss was to be"),
    ],
)
def test_a_key_that_is_not_there(losses, write, key, path, message):
    """The problem says how far the key leads, and what there is instead."""
    (problem,) = check(write("train.yaml", TRAIN), registry=losses, key=key)
    assert (problem.code, problem.path, problem.message) == ("no-such-key", path, message)


def test_a_document_may_stand_at_a_key(losses):
    """What stands at the key may have definitions of its own."""
    config = {"run": {"defs": {"a": "dice_loss"}, "loss": {"use": "a"}}}
    assert validate(config, registry=losses, key="run").name == "dice_loss"


def test_a_parameter_beside_the_loss_is_a_warning(losses, write):
    """A line that lost its indentation is pointed out; the config can be used all the same."""
    file = write("train.yaml", TRAIN)
    (problem,) = check(file, registry=losses, key="train.loss")
    assert str(problem) == (
        "train.yaml:3:3: warning[misplaced-key]: 'gamma' stands beside 'loss', "
        "and is a parameter of focal_loss\n"
        "    at train.gamma\n"
        "    3 |   gamma: 2.0\n"
        "      |   ^^^^^\n"
        "    if it is for the loss, write it under loss.params"
    )


@pytest.mark.parametrize("function", [load, build])
def test_a_warning_is_warned_of(losses, write, function):
    """``load`` and ``build`` go on, and warn with the line of whoever called them."""
    file = write("train.yaml", TRAIN)
    with pytest.warns(ConfigWarning, match="'gamma' stands beside 'loss'") as caught:
        function(file, registry=losses, key="train.loss")
    assert caught[0].filename == __file__


def test_siblings_of_a_composite_are_no_mistake(losses):
    """A sum has no parameters that a config gives beside it."""
    config = {"loss": {"sum": {"a": "dice_loss"}}, "weights": [1], "terms": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validate(config, registry=losses, key="loss")


def test_a_deprecated_name_is_a_warning(losses):
    """A name that goes away works, and the warning says what to write."""
    from lossary_registry import Deprecated  # noqa: PLC0415  # for this test only

    losses.register(losses.get("dice_loss"), name="overlap", aliases={"soft_dice": Deprecated(since="0.3")})
    (problem,) = check("soft_dice", registry=losses)
    assert (problem.severity, problem.code, problem.hint) == ("warning", "deprecated-name", "write overlap")
    assert problem.message == "the name 'soft_dice' is deprecated since 0.3"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("use", ["dice_loss", ""])
def test_a_loss_that_is_deprecated_itself_is_one_problem(losses, use):
    """Its user is told once, as a problem, and by no warning of the registry."""
    from lossary_registry import Deprecated  # noqa: PLC0415  # for this test only

    losses.register(type("Old", (losses.base_class,), {}), name="old", deprecated=Deprecated(use=use))
    (problem,) = check("old", registry=losses)
    assert (problem.severity, problem.code, problem.hint) == (
        "warning",
        "deprecated-name",
        f"write {use}" if use else "",
    )


def test_errors_beside_warnings_are_errors(losses, write):
    """A warning makes nothing right."""
    with pytest.raises(ConfigError) as caught:
        load(write("train.yaml", TRAIN + "    params: {x: 1}\n"), registry=losses, key="train.loss")
    assert [problem.severity for problem in caught.value.problems] == ["warning", "error"]


@pytest.mark.parametrize(
    ("override", "code", "path", "column"),
    [
        ("loss.sum.pixel.weight=", "wrong-type", "loss.sum.pixel.weight", 23),
        ("loss=[1", "syntax", "loss", 8),
        ("loss={a: 1, a: 2}", "duplicate-key", "loss.a", 13),
        ("loss=!!python/name:os.system x", "tag-not-allowed", "loss", 6),
        ("loss=&a [*a]", "alias-cycle", "loss[0]", 10),
    ],
)
def test_a_value_that_cannot_be_read_is_shown_in_its_override(losses, override, code, path, column):
    """The place is that in the whole override, path and all."""
    (problem,) = check(CONFIG, registry=losses, overrides=[override])
    assert (problem.code, problem.path, problem.column) == (code, path, column)
    assert problem.line_text == override


def test_a_value_of_several_lines_is_read(losses):
    """What stands behind the sign is YAML of any form."""
    spec = validate("dice_loss", registry=losses, overrides=["params=smooth: 2\nmode: hard"])
    assert spec.to_dict() == {"name": "dice_loss", "params": {"smooth": 2.0, "mode": "hard"}}


@pytest.mark.parametrize("override", [b"loss=dice_loss", 3, None])
def test_an_override_is_text(losses, override):
    """Anything else is a mistake of the program, and said so."""
    with pytest.raises(TypeError, match=r"an override is a text such as 'loss.name=dice_loss', not "):
        check(CONFIG, registry=losses, overrides=[override])


def test_a_key_that_is_no_word_is_quoted_once(losses):
    """A key is shown as it was written."""
    (problem,) = check(CONFIG, registry=losses, overrides=["+loss.sum.x=1"])
    assert problem.message == "the config has no '+loss'"


def test_a_path_that_begins_inside_the_loss_is_completed(losses):
    """In a document the path of a term begins with ``loss``."""
    (problem,) = check(CONFIG, registry=losses, overrides=["sum.pixel.weight=1"])
    assert problem.hint.startswith("did you mean 'loss.sum.pixel.weight'? it has: loss")


def test_the_inputs_of_a_head_may_be_new(composites):
    """As its parameters may."""
    config = {"heads": {"depth": "called_loss"}}
    spec = validate(config, registry=composites, overrides=["heads.depth.inputs.target=target.metres"])
    assert spec.params["inputs"] == {"depth": {"target": "target.metres"}}


BESIDE = """\
optim: {lr: !!float 1e-4, lr: 3}
shared: &shared {smooth: !!float 1e-4}
base: &base
  loss: {name: dice_loss, params: *shared}
"""


@pytest.mark.parametrize(
    ("train", "lines"),
    [
        ("train: {loss: dice_loss}", []),
        ("train: {loss: {name: dice_loss, params: *shared}}", [2]),
        ("train: *base", [2]),
        ("train: {<<: *base}", [2]),
        ("train: {<<: [*base]}", [2]),
        ("train: {loss: dice_loss, extra: *base}", []),
        ("train: {loss: dice_loss}\ntrain: {loss: dice_loss}", [6]),
    ],
)
def test_what_stands_beside_the_key_is_not_judged(losses, write, train, lines):
    """Another tool may allow tags and keys twice; what the loss itself uses is judged, wherever it stands."""
    file = write("train.yaml", BESIDE + train)
    assert [problem.line for problem in check(file, registry=losses, key="train.loss")] == lines


def test_duplicates_beside_the_key_are_not_judged_in_json(losses, write):
    """The same for JSON."""
    text = '{"a": 1, "a": NaN, "loss": {"name": "dice_loss", "params": {"smooth": 1, "smooth": 2}}}'
    (problem,) = check(write("a.json", text), registry=losses, key="loss")
    assert problem.path == "loss.params.smooth"
