"""``defs`` and ``use``."""

from __future__ import annotations

import pytest

from lossary_factory import check, load, validate


def found(config, losses):
    return [(each.code, each.path) for each in check(config, registry=losses)]


def test_a_use_is_what_was_defined(losses):
    """``{use: ID}`` stands for the node under ``defs``, in any place where a node stands."""
    config = {
        "defs": {"base": {"name": "focal_loss", "params": {"gamma": 1}}},
        "loss": {"sum": {"a": {"use": "base", "weight": 0.5}, "b": {"use": "base"}}},
    }
    plain = {"name": "focal_loss", "params": {"gamma": 1}}
    assert validate(config, registry=losses) == validate(
        {"sum": {"a": {**plain, "weight": 0.5}, "b": plain}}, registry=losses
    )


def test_a_use_replaces_parameters(losses):
    """What stands under ``params`` goes before what the definition says, parameter by parameter."""
    config = {
        "defs": {"base": {"name": "focal_loss", "params": {"gamma": 1, "alpha": 0.5}}},
        "loss": {"use": "base", "params": {"gamma": 4}},
    }
    assert validate(config, registry=losses).params == {"gamma": 4.0, "alpha": 0.5}


def test_definitions_use_each_other(losses):
    """A definition may be made of others, in whatever order they stand."""
    config = {
        "defs": {"both": {"sum": {"a": {"use": "one"}, "b": "dice_loss"}}, "one": "focal_loss"},
        "loss": {"use": "both"},
    }
    assert validate(config, registry=losses).params["terms"]["a"].name == "focal_loss"


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ({"defs": {"a": "dice_loss"}, "loss": {"use": "b"}}, [("unknown-definition", "loss.use")]),
        ({"loss": {"use": "a"}}, [("unknown-definition", "loss.use")]),
        ({"use": "a"}, [("unknown-definition", "use")]),
        ({"loss": {"use": 3}}, [("wrong-type", "loss.use")]),
        ({"defs": ["dice_loss"], "loss": "dice_loss"}, [("wrong-type", "defs")]),
        ({"defs": {1: "dice_loss"}, "loss": "dice_loss"}, [("bad-key", "defs[1]")]),
        ({"defs": {"a": "dise_loss"}, "loss": "dice_loss"}, [("unknown-loss", "defs.a")]),
        (
            {
                "defs": {"a": {"name": "dice_loss", "params": {"x": 1}}},
                "loss": {"sum": {"p": {"use": "a"}, "q": {"use": "a"}}},
            },
            [("unknown-parameter", "defs.a.params.x")],
        ),
        (
            {"defs": {"a": "dice_loss"}, "loss": {"use": "a", "params": {"smoth": 1}}},
            [("unknown-parameter", "loss.params.smoth")],
        ),
        ({"defs": {"a": {"use": "a"}}, "loss": "dice_loss"}, [("definition-cycle", "defs.a.use")]),
        (
            {"defs": {"a": {"sum": {"x": {"use": "b"}}}, "b": {"use": "a"}}, "loss": {"use": "a"}},
            [("definition-cycle", "defs.b.use")],
        ),
    ],
)
def test_a_wrong_definition_is_reported_once(losses, config, problems):
    """Each mistake has one problem, where it stands, however often the definition is used, or never."""
    assert found(config, losses) == problems


def test_a_cycle_is_shown(losses):
    """The message names every step of it."""
    config = {"defs": {"a": {"use": "b"}, "b": {"use": "a"}}, "loss": {"use": "a"}}
    (problem,) = check(config, registry=losses)
    assert problem.message == "'a' is used in its own definition: a -> b -> a"


def test_definitions_that_double_are_refused(losses):
    """Forty definitions, each of two of the one before, would be built as a million million losses."""
    defs = {"a0": "dice_loss"}
    for number in range(1, 41):
        defs[f"a{number}"] = {"sum": {"x": {"use": f"a{number - 1}"}, "y": {"use": f"a{number - 1}"}}}
    problems = check({"defs": defs, "loss": {"use": "a40"}}, registry=losses)
    assert {problem.code for problem in problems} == {"too-large"}


def test_a_definition_may_be_used_a_thousand_times(losses):
    """Use alone is no abuse."""
    terms = {f"t{number}": {"use": "a"} for number in range(1000)}
    assert check({"defs": {"a": "dice_loss"}, "loss": {"sum": terms}}, registry=losses) == []


def test_definitions_in_toml(losses, write):
    """Reuse does not depend on what a format offers: TOML has no anchors."""
    text = "[defs]\nbase = 'dice_loss'\n[loss]\nuse = 'base'\nparams = {smooth = 2}\n"
    assert load(write("train.toml", text), registry=losses).params == {"smooth": 2.0}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("wrap", [lambda use: use, lambda use: {"sum": {"a": use}}])
def test_definitions_that_follow_each_other_for_long_are_refused(losses, order, wrap):
    """A chain of definitions counts as nesting, in whatever order it stands: nothing runs out of stack."""
    chain = [("a0", "dice_loss"), *((f"a{n}", wrap({"use": f"a{n - 1}"})) for n in range(1, 3000))]
    problems = check({"defs": dict(chain[::order]), "loss": {"use": "a2999"}}, registry=losses)
    assert {problem.code for problem in problems} == {"too-deep"}
    assert "more than 100 levels deep" in problems[0].message


def test_definitions_may_follow_each_other_for_a_while(losses):
    """Ten definitions, each in a sum of the next, are built."""
    defs = {f"a{n}": {"sum": {"a": {"use": f"a{n + 1}"}}} for n in range(10)}
    loss = validate({"defs": {**defs, "a10": "dice_loss"}, "loss": {"use": "a0"}}, registry=losses).build()
    for _ in range(10):
        loss = loss.terms["a"]
    assert type(loss) is losses.get("dice_loss")


@pytest.mark.parametrize(
    "defs", [{"\x1b[31m": "dice_loss"}, {"base": {"use": "\x1b[31m"}, "\x1b[31m": {"use": "\x1b[31m"}}]
)
def test_names_of_definitions_are_printable_in_messages(losses, defs):
    """What a config calls a definition cannot write to the terminal of who reads the message."""
    problems = check({"defs": defs, "loss": {"use": "bse"}}, registry=losses)
    assert problems
    assert "\x1b" not in "".join(map(str, problems))


def test_parameters_of_any_kind_may_stand_at_a_use(losses):
    """What is no mapping is said to be none, and not asked whether it is true."""

    class Odd:
        def __bool__(self):
            raise ValueError("ambiguous")

    config = {"defs": {"base": "dice_loss"}, "loss": {"use": "base", "params": Odd()}}
    assert found(config, losses) == [("wrong-type", "loss.params")]
