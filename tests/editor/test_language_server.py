"""What an editor offers and underlines with our schema, asked of the real yaml-language-server.

A bar in a text is where the cursor stands.
"""

from __future__ import annotations

import pytest

from lossary_factory import check, describe
from lossary_losses import loss_registry, schedule_registry

FOCAL = "loss:\n  name: focal_loss\n  params:\n    "
IN_SUM = "loss:\n  sum:\n    a:\n      name: huber_loss\n      "


def parameters(name):
    return set(describe(name)["parameters"])


@pytest.mark.parametrize(
    "start", ["loss:\n  ", "", "loss:\n  sum:\n    a:\n      ", "loss:\n  heads:\n    a:\n      "]
)
def test_names_are_offered_where_a_loss_is_named(editor, start):
    """At the top, in a sum and in a head: every loss that is chosen by name, composites aside."""
    named = {*loss_registry} - {*loss_registry.filter_by_tag("composite")}
    assert named <= set(editor.completions(f"{start}name: |"))


def test_names_are_offered_in_place_of_a_loss(editor):
    """A name alone is a config: all names, and all aliases."""
    offered = editor.completions("loss: |")
    assert {*loss_registry} <= set(offered)
    assert "FocalLoss" in offered


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (FOCAL + "|", "focal_loss"),
        (IN_SUM + "params:\n        |", "huber_loss"),
        ("defs:\n  a:\n    name: dice_loss\n    params:\n      |\nloss: {use: a}", "dice_loss"),
        ("loss:\n  deep_supervision:\n    |", "deep_supervision"),
        ("loss:\n  name: FocalLoss\n  params:\n    |", "focal_loss"),
    ],
    ids=["top", "sum", "defs", "deep_supervision", "alias"],
)
def test_the_parameters_of_the_chosen_loss_are_offered(editor, text, name):
    """Those, and no parameter of another loss, at any depth."""
    assert set(editor.completions(text)) == parameters(name)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (FOCAL + "reduction: |", {"none", "mean", "sum"}),
        (IN_SUM + "params:\n        reduction: |", {"none", "mean", "sum"}),
        ("loss:\n  name: dice_loss\n  params:\n    empty: |", {"score", "zero", "skip"}),
        ("loss:\n  name: dice_loss\n  params:\n    batch: |", {"true", "false"}),
    ],
)
def test_values_are_offered(editor, text, values):
    """A parameter with a few possible values offers these."""
    assert set(editor.completions(text)) == values


def test_keys_of_a_term_are_offered(editor):
    """Beside the name of a term, what a term may have."""
    assert set(editor.completions(IN_SUM + "|")) == {"params", "weight", "inputs"}


def test_schedules_are_offered(editor):
    """A weight takes a schedule by its name, and then the parameters of one."""
    start = IN_SUM + "weight:\n        schedule: "
    assert {*schedule_registry} <= set(editor.completions(start + "|"))
    offered = editor.completions(start + "linear\n        |")
    assert {"initial", "final", "start", "end", "unit"} <= set(offered)


@pytest.mark.parametrize("name", ["focal_loss", "dice_loss"])
def test_a_name_is_explained(editor, name):
    """Over the name of a loss stands what the loss is."""
    assert describe(name)["summary"] in editor.hover(f"loss:\n  name: {name[:3]}|{name[3:]}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loss:\n  su|m: {a: dice_loss}", "sum of named losses"),
        ("loss:\n  hea|ds: {a: dice_loss}", "for each head"),
        ("loss:\n  deep_super|vision: {loss: dice_loss}", "several resolutions"),
        ("de|fs: {a: dice_loss}\nloss: {use: a}", "Losses to be used by name"),
        ("loss: {sum: {a: {name: dice_loss, wei|ght: 2}}}", "How much this term counts"),
        ("loss: {heads: {a: {name: dice_loss, inp|uts: {input: input.x}}}}", "Where each argument"),
    ],
)
def test_keys_of_the_grammar_are_explained(editor, text, words):
    """Over a key stands what belongs under it."""
    assert words in editor.hover(text)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("loss:\n  name: focl_loss", "focal_loss", 1, 8),
        ("loss: focl_loss", "focal_loss", 0, 6),
        (FOCAL + "gama: 1", "Property gama is not allowed", 3, 4),
        (FOCAL + "gamma: two", 'Expected "number"', 3, 11),
        (FOCAL + "gamma: -1", "below the minimum of 0", 3, 11),
        (FOCAL + "reduction: avg", '"none", "mean", "sum"', 3, 15),
        ("loss:\n  name: focal_loss\n  gamma: 1", "Property gamma is not allowed", 2, 2),
        (IN_SUM + "weight: -1", "below the minimum of 0", 4, 14),
        (IN_SUM + "params: {dela: 1}", "Property dela is not allowed", 4, 15),
        ("loss: {use: a}\ndefs: {a: {name: bce_loss, params: {weight: x}}}", "Incorrect type", 1, 44),
        ("loss:\n  heads:\n    a: {name: bce_loss, inputs: {input: foo.x}}", "does not match", 2, 40),
        (IN_SUM + "weight: {schedule: linear, final: 1, end: 2}", 'Missing property "initial"', 4, 6),
        ("loss:\n  name: FocalLoss\n  params:\n    gama: 1", "Property gama is not allowed", 3, 4),
        ("loss:\n  name: focal_loss\n  params: [1]", "Incorrect type", 2, 10),
        ("losss: dice_loss", "Property losss is not allowed", 0, 0),
    ],
)
def test_what_is_wrong_is_underlined(editor, text, message, line, column):
    """At the place of the mistake, with a word on what is wrong; and the validator finds it as well."""
    found = editor.diagnostics(text)
    starts = [each["range"]["start"] for each in found]
    assert any(message in each["message"] for each in found), found
    assert (line, column) in [(start["line"], start["character"]) for start in starts]


CORRECT = [
    "loss: dice_loss",
    "FocalLoss",
    FOCAL + "gamma: 1e-1",
    IN_SUM + "weight: {schedule: linear, initial: 0, final: 1, end: 2, unit: epoch}",
    "defs: {a: dice_loss}\nloss: {sum: {x: {use: a, weight: 2}}}",
    "loss: {heads: {seg: {name: bce_loss, inputs: {mask: batch.valid}}, depth: l1_loss}}",
]


@pytest.mark.parametrize("text", CORRECT)
def test_what_is_correct_is_not_underlined(editor, text, tmp_path):
    """Nor does the validator complain of it."""
    path = tmp_path / "loss.yaml"
    path.write_text(text, encoding="utf-8")
    assert (editor.diagnostics(text), check(path)) == ([], [])
