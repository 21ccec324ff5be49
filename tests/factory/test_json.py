from __future__ import annotations

import pytest

from lossary_factory import check
from lossary_factory._reading.from_json import find_places

TEXT = '{"a": [1, {"b \\"": null}], "": {},\n "c": "\\ud83d\\ude00"}'


def test_every_key_and_value_has_its_place():
    """Objects, arrays, escapes and empty containers: all are found."""
    shown = {
        path: (TEXT[slice(*place.key)] if place.key else "", TEXT[slice(*place.value)])
        for path, place in find_places(TEXT).items()
    }
    assert shown == {
        (): ("", TEXT),
        ("a",): ('"a"', '[1, {"b \\"": null}]'),
        ("a", 0): ("", "1"),
        ("a", 1): ("", '{"b \\"": null}'),
        ("a", 1, 'b "'): ('"b \\""', "null"),
        ("",): ('""', "{}"),
        ("c",): ('"c"', '"\\ud83d\\ude00"'),
    }


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message"),
    [
        ('{"loss":\n  }', "syntax", 2, 3, "Expecting value"),
        (
            '{"loss": "dice_loss",\n "loss": "a"}',
            "duplicate-key",
            2,
            2,
            "the key 'loss' stands here twice, first in line 1",
        ),
        ("[" * 100_000, "too-deep", 1, 101, "values are nested more than 100 levels deep"),
        ("[" * 600 + "]" * 600, "too-deep", 1, 101, "values are nested more than 100 levels deep"),
        (
            '{"a": 1, "a": ' + "[" * 600 + "]" * 600 + "}",
            "too-deep",
            1,
            114,
            "values are nested more than 100 levels deep",
        ),
        ("[" + "0, " * 100_000 + "0]", "too-large", 1, 299_999, "the file holds more than 100,000 values"),
        ("9" * 10_000, "out-of-range", 1, 1, "a number has too many digits"),
        (
            '{"name": "dice_loss", "params": {"smooth": NaN}}',
            "not-finite",
            1,
            44,
            "NaN is not a number that JSON has",
        ),
        (
            '{"name": "dice_loss", "params": {"smooth": -Infinity}}',
            "not-finite",
            1,
            44,
            "-Infinity is not a number that JSON has",
        ),
        (
            '{"name": "dice_loss", "params": {"smooth": 1e999}}',
            "not-finite",
            1,
            44,
            "smooth must be finite, not inf",
        ),
        (
            '{"name": "dice_loss", "params": {"smoth": 1}}',
            "unknown-parameter",
            1,
            34,
            "dice_loss has no parameter 'smoth'",
        ),
    ],
)
def test_what_is_wrong_is_found(losses, write, text, code, line, column, message):  # noqa: PLR0917  # one column of the table each
    """JSON is read as its standard has it, and every problem has its line and column."""
    found = check(write("config.json", text), registry=losses)[0]
    assert (found.code, found.line, found.column, found.message) == (code, line, column, message)


def test_all_duplicates_are_reported(losses, write):
    """Each key that stands twice is a problem of its own, besides those of its values."""
    text = '{"name": "focal_loss", "name": "x", "params": {"gamma": 1, "gamma": 2, "alpha": 3}}'
    assert [problem.code for problem in check(write("config.json", text), registry=losses)] == [
        "duplicate-key",
        "duplicate-key",
        "out-of-range",
    ]
