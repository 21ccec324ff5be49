"""Specs are values that are written, compared, changed and summed up."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from lossary_factory import ConfigError, LossSpec, UnwritableError, describe, schema, validate
from lossary_factory._values import FrozenSet

NESTED = {
    "sum": {
        "region": {"name": "DiceLoss", "weight": 0.7, "params": {"mode": "hard"}},
        "heads": {
            "heads": {
                "a": {"name": "called_loss", "inputs": {"input": "input.a"}},
                "b": {
                    "name": "masked_loss",
                    "params": {"inner": "dice_loss", "others": ["focal_loss"]},
                    "weight": {"schedule": "linear", "final": 1},
                },
            }
        },
        "deep": {"deep_supervision": {"loss": {"product": {"x": "dice_loss"}}, "weights": [1]}},
    }
}


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize(
    "config",
    [
        "dice_loss",
        {"name": "focal_loss", "params": {"gamma": 1, "weight": [1, 2], "alpha": None}},
        {"name": "tversky_loss", "params": {"alpha": 1, "beta": 2}},
        {"sum": {"a": "dice_loss"}},
        {"name": "weighted_sum", "params": {"terms": {"a": "dice_loss"}}},
        {
            "name": "weighted_sum",
            "params": {"terms": {"a": "dice_loss", "b": "dice_loss"}, "weights": {"a": 2}},
        },
        {"heads": {"a": "dice_loss"}},
        NESTED,
    ],
)
def test_what_is_written_reads_back(composites, config, defaults):
    """A spec written as plain data, with its defaults or without, validates to that spec."""
    spec = validate(config, registry=composites)
    expected = spec.with_defaults() if defaults else spec
    assert validate(spec.to_dict(defaults=defaults), registry=composites) == expected


def test_a_spec_is_written_in_the_forms_of_the_grammar(composites):
    """Names are canonical, sums are sums, and weights are said."""
    config = {"sum": {"a": {"name": "DiceLoss", "params": {"smooth": 2, "mode": "HARD"}}}}
    assert validate(config, registry=composites).to_dict() == {
        "sum": {"a": {"name": "dice_loss", "params": {"smooth": 2.0, "mode": "hard"}, "weight": 1.0}}
    }


def test_defaults_are_written_where_plain_data_can(losses):
    """Numbers, words and null are; an infinity is as well."""
    assert validate({"name": "tversky_loss", "params": {"alpha": 1, "beta": 2}}, registry=losses).to_dict(
        defaults=True
    ) == {"name": "tversky_loss", "params": {"alpha": 1.0, "beta": 2.0, "limit": float("inf")}}
    assert validate("dice_loss", registry=losses).to_dict(defaults=True) == {
        "name": "dice_loss",
        "params": {"smooth": 1.0, "mode": "soft"},
    }


def test_an_object_cannot_be_written(losses):
    """What a config in Python gave and no file could hold is named."""
    spec = validate({"name": "masked_loss", "params": {"inner": "dice_loss"}}, registry=losses)
    odd = LossSpec("masked_loss", {"steps": object()}, spec.loss_class)
    with pytest.raises(UnwritableError, match="steps of masked_loss is an object of type object"):
        odd.to_dict()


def test_params_do_not_change(composites):
    """Neither the parameters nor what is in them can be changed."""
    spec = validate(NESTED, registry=composites)
    with pytest.raises(TypeError, match="does not change"):
        spec.params["terms"] = {}
    with pytest.raises(TypeError, match="does not change"):
        spec.params["terms"]["deep"].params["weights"].append(2)


def test_specs_are_keys(composites):
    """Equal specs have equal hashes, however deep they are."""
    assert len({validate(NESTED, registry=composites), validate(NESTED, registry=composites)}) == 1


def test_what_is_built_may_change(losses):
    """A constructor gets lists and dicts of its own, which it may keep and change."""
    spec = validate(
        {"name": "masked_loss", "params": {"inner": "dice_loss", "others": ["dice_loss"]}}, registry=losses
    )
    built = spec.build().others
    built.append(1)
    assert type(built) is list
    assert len(spec.params["others"]) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dice_loss", {"name": "DiceLoss", "params": {"smooth": 1}}),
        (
            {"name": "focal_loss", "params": {"gamma": 1, "alpha": 0.5}},
            {"name": "focal_loss", "params": {"alpha": 0.5, "gamma": 1.0}},
        ),
        (
            {"sum": {"a": "dice_loss", "b": "focal_loss"}},
            {"sum": {"b": "focal_loss", "a": {"name": "DiceLoss", "weight": 1}}},
        ),
    ],
)
def test_what_means_the_same_has_one_fingerprint(losses, one, other):
    """Aliases, the order of keys, whole numbers and spelled-out defaults make no difference."""
    assert validate(one, registry=losses).fingerprint() == validate(other, registry=losses).fingerprint()


def test_a_fingerprint_tells_what_differs(losses):
    """Another value, another fingerprint; without defaults, what is spelled out counts."""
    plain = validate("dice_loss", registry=losses)
    spelled = validate({"name": "dice_loss", "params": {"smooth": 1}}, registry=losses)
    other = validate({"name": "dice_loss", "params": {"smooth": 2}}, registry=losses)
    assert plain.fingerprint() != other.fingerprint()
    assert plain.fingerprint(defaults=False) != spelled.fingerprint(defaults=False)


def test_fingerprints_last(losses):
    """They are the SHA-256 of the canonical JSON, in this release and the next."""
    spec = validate({"name": "tversky_loss", "params": {"alpha": 1, "beta": 0.5}}, registry=losses)
    # echo -n '{"name":"tversky_loss","params":{"alpha":1.0,"beta":0.5}}' | sha256sum
    assert (
        spec.fingerprint(defaults=False) == "c3e6e62a0752e817871e432c5de4a183c6fec7bb9c069116438e8036b1601209"
    )


def test_replace_gives_another_spec(losses):
    """One value changes, by its path in ``to_dict()``; the first spec stays as it was."""
    spec = validate({"sum": {"a": "dice_loss", "b": "focal_loss"}}, registry=losses)
    changed = spec.replace("sum.a.weight", 0.5).replace("sum.b.params.gamma", 3)
    assert changed.params["weights"] == {"a": 0.5, "b": 1.0}
    assert changed.params["terms"]["b"].params == {"gamma": 3.0}
    assert spec.params["weights"] == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("params.smooth", -1, "out-of-range"),
        ("params.smoth", 1, "unknown-parameter"),
        ("parms.smooth", 1, "no-such-key"),
        ("a..b", 1, "no-such-key"),
    ],
)
def test_what_does_not_fit_is_not_replaced(losses, path, value, code):
    """A replacement is checked like any config."""
    with pytest.raises(ConfigError) as caught:
        validate("dice_loss", registry=losses).replace(path, value)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_specs_travel_between_processes(tmp_path):
    """Where the registry can be imported, a spec can be pickled, and is the same on the other side."""
    (tmp_path / "travel.py").write_text(
        "from lossary_registry import Registry\n"
        "class Loss:\n"
        "    def __init__(self, sizes: list[int] = ()) -> None: self.sizes = sizes\n"
        "losses = Registry(Loss, 'losses')\n"
        "losses.register(Loss, name='some_loss')\n"
    )
    code = (
        "import pickle, sys, travel, lossary_factory as f\n"
        "spec = f.validate({'name': 'some_loss', 'params': {'sizes': [1]}}, registry=travel.losses)\n"
        "again = pickle.loads(pickle.dumps(spec))\n"
        "assert again == spec and again.build().sizes == [1]\n"
        "assert again.replace('params.sizes', [2]).build().sizes == [2]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)  # noqa: S603  # this interpreter


def test_frozen_containers_travel(losses):
    """Alone they can be pickled as well."""
    spec = validate({"name": "focal_loss", "params": {"weight": [1]}}, registry=losses)
    assert pickle.loads(pickle.dumps(spec.params)) == {"weight": [1.0]}
    names = FrozenSet(["a"])
    again = pickle.loads(pickle.dumps(names))
    assert (type(again), again) == (FrozenSet, names)


def test_a_changed_spec_may_use_what_the_config_might(losses):
    """``replace`` holds to the names that were allowed when the config was checked."""
    spec = validate("dice_loss", registry=losses, allow=["dice_loss", "tversky_loss"])
    with pytest.raises(ConfigError) as caught:
        spec.replace("name", "focal_loss")
    assert [problem.code for problem in caught.value.problems] == ["loss-not-allowed"]
    assert spec.replace("params", {"smooth": 2}).to_dict()["params"] == {"smooth": 2}


def test_that_there_is_no_object_says_nothing(losses):
    """``group: null`` means what leaving it out means: the same fingerprint, and the same defaults."""

    class Group: ...

    @losses.register(name="grouped_loss")
    class GroupedLoss(losses.base_class):
        def __init__(self, scale: float = 1.0, group: Group | None = None) -> None: ...

    GroupedLoss.__init__.__annotations__["group"] = Group | None
    plain = validate("grouped_loss", registry=losses)
    said = validate({"name": "grouped_loss", "params": {"group": None}}, registry=losses)
    assert said.fingerprint() == plain.fingerprint()
    assert said.with_defaults() == plain.with_defaults()


@pytest.mark.parametrize("key", [(1, 2), b"a"])
def test_a_key_that_no_config_can_spell(losses, key):
    """A config in Python may hold such a key where anything goes; written it cannot be, and that is said."""

    @losses.register(name="any_loss")
    class AnyLoss(losses.base_class):
        def __init__(self, table=None) -> None: ...

    spec = validate({"name": "any_loss", "params": {"table": {key: 1}}}, registry=losses)
    with pytest.raises(
        UnwritableError, match=r"table of any_loss has .* as a key, which no config can spell"
    ):
        spec.to_dict()


@pytest.mark.parametrize("doc", [property(lambda _self: "text"), 5, ["text"]])
def test_a_class_whose_documentation_is_no_text(losses, doc):
    """It has no summary, and breaks no description of all losses."""
    losses.register(type("Odd", (losses.base_class,), {"__doc__": doc}), name="odd_loss")
    assert describe("odd_loss", registry=losses)["summary"] == ""
    schema(registry=losses)
