"""What is known of a collection without importing it."""

from __future__ import annotations

import json
import sys

import attrs
import pytest
from click.testing import CliRunner

from lossary_factory import _collections, check, describe, make_manifest, schema, validate
from lossary_factory._collections import installed_registry
from lossary_factory._command import lossary
from lossary_factory._manifest.find import FILE, described_registry
from lossary_factory._manifest.make import FORMAT
from lossary_factory._manifest.read import read_manifest
from lossary_factory._parameters.constructor import StandIn
from lossary_registry import Deprecated

CORRECT = [
    "dice_loss",
    {"name": "FocalLoss", "params": {"gamma": 1, "weight": None, "reduction": "sum"}},
    {"name": "dice_loss", "params": {"mode": "hard"}},
    {"name": "masked_loss", "params": {"inner": "dice_loss", "others": ["focal_loss"], "steps": 2}},
    {"name": "tversky_loss", "params": {"alpha": 1, "beta": 2}},
    {"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "linear", "final": 1}}}},
    {"heads": {"a": {"name": "called_loss", "inputs": {"input": "input.a"}}}},
    {"deep_supervision": {"loss": "focal_loss"}},
]
WRONG = [
    "dise_loss",
    {"name": "dice_loss", "params": {"smoth": 1, "mode": "medium"}},
    {"name": "focal_loss", "params": {"alpha": 2, "weight": "x", "reduction": "avg"}},
    {"name": "tversky_loss", "params": {"alpha": float("nan"), "limit": float("inf")}},
    {"name": "masked_loss", "params": {"inner": 3, "steps": 1.5}},
    {"name": "open_loss", "params": {"anything": 1}},
    {"sum": {"a": {"name": "dice_loss", "weight": {"schedule": "linear", "end": 0}}}},
    {"heads": {"a": {"name": "called_loss", "inputs": {"prediction": "input.a"}}}},
]


def must_not_load():
    pytest.fail("the real collection was asked for")


@pytest.fixture
def described(composites):
    """Return the toys as another process would know them: from JSON."""
    text = json.dumps(make_manifest(composites, version="1.0"))
    return read_manifest(json.loads(text), "toys 1.0", must_not_load)


@pytest.mark.parametrize("config", CORRECT)
def test_a_manifest_accepts_what_the_classes_accept(composites, described, config):
    """The config means the same: it is written in the same way, with the same defaults and fingerprint."""
    real, known = validate(config, registry=composites), validate(config, registry=described)
    assert known.to_dict(defaults=True) == real.to_dict(defaults=True)
    assert known.fingerprint() == real.fingerprint()


@pytest.mark.parametrize("config", WRONG)
def test_a_manifest_refuses_what_the_classes_refuse(composites, described, config):
    """Every problem is the same, to the letter."""
    problems = check(config, registry=composites)
    assert problems
    assert check(config, registry=described) == problems


def test_a_manifest_describes_what_the_classes_are(composites, described):
    """Names, aliases, tags, summaries, parameters and the schema do not differ."""
    assert described.list_with_tags() == composites.list_with_tags()
    for name in composites.list():
        assert describe(name, registry=described) == describe(name, registry=composites)
    assert schema(registry=described) == schema(registry=composites)


def test_what_was_described_cannot_be_built(described):
    """A class that stands for another says so."""
    with pytest.raises(TypeError, match="DiceLoss was described and not imported"):
        validate("dice_loss", registry=described).build()


def test_deprecated_names_stay_deprecated(losses):
    """A manifest warns of the names of which the registry warns."""
    losses.register(losses.get("dice_loss"), name="overlap", aliases={"soft": Deprecated(since="0.3")})
    known = read_manifest(make_manifest(losses, version="1"), "", must_not_load)
    assert check("soft", registry=known) == check("soft", registry=losses)


def test_kinds_of_losses_are_kept(losses):
    """A parameter that takes losses of one kind takes them, and no other, without the classes."""

    class Special(losses.base_class): ...

    class Outer(losses.base_class):
        def __init__(self, inner: Special) -> None: ...

    Outer.__init__.__annotations__["inner"] = Special
    losses.register(Special, name="special")
    losses.register(Outer, name="outer")
    known = read_manifest(make_manifest(losses, version="1"), "", must_not_load)
    assert check({"name": "outer", "params": {"inner": "special"}}, registry=known) == []
    (problem,) = check({"name": "outer", "params": {"inner": "dice_loss"}}, registry=known)
    assert problem.code == "wrong-kind"


def is_even(_instance, attribute, value):
    if value % 2:
        raise ValueError(f"{attribute.name} must be even")


def with_validator(losses, validator):
    @losses.register(name="even_loss", force=True)
    @attrs.define(slots=False)
    class Even(losses.base_class):
        size: int = attrs.field(default=0, validator=validator)

    return {"name": "even_loss", "params": {"size": 3}}


def test_what_only_code_can_check_is_asked_of_the_code(losses):
    """A value that a validator of its own judges brings the real class; others do not."""
    config = with_validator(losses, is_even)
    asked = []
    known = read_manifest(make_manifest(losses, version="1"), "", lambda: asked.append(1) or losses)
    assert check("even_loss", registry=known) == []
    assert asked == []
    (problem,) = check(config, registry=known)
    assert (problem.code, problem.message, asked) == ("invalid-value", "size must be even", [1])


def test_a_validator_may_say_that_its_bounds_are_all(losses):
    """With ``declares_all`` it is neither run before building nor asked for in a manifest."""

    @attrs.frozen
    class AtLeast:
        ge: float
        declares_all: bool = True

        def __call__(self, _instance, _attribute, _value):
            pytest.fail("was run")

    config = {**with_validator(losses, AtLeast(0)), "params": {"size": -1}}
    known = read_manifest(make_manifest(losses, version="1"), "", must_not_load)
    for registry in (losses, known):
        (problem,) = check(config, registry=registry)
        assert problem.message == "size must be >= 0, not -1"


@pytest.fixture
def install(composites, tmp_path, monkeypatch):
    """Return a function that installs a package which fails when it is imported, with a manifest."""
    group = "lossary.registries.of_this_test"
    monkeypatch.setattr(_collections, "GROUP", group)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = f"heavy_{tmp_path.name.replace('-', '_')}"
    for cached in (installed_registry, described_registry):
        cached.cache_clear()

    def install(manifest: str) -> str:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('torch is heavy')\n")
        (tmp_path / package / FILE).write_text(manifest)
        info = tmp_path / "heavy_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy-dist\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nheavy = {package}:losses\n")
        return package

    yield install
    for cached in (installed_registry, described_registry):
        cached.cache_clear()


@pytest.mark.parametrize(
    "call",
    ["list", "show dice_loss", "schema", "validate a.yaml", "explain a.yaml", "init", "migrate a.yaml"],
)
def test_the_command_needs_no_package(install, composites, write, call):
    """Seven of the nine verbs answer from the manifest alone."""
    package = install(json.dumps(make_manifest(composites, version="1.0")))
    write("a.yaml", "loss: {name: focal_loss, params: {gamma: 1}}\n")
    result = CliRunner().invoke(lossary, call.split())
    assert result.exit_code == 0, result.output
    assert package not in sys.modules


def test_building_needs_the_package(install, composites, write):
    """What is built has to be imported."""
    install(json.dumps(make_manifest(composites, version="1.0")))
    result = CliRunner().invoke(lossary, ["build", "--dry-run", write("a.yaml", "dice_loss")])
    assert result.exit_code == 2
    assert "torch is heavy" in result.output


def test_a_page_says_which_distribution_has_a_loss(install, composites):
    """There is no line of code to point at."""
    install(json.dumps(make_manifest(composites, version="1.0")))
    assert "  defined  heavy-dist 1.0\n" in CliRunner().invoke(lossary, ["show", "dice_loss"]).output


@pytest.mark.parametrize(
    "manifest", ["", "{}", '{"format": 2, "version": "0.9"}', '{"format": 1, "version": "1.0"}']
)
def test_a_manifest_of_another_release_is_not_used(install, manifest):
    """Nor is one that cannot be read: the package itself is asked."""
    install(manifest)
    result = CliRunner().invoke(lossary, ["list"])
    assert (result.exit_code, "torch is heavy" in result.output) == (2, True)


SHAPES = [
    "[]",
    "null",
    '"format"',
    '{"format": FORMAT, "version": "1.0"}',
    '{"format": FORMAT, "version": "1.0", "parts": [], "losses": []}',
    '{"format": FORMAT, "version": "1.0", "registry": "a", "base": "a:b", "parts": {}, "losses": [1]}',
    "[" * 10_000 + "]" * 10_000,
]


@pytest.mark.parametrize("manifest", SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize("call", ["list", "show dice_loss", "schema", "validate a.yaml", "init"])
def test_a_manifest_of_another_shape_is_not_used(install, write, manifest, call):
    """JSON that does not say what a manifest says is no traceback: the package itself is asked."""
    install(manifest.replace("FORMAT", str(FORMAT)))
    write("a.yaml", "dice_loss")
    result = CliRunner().invoke(lossary, call.split())
    assert (result.exit_code, "torch is heavy" in result.output) == (2, True)


def test_a_manifest_that_is_damaged_inside_says_so(install, composites, write):
    """What a loss takes is read when it is needed: the error says which distribution to install again."""
    manifest = make_manifest(composites, version="1.0")
    for entry in manifest["losses"]:
        entry["parameters"] = 5
    install(json.dumps(manifest))
    result = CliRunner().invoke(lossary, ["validate", write("a.yaml", "dice_loss")])
    assert result.exit_code == 2
    assert "the manifest of heavy-dist 1.0 does not say what dice_loss takes" in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.filterwarnings("error")
def test_a_deprecated_loss_is_described_without_a_warning(losses):
    """Whoever describes all losses names none of them; in a manifest an old name stays old."""
    losses.register(
        losses.get("dice_loss"), name="overlap", deprecated=Deprecated(use="dice_loss"), force=True
    )
    schema(registry=losses)
    described = read_manifest(make_manifest(losses, version="1"), "", must_not_load)
    (problem,) = check("overlap", registry=described)
    assert (problem.code, problem.hint) == ("deprecated-name", "write dice_loss")


def test_stand_ins_are_classes_of_the_registry(described):
    """What takes a registry takes a described one."""
    assert issubclass(described.get("dice_loss"), StandIn)
    assert described.entry("DiceLoss").name == "dice_loss"
