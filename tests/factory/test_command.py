# ruff: noqa: S603  # the subprocess is this interpreter
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from lossary_factory import CollectionError, check
from lossary_factory._command import call as shared
from lossary_factory._command import group
from lossary_factory._command.verbs.list import by_task

GOOD = """\
loss:
  sum:
    region: {name: dice_loss, weight: 0.7, params: {smooth: 1e-5}}
    pixel:
      weight: 0.3
      sum:
        focal: {name: focal_loss, params: {gamma: 1, weight: [0.1, 2]}}
        inside: {name: masked_loss, params: {inner: dice_loss}}
"""
TREE = """\
weighted_sum (WeightedSum)
├── region: 0.7 \N{MULTIPLICATION SIGN} dice_loss (DiceLoss)
│       smooth = 1e-05
│       mode = soft  (default)
└── pixel: 0.3 \N{MULTIPLICATION SIGN} weighted_sum (WeightedSum)
    ├── focal: 1.0 \N{MULTIPLICATION SIGN} focal_loss (FocalLoss)
    │       gamma = 1.0
    │       alpha = null  (default)
    │       weight = [0.1, 2.0]
    │       reduction = mean  (default)
    └── inside: 1.0 \N{MULTIPLICATION SIGN} masked_loss (MaskedLoss)
        │   others = []  (default)
        │   steps = 1  (default)
        │   strict = false  (default)
        └── inner: dice_loss (DiceLoss)
                smooth = 1.0  (default)
                mode = soft  (default)
"""


@pytest.fixture
def lossary(losses, monkeypatch):
    """Return a function that calls the command, with the toys as the one installed collection."""

    def installed(collection=None):
        if collection not in (None, "toys"):
            raise CollectionError(f"no installed collection is called {collection!r}")
        return losses

    monkeypatch.setattr(shared, "installed_registry", installed)
    monkeypatch.setattr(shared, "described_registry", installed)

    def call(*arguments, **options):
        return CliRunner().invoke(group.lossary, arguments, prog_name="lossary", **options)

    return call


def test_list_shows_names_tags_and_summaries(lossary):
    """One loss a line, in columns."""
    result = lossary("list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[1] == "dice_loss     segmentation, binary    Overlap of two masks."
    assert [line.split()[0] for line in lines] == [
        *(
            "broken_loss",
            "dice_loss",
            "focal_loss",
            "masked_loss",
            "open_loss",
            "tversky_loss",
            "weighted_sum",
        )
    ]


def test_a_pipe_gets_whole_lines(lossary, losses, monkeypatch):
    """Where there is no terminal, nothing is cut, whatever its width."""
    monkeypatch.setenv("COLUMNS", "20")
    assert "Cross entropy that looks away from what is easy." in lossary("list").output


@pytest.mark.parametrize(
    ("tags", "names"),
    [(["binary"], ["dice_loss", "focal_loss"]), (["binary", "segmentation"], ["dice_loss"])],
)
def test_list_filters_by_tags(lossary, tags, names):
    """With several tags a loss has to have them all."""
    result = lossary("list", *(f"--tag={tag}" for tag in tags))
    assert [line.split()[0] for line in result.output.splitlines()] == names


def test_a_terminal_gets_losses_by_task(losses):
    """On a terminal the losses stand under their first tag, their summaries wrapped to its width."""
    lines = list(by_task(["dice_loss", "focal_loss"], losses, 50, is_long=False))
    told = [click.unstyle(line) for line in lines]
    assert [line for line in told if not line.startswith(" ")] == ["classification", "segmentation"]
    assert "  dice_loss   Overlap of two masks." in told
    assert all(len(line) <= 50 for line in told)
    long = "\n".join(by_task(["dice_loss"], losses, 50, is_long=True))
    assert "segmentation, binary" in click.unstyle(long)


@pytest.mark.parametrize(
    ("word", "names"), [("overlap", ["dice_loss"]), ("FOCAL", ["focal_loss"]), ("dice loss", ["dice_loss"])]
)
def test_list_searches(lossary, word, names):
    """A word is looked for in names, aliases, tags and summaries, in upper case or lower."""
    assert [line.split()[0] for line in lossary("list", "--search", word).output.splitlines()] == names


def test_a_search_that_finds_nothing_says_so(lossary):
    """What the collection does not have is said, and is not success."""
    result = lossary("list", "--search", "xyzzy")
    assert (result.exit_code, result.output) == (2, "Error: no loss mentions 'xyzzy'\n")


def test_list_of_tags_that_no_loss_has_together_is_empty(lossary):
    """Each tag is known; that no loss has both is an answer, not an error."""
    result = lossary("list", "--tag=composite", "--tag=binary")
    assert (result.exit_code, result.output) == (0, "")


def test_an_unknown_tag_is_a_wrong_call(lossary):
    """A tag that no loss has ends with 2, and the nearest tag."""
    result = lossary("list", "--tag", "binry")
    assert result.exit_code == 2
    assert result.output == (
        "Error: no loss has the tag 'binry'\n"
        "did you mean 'binary'? the tags are: binary, classification, composite, segmentation\n"
    )


def test_show_tells_all_of_a_loss(lossary, losses):
    """Summary, aliases, tags, parameters with types, bounds and defaults, the place, and an example."""
    file, line = losses.entry("focal_loss").where
    module = losses.get("focal_loss").__module__
    assert (
        lossary("show", "FocalLoss").output
        == f"""\
focal_loss
  Cross entropy that looks away from what is easy.

  class    {module}.FocalLoss
  aliases  FocalLoss
  tags     classification, binary
  defined  {file}:{line}

Parameters
  gamma      a number >= 0                        default 2.0
  alpha      a number >= 0 and <= 1 or null       default null
  weight     a list of numbers, a Tensor or null  default null
  reduction  'none', 'mean' or 'sum'              default mean

Example
  loss:
    name: focal_loss
    params:
      gamma: 2.0
      reduction: mean
"""
    )


@pytest.mark.parametrize(
    "name", ["dice_loss", "focal_loss", "tversky_loss", "masked_loss", "open_loss", "weighted_sum"]
)
def test_every_example_is_correct(lossary, losses, write, name):
    """The example that ``show`` prints validates as it stands."""
    output = lossary("show", name).output
    example = "".join(line[2:] for line in output.partition("Example\n")[2].splitlines(keepends=True))
    assert example
    assert check(write("example.yaml", example), registry=losses) == []


def test_an_unknown_loss_is_a_wrong_call(lossary):
    """A name that is given on the command line and is no loss ends with 2, and the nearest name."""
    result = lossary("show", "dise_loss")
    assert result.exit_code == 2
    assert result.output.startswith("Error: ToyLosses has no loss 'dise_loss'\ndid you mean 'dice_loss'? ")


def test_validate_reports_every_file(lossary, write):
    """Good files and bad ones are all reported, and a line at the end counts them."""
    good = write("good.yaml", GOOD)
    bad = write("bad.yaml", "loss:\n  name: dice_loss\n  params: {smoth: 1}\n")
    result = lossary("validate", good, bad, "missing.toml")
    assert result.exit_code == 1
    assert (
        result.output
        == """\
ok good.yaml: weighted_sum
bad.yaml:3:12: error[unknown-parameter]: dice_loss has no parameter 'smoth'
    at loss.params.smoth
    3 |   params: {smoth: 1}
      |            ^^^^^
    did you mean 'smooth'? dice_loss takes: smooth, mode

missing.toml: error[no-such-file]: there is no such file

1 correct file, 2 wrong files with 2 problems
"""
    )


def test_validate_of_correct_files_ends_with_zero(lossary, write):
    """Nothing wrong: exit code 0."""
    result = lossary("validate", write("a.yaml", GOOD), write("b.yaml", "dice_loss"))
    assert (result.exit_code, result.output) == (
        0,
        "ok a.yaml: weighted_sum\nok b.yaml: dice_loss\n2 correct files\n",
    )


def test_validate_without_files_is_a_wrong_call(lossary):
    """Nothing to check is a mistake in a script, not a success."""
    assert lossary("validate").exit_code == 2


def test_build_shows_what_was_built(lossary, write):
    """Terms with weights, parameters given and defaults, nested losses: as a tree."""
    result = lossary("build", write("train.yaml", GOOD), "--dry-run")
    assert (result.exit_code, result.output) == (0, TREE)


def test_build_of_a_wrong_config_ends_with_one(lossary, write):
    """A wrong config is reported as ``validate`` reports it."""
    result = lossary("build", "--dry-run", write("bad.yaml", "loss: nothing"))
    assert result.exit_code == 1
    assert result.output.startswith("bad.yaml:1:7: error[unknown-loss]: ToyLosses has no loss 'nothing'\n")


def test_build_tells_what_a_constructor_raises(lossary, write):
    """A constructor's own error is shown with its place, and without a traceback."""
    result = lossary(
        "build", "--dry-run", write("train.yaml", "loss: {name: broken_loss, params: {size: 3}}")
    )
    assert result.exit_code == 1
    first, *rest = result.output.splitlines()
    assert first == "error[constructor]: RuntimeError: no room for 3"
    assert "    while building broken_loss at loss (train.yaml:1:1)" in rest


def test_build_without_dry_run_is_a_wrong_call(lossary, write):
    """A loss that ends with the command is of no use, and the message says so."""
    result = lossary("build", write("train.yaml", GOOD))
    assert result.exit_code == 2
    assert "--dry-run" in result.output


@pytest.mark.parametrize("arguments", [["--collection", "toys", "list"], ["list", "--collection", "toys"]])
def test_the_collection_can_be_chosen(lossary, arguments):
    """The option stands before the verb or after it."""
    assert lossary(*arguments).exit_code == 0


@pytest.mark.parametrize("verb", ["list", "show dice_loss", "validate a.yaml", "build a.yaml --dry-run"])
def test_an_unknown_collection_is_a_wrong_call(lossary, verb):
    """Every verb refuses a collection that is not installed."""
    result = lossary(*verb.split(), "--collection", "others")
    assert (result.exit_code, result.output) == (2, "Error: no installed collection is called 'others'\n")


@pytest.mark.parametrize("arguments", [["--nothing"], ["nothing"], ["list", "--nothing"], ["show"]])
def test_what_click_cannot_read_is_a_wrong_call(lossary, arguments):
    """Unknown options and verbs, and missing arguments, end with 2."""
    assert lossary(*arguments).exit_code == 2


def test_colour_is_for_terminals(lossary, write, monkeypatch):
    """Problems are coloured in a terminal, plain in a pipe, and plain where NO_COLOR says so."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    bad = write("bad.yaml", "loss: nothing")
    assert "\x1b[" in lossary("validate", bad, color=True).output
    assert "\x1b[" not in lossary("validate", bad).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in lossary("validate", bad, color=True).output


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "lossary_factory", *arguments],
        check=False,
        capture_output=True,
        text=True,
        **options,
    )


def test_the_module_is_the_command():
    """``python -m lossary_factory`` is ``lossary``."""
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"lossary, version {version('lossary-factory')}\n")
    assert result.stderr == ""


def test_a_poor_terminal_gets_an_answer_too(tmp_path):
    """Where a character cannot be written, the line is written without it."""
    (tmp_path / "caf\u00e9.yaml").write_text("loss: \u2713\n", encoding="utf-8")
    code = (
        "import lossary_registry, lossary_factory.__main__ as command\n"
        "from lossary_factory._command import call, group, terminal\n"
        "class Loss: pass\n"
        "registry = lossary_registry.Registry(Loss, 'Toys')\n"
        "call.described_registry = lambda name: registry\n"
        "command.main()\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    result = subprocess.run(
        [sys.executable, "-c", code, "validate", "caf\u00e9.yaml"],
        check=False,
        capture_output=True,
        encoding="latin-1",
        cwd=tmp_path,
        env=environment,
    )
    assert (result.returncode, result.stderr) == (1, "")
    assert "error[unknown-loss]: Toys has no loss '?'" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no head")
def test_a_closed_pipe_is_no_error():
    """``lossary list | head -1`` shows one line and no traceback."""
    code = (
        "import lossary_registry, lossary_factory.__main__ as command\n"
        "from lossary_factory._command import call, group, terminal\n"
        "class Loss: pass\n"
        "registry = lossary_registry.Registry(Loss, 'Toys')\n"
        "for number in range(20_000): registry.register(Loss, name=f'loss_{number:05}')\n"
        "call.described_registry = lambda name: registry\n"
        "command.main()\n"
    )
    result = subprocess.run(  # noqa: S602  # a pipe is what this is about
        f'"{sys.executable}" -c "$CODE" list | head -1',
        check=False,
        capture_output=True,
        text=True,
        shell=True,
        env={**os.environ, "CODE": code},
    )
    assert (result.stdout.strip(), result.stderr) == ("loss_00000", "")


def test_a_misspelled_verb_is_a_wrong_call(lossary):
    """The nearest verb is suggested, and all are listed."""
    result = lossary("vlidate", "loss.yaml")
    assert result.exit_code == 2
    assert "there is no verb 'vlidate'\ndid you mean 'validate'? the verbs are: list, show," in result.stderr


@pytest.mark.parametrize("key", ["", "a..b"])
def test_a_key_that_is_no_path_is_a_wrong_call(lossary, write, key):
    """An empty one too."""
    result = lossary("validate", write("loss.yaml", "loss: dice_loss"), "--key", key)
    assert result.exit_code == 2
    assert "Invalid value for '--key': a path reads like" in result.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")  # noqa: PTH110  # a device
@pytest.mark.parametrize(("where", "code"), [(">&-", 0), (">/dev/full", 2)])
def test_an_answer_that_cannot_be_written_is_no_traceback(where, code):
    """A closed output gets nothing; a full disk is said in one line."""
    result = subprocess.run(  # noqa: S602  # the shell closes the output
        f'"{sys.executable}" -m lossary_factory --help {where}',
        check=False,
        capture_output=True,
        text=True,
        shell=True,
    )
    said = "Error: the answer cannot be written: No space left on device\n" if code else ""
    assert (result.returncode, result.stderr) == (code, said)


HOSTILE_KEY = "k\x1b]0;owned\x07\x9b31m\u202e"


@pytest.mark.parametrize("verb", [("validate",), ("explain",), ("build", "--dry-run")])
@pytest.mark.parametrize(
    "config",
    [
        {"sum": {HOSTILE_KEY: "dice_loss"}},
        {"sum": {"a": "dice_los", HOSTILE_KEY: "dice_loss"}},
        {"name": "table_loss", "params": {"losses": {HOSTILE_KEY: "dice_loss"}, "text": HOSTILE_KEY}},
        {"name": "table_loss", "params": {"losses": {}, "text": HOSTILE_KEY}},
    ],
)
def test_nothing_of_a_config_acts_on_the_terminal(lossary, losses, write, verb, config):
    """A terminal gets no control character but our colours: of no key, text, file name or exception."""

    @losses.register(name="table_loss")
    class TableLoss(losses.base_class):
        def __init__(self, losses: dict[str, losses.base_class], text: str) -> None:
            if not losses:
                raise ValueError(f"no loss in {text}\nat all")

    TableLoss.__init__.__annotations__["losses"] = dict[str, losses.base_class]
    file = write("a\x1b[2J\x9b.json", json.dumps(config))
    result = lossary(*verb, file, color=True)
    assert isinstance(result.exception, (SystemExit, type(None)))
    shown = re.sub(r"\x1b\[\d*m", "", result.output)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\x1b[2J" not in result.output


def test_an_override_that_is_no_text_is_a_wrong_config(lossary, write):
    """A byte that is no UTF-8 reaches the command as half of a surrogate pair, and is refused."""
    result = lossary("validate", write("loss.yaml", "dice_loss"), "--set", "loss=\udcff")
    assert result.exit_code == 1
    assert "a character here is not allowed in YAML" in result.output
