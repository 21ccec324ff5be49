"""Configs of other tools: what is known is rewritten, all else refused or said to be another number."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lossary_factory import check
from lossary_factory._command import call, group
from lossary_factory._command.verbs import migrate as verb
from lossary_factory._migration import migrate, read_records
from lossary_factory._migration.rules import read_rule

RECORDS = {
    "format": 1,
    "version": "1.0",
    "callables": [
        {
            "library": "theirs",
            "names": ["theirs.losses.Focal", "theirs.Focal"],
            "parameters": {
                "gamma": {"default": 3.0},
                "alpha": {"default": -1},
                "softmax": {"default": False},
                "weight": {"default": None},
                "reduction": {"default": "mean"},
            },
            "cases": [
                {
                    "node": {"name": "focal_loss"},
                    "when": {"softmax": [False]},
                    "rules": {
                        "gamma": {"to": "params.gamma"},
                        "alpha": {"to": "params.alpha", "map": [[-1, None]], "takes": "number"},
                        "softmax": {"drop": "any"},
                        "weight": {
                            "to": "params.weight",
                            "drop": [None],
                            "takes": "list",
                            "differs": "its mean has them elsewhere",
                        },
                        "reduction": {"to": "params.reduction", "only": ["mean", "sum"]},
                    },
                }
            ],
            "missing": "with softmax it is another loss",
        },
        {
            "library": "theirs",
            "names": ["theirs.losses.Overlap"],
            "parameters": {"mode": {}, "smooth": {"default": 0.0}},
            "cases": [
                {
                    "node": {"sum": {"dice": {"name": "dice_loss"}, "focal": {"name": "focal_loss"}}},
                    "rules": {
                        "mode": {"drop": "any"},
                        "smooth": {"to": "sum.dice.params.smooth", "by": "twice"},
                    },
                    "differs": ["it takes probabilities"],
                    "notes": ["labels have no channel here"],
                }
            ],
        },
        {
            "library": "theirs",
            "names": ["theirs.losses.DiceLoss"],
            "parameters": {"sigmoid": {"default": False}},
            "cases": [],
            "missing": "its sizes are squares",
        },
    ],
}


@pytest.fixture
def migrated(composites):
    """Return a function that migrates a config, and gives ours, the codes of findings, and the notes."""

    def migrated(old, **options):
        migration = migrate({"loss": old}, composites, read_records(RECORDS), **options)
        codes = [finding.problem.code for finding in migration.findings]
        if not codes:
            assert check(migration.config, registry=composites) == []
        return migration.config["loss"], codes, migration.notes

    return migrated


@pytest.fixture
def lossary(composites, monkeypatch):
    """Return a function that calls the verb on the toys and their records."""
    monkeypatch.setattr(call, "described_registry", lambda _collection: composites)
    monkeypatch.setattr(verb, "described_migrations", lambda _collection: RECORDS)
    return lambda *arguments: CliRunner().invoke(group.lossary, ["migrate", *arguments], prog_name="lossary")


OWN = [
    (
        {"_target_": "dice_loss", "_convert_": "all", "smooth": 2},
        {"name": "dice_loss", "params": {"smooth": 2}},
    ),
    (
        {"class_path": "tversky_loss", "init_args": {"alpha": 1, "beta": 2}},
        {"name": "tversky_loss", "params": {"alpha": 1, "beta": 2}},
    ),
    ({"type": "focal_loss", "weight": [1, 2]}, {"name": "focal_loss", "params": {"weight": [1, 2]}}),
    ({"type": "dice_loss", "params": {"smooth": 1}}, {"name": "dice_loss", "params": {"smooth": 1}}),
    (
        {"_target_": "masked_loss", "inner": {"_target_": "dice_loss"}},
        {"name": "masked_loss", "params": {"inner": {"name": "dice_loss"}}},
    ),
    (
        {"_target_": "tversky_loss", "_args_": [1, 2]},
        {"name": "tversky_loss", "params": {"alpha": 1, "beta": 2}},
    ),
    ({"type": "dice_loss", "loss_weight": 1.0}, {"name": "dice_loss"}),
    ({"type": "dice_loss", "loss_weight": 3}, {"sum": {"loss": {"name": "dice_loss", "weight": 3}}}),
    (
        [{"type": "dice_loss", "loss_weight": 3.0, "loss_name": "d"}, "focal_loss"],
        {"sum": {"d": {"name": "dice_loss", "weight": 3.0}, "focal": {"name": "focal_loss"}}},
    ),
    (
        [{"name": "d", "_target_": "dice_loss", "weight": 2}, {"loss": "dice_loss", "weight": 0.5}],
        {"sum": {"d": {"name": "dice_loss", "weight": 2}, "dice": {"name": "dice_loss", "weight": 0.5}}},
    ),
    (
        {"dice_loss": 0.5, "focal_loss": 0.25},
        {
            "sum": {
                "dice": {"name": "dice_loss", "weight": 0.5},
                "focal": {"name": "focal_loss", "weight": 0.25},
            }
        },
    ),
    (
        {
            "type": "combined",
            "components": [{"type": "dice_loss", "params": {"smooth": 1}}, "dice_loss"],
            "weights": [0.6, 0.4],
        },
        {
            "sum": {
                "dice": {"name": "dice_loss", "params": {"smooth": 1}, "weight": 0.6},
                "dice_2": {"name": "dice_loss", "weight": 0.4},
            }
        },
    ),
    (
        {"type": "MixedLoss", "losses": ["dice_loss", "focal_loss"], "coef": [0.8, 0.3]},
        {
            "sum": {
                "dice": {"name": "dice_loss", "weight": 0.8},
                "focal": {"name": "focal_loss", "weight": 0.3},
            }
        },
    ),
    (
        {
            "type": "weighted_sum",
            "terms": {"a": "dice_loss", "b": "focal_loss"},
            "weights": {"b": 0.3, "a": 0.7},
        },
        {"sum": {"a": {"name": "dice_loss", "weight": 0.7}, "b": {"name": "focal_loss", "weight": 0.3}}},
    ),
    (
        {"type": "product", "components": ["dice_loss", {"type": "product", "components": ["focal_loss"]}]},
        {"product": {"dice": {"name": "dice_loss"}, "term": {"product": {"focal": {"name": "focal_loss"}}}}},
    ),
    (
        {"type": "sum", "components": ["dice_loss", "focal_loss"], "loss_weight": 2},
        {
            "sum": {
                "loss": {
                    "sum": {"dice": {"name": "dice_loss"}, "focal": {"name": "focal_loss"}},
                    "weight": 2,
                }
            }
        },
    ),
    (
        {"sum": {"a": {"name": "dice_loss", "weight": 2}, "b": {"deep_supervision": {"loss": "dice_loss"}}}},
        {
            "sum": {
                "a": {"name": "dice_loss", "weight": 2},
                "b": {"deep_supervision": {"loss": {"name": "dice_loss"}}},
            }
        },
    ),
    (
        {"heads": {"seg": {"name": "dice_loss", "inputs": {"input": "input.seg"}}}},
        {"heads": {"seg": {"name": "dice_loss", "inputs": {"input": "input.seg"}}}},
    ),
]


@pytest.mark.parametrize(("old", "new"), OWN)
def test_forms_of_others(migrated, old, new):
    """Each form of the origin, hydra, mmengine, jsonargparse, PaddleSeg and MONAI becomes a form of ours."""
    assert migrated(old)[:2] == (new, [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"gamma": 3.0}),
        ({"gamma": 2, "alpha": 0.5}, {"gamma": 2, "alpha": 0.5}),
        ({"alpha": -1, "reduction": "sum"}, {"gamma": 3.0, "alpha": None, "reduction": "sum"}),
        ({"_args_": [1.5, 0.5]}, {"gamma": 1.5, "alpha": 0.5}),
    ],
)
def test_a_record_says_what_becomes_of_parameters(migrated, old, new):
    """What the library has as its default and ours has not is written; what is equal is not."""
    config = {"_target_": "theirs.losses.Focal", **old}
    assert migrated(config) == ({"name": "focal_loss", "params": new}, [], [])


def test_what_is_another_number_is_a_change(migrated):
    """A sum may stand for one loss; what it differs in is said, and what has to be known."""
    new, codes, notes = migrated({"_target_": "theirs.losses.Overlap", "mode": "x", "smooth": 2})
    assert codes == ["value-changes"]
    dice = {"name": "dice_loss", "params": {"smooth": 4}}
    assert new == {"sum": {"dice": dice, "focal": {"name": "focal_loss"}}}
    assert notes == ["theirs.losses.Overlap: labels have no channel here"]


WRONG = {
    "unknown-loss": [
        "DiceLos",
        "Dice",
        {"type": "SoftDiceLoss"},
        {"_target_": "theirs.losses.DiceLos"},
        {"_target_": "os.system"},
        "Focal",
    ],
    "no-counterpart": [
        {"_target_": "theirs.losses.DiceLoss", "sigmoid": True},
        {"_target_": "theirs.losses.Focal", "softmax": True},
    ],
    "missing-parameter": [{"_target_": "theirs.losses.Overlap"}],
    "unknown-parameter": [
        {"_target_": "theirs.losses.Focal", "gama": 1},
        {"type": "DiceLoss", "sigmoid": True},
        {"_target_": "dice_loss", "_args_": [1, 2, 3, 4]},
    ],
    "unclear-weight": [
        {"_target_": "theirs.losses.Focal", "weight": 0.5},
        {"_target_": "focal_loss", "weight": 0.5},
    ],
    "expression": [
        {"_target_": "theirs.losses.Focal", "gamma": "${gamma}"},
        {"_target_": "dice_loss", "smooth": "$1 + 1"},
        {"_target_": "${loss}"},
    ],
    "unknown-composite": [
        {"type": "GeometricMean", "losses": ["dice_loss", "focal_loss"]},
        {"losses": ["dice_loss", "focal_loss"], "weights": [0.5, 0.5]},
    ],
    "wrong-weight": [
        {"type": "sum", "losses": ["dice_loss", "focal_loss"], "weights": [1]},
        {"type": "sum", "losses": ["dice_loss"], "weights": [0.5, 0.5]},
        {"type": "sum", "losses": ["dice_loss"], "weights": {"dice": 1}},
        {"type": "sum", "losses": ["dice_loss"], "weights": ["1"]},
        {"type": "sum", "terms": {"a": "dice_loss"}, "weights": {"b": 1}},
        {"type": "product", "components": ["dice_loss", "focal_loss"], "weights": [0.5, 0.5]},
        {"type": "dice_loss", "loss_weight": "0.5"},
    ],
    "two-weights": [
        {"type": "sum", "losses": [{"type": "dice_loss", "loss_weight": 2}], "weights": [1]},
        [{"loss": {"type": "dice_loss", "loss_weight": 2}, "weight": 2}],
    ],
    "unexpected-key": [
        {"type": "sum", "losses": ["dice_loss"], "temperature": 2},
        {"type": "dice_loss", "params": {"smooth": 1}, "warmup": 3},
        [{"loss": "dice_loss", "warmup": 3}],
    ],
    "value-changes": [
        {"_target_": "src.losses.DiceLoss", "smooth": 2},
        {"_target_": "theirs.losses.Focal", "weight": [1, 2]},
        {"_target_": "theirs.losses.Focal", "alpha": [1, 2]},
        {"_target_": "theirs.losses.Focal", "reduction": "none"},
        {"type": "combined", "components": ["dice_loss", "focal_loss"], "weights": [1, 2]},
        {"type": "combined", "components": ["dice_loss", "focal_loss"]},
        {"type": "combined", "losses": ["dice_loss", "focal_loss"], "weights": [1, 2], "normalize": True},
        {"type": "sum", "losses": ["dice_loss", "focal_loss"], "reduction": "mean"},
    ],
    "no-loss": [5, [], {"epochs": 3, "net": "x"}],
    "disabled": [{"_target_": "dice_loss", "_disabled_": True}],
}


@pytest.mark.parametrize(
    ("code", "old"), [(code, old) for code, olds in WRONG.items() for old in olds], ids=str
)
def test_nothing_is_guessed(migrated, code, old):
    """What is not known, or is another number, is said: no name is taken for one that is spelled like it."""
    assert set(migrated(old)[1]) == {code}


def test_a_name_of_ours_is_taken_for_ours(migrated):
    """Case and separators do not matter; what it was taken for is said, with what else is called so."""
    new, codes, notes = migrated([{"type": "DiceLoss"}, "dice-loss", "dice_loss"])
    assert [term["name"] for term in new["sum"].values()] == ["dice_loss"] * 3
    assert codes == []
    assert notes[0] == (
        "DiceLoss was taken for dice_loss of ToyLosses; if another is meant, write its whole name: "
        "theirs.losses.DiceLoss"
    )
    assert len(notes) == 2


def test_a_library_may_be_named(migrated):
    """Its short names are then those of its records, and of nothing else."""
    assert migrated("Focal", library="theirs")[0]["name"] == "focal_loss"
    assert migrated("DiceLoss", library="theirs")[1] == ["no-counterpart"]
    assert migrated("FocalLoss", library="theirs")[1] == ["unknown-loss"]
    assert migrated("dice_loss", library="theirs")[1] == []


def test_definitions_are_kept(composites):
    """A document of ours keeps what it defines, with what is inside migrated."""
    old = {"version": 1, "defs": {"d": {"type": "theirs.Focal"}}, "loss": {"use": "d"}, "epochs": 3}
    migration = migrate(old, composites, read_records(RECORDS))
    assert migration.config == {
        "version": 1,
        "defs": {"d": {"name": "focal_loss", "params": {"gamma": 3.0}}},
        "loss": {"use": "d"},
    }
    assert migration.notes == ["what stands beside the loss is left out: epochs"]


def test_weights_beside_the_loss_are_not_lost(composites):
    """Of weights that stand where nothing is weighed, nobody knows what they are."""
    old = {"loss": ["dice_loss", "focal_loss"], "weights": [1, 2]}
    migration = migrate(old, composites, read_records(RECORDS))
    assert [finding.problem.code for finding in migration.findings] == ["wrong-weight"]


@pytest.mark.parametrize(
    ("rule", "value", "written", "differs"),
    [
        ({"drop": [1]}, 1, None, ""),
        ({"drop": [1]}, True, None, "ours has nothing that says the same"),
        ({"to": "params.a", "by": "half"}, 3, 1.5, ""),
        ({"to": "params.a", "by": "reciprocal"}, 4, 0.25, ""),
        ({"to": "params.a", "by": "reciprocal", "otherwise": "no"}, 0, None, "no"),
        ({"same_as": "b", "differs": "no"}, 7, None, ""),
        ({"same_as": "b", "differs": "no"}, 8, None, "no"),
        ({"to": "params.a", "takes": "numbers"}, [1, 2], [1, 2], ""),
        ({"to": "params.a", "takes": "numbers", "otherwise": "no"}, [[1]], None, "no"),
        ({"to": "params.a", "takes": "number", "otherwise": "no"}, True, None, "no"),
    ],
)
def test_rules(rule, value, written, differs):
    """Each conversion, and what is said of values that it does not take."""
    outcome = read_rule(rule).apply(value, {"b": 7})
    assert (outcome.value, outcome.differs) == (written, differs)


def test_the_new_config_is_written(lossary, write):
    """Without findings it goes to the terminal, or to a file."""
    file = write("old.yaml", "train: {loss: {_target_: theirs.Focal}}")
    good = lossary(file, "--key", "train.loss")
    expected = "version: 1\nloss:\n  name: focal_loss\n  params:\n    gamma: 3.0\n"
    assert (good.exit_code, good.stdout) == (0, expected)
    assert lossary(file, "--key", "train.loss", "-o", "new.yaml").exit_code == 0
    assert Path("new.yaml").read_text() == expected


def test_a_change_is_reported_and_not_written(lossary, write):
    """Exit code 1, the place in the file, what differs, and what would be written; no output."""
    file = write("old.yaml", "loss:\n  _target_: theirs.losses.Overlap\n  mode: x\n")
    result = lossary(file, "-o", "new.yaml")
    assert (result.exit_code, result.stdout, Path("new.yaml").exists()) == (1, "", False)
    assert "old.yaml:2:13: error[value-changes]" in result.stderr
    assert "another number than a sum of dice_loss and focal_loss: it takes probabilities" in result.stderr
    assert "pass --accept-changes" in result.stderr
    assert result.stderr.endswith("nothing was written: 1 thing would be another number\n")


def test_a_change_may_be_accepted(lossary, write):
    """It is then written with a comment at its place, and reported as a warning."""
    file = write("old.yaml", "loss:\n- {_target_: theirs.losses.Overlap, mode: x}\n- dice_loss\n")
    result = lossary(file, "--accept-changes")
    assert result.exit_code == 0
    assert "warning[value-changes]" in result.stderr
    assert result.stdout == (
        "version: 1\n"
        "loss:\n"
        "  sum:\n"
        "    # CHANGED: theirs.losses.Overlap is another number than a sum of dice_loss and focal_loss: "
        "it takes\n"
        "    #   probabilities\n"
        "    term:\n"
        "      sum:\n"
        "        dice:\n"
        "          name: dice_loss\n"
        "          params:\n"
        "            smooth: 0.0\n"
        "        focal:\n"
        "          name: focal_loss\n"
        "    dice:\n"
        "      name: dice_loss\n"
    )


def test_what_is_not_known_cannot_be_accepted(lossary, write):
    """There is nothing to write."""
    result = lossary(write("old.yaml", "loss: {type: DiceTwiceLoss}"), "--accept-changes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "called much like it, which need not mean the same: dice_loss" in result.stderr


def test_a_wrong_result_is_not_written(lossary, write):
    """What a validator refuses is reported as it would be anywhere."""
    result = lossary(write("old.yaml", "loss: {type: dice_loss, smooth: -1}"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "out-of-range" in result.stderr


def test_a_key_that_stands_twice_is_an_error(lossary, write):
    """Nobody knows which is meant."""
    result = lossary(write("old.yaml", "loss: {type: dice_loss, smooth: 1, smooth: 2}"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "old.yaml:1:36: error[duplicate-key]" in result.stderr


@pytest.mark.parametrize("text", ["!!float 1e-1", "!!float '1e-1'", "&w !!float 0.1"])
def test_numbers_that_are_tagged_are_numbers(lossary, write, text):
    """Files of tools whose YAML takes 1e-1 for text say so."""
    result = lossary(write("old.yaml", f"loss:\n- {{type: dice_loss, loss_weight: {text}}}\n"))
    assert (result.exit_code, "weight: 0.1\n" in result.stdout) == (0, True), result.output


def test_other_tags_are_refused(lossary, write):
    """They would run code, or say what nobody can see."""
    text = "loss: {type: dice_loss, smooth: !!python/name:os.system x}"
    result = lossary(write("old.yaml", text))
    assert (result.exit_code, "tag-not-allowed" in result.stderr) == (1, True)


@pytest.mark.parametrize("character", ["\\ud800", "\\u007f", "\\u0085"])
def test_characters_that_no_file_has_are_escaped(lossary, write, character):
    """What comes out is a file that can be read again."""
    text = f'{{"loss": [{{"type": "dice_loss", "loss_name": "a{character}b"}}]}}'
    result = lossary(write("old.json", text), "-o", "new.yaml")
    assert result.exit_code == 0, result.output
    assert f'    "a{character}b":\n' in Path("new.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.yaml"], 1),
        (["old.yaml", "--key", "train.los"], 2),
        (["old.yaml", "--from", "their"], 2),
        (["old.yaml", "--key", "train", "--from", "theirs"], 0),
        (["scope.yaml"], 0),
        (["other.yaml"], 1),
    ],
)
def test_calls(lossary, write, arguments, code):
    """A file that is not there is a wrong config; a key or library that is not there is a wrong call."""
    write("old.yaml", "train: {loss: dice_loss}")
    write("scope.yaml", "default_scope: theirs\nloss: Focal\n")
    write("other.yaml", "default_scope: others\nloss: FocalLoss\n")
    assert lossary(*arguments).exit_code == code
