"""Curves as pictures, by the real matplotlib."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from lossary_factory._command import lossary

BEGINNINGS = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_a_picture_is_written(form, tmp_path, monkeypatch):
    """The suffix chooses the format, and a picture that is there is not written over."""
    monkeypatch.chdir(tmp_path)
    file = f"focal.{form}"
    result = CliRunner().invoke(lossary, ["plot", "focal_loss", "--output", file])
    assert result.exit_code == 0, result.output
    assert Path(file).read_bytes().startswith(BEGINNINGS[form])
    assert CliRunner().invoke(lossary, ["plot", "focal_loss", "--output", file]).exit_code == 2


def test_a_picture_shows_each_curve(tmp_path, monkeypatch):
    """More curves make a higher picture, and something is drawn in each part of it."""
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(lossary, ["plot", "huber_loss", "-o", "two.png"])
    schedule = "{schedule: linear, initial: 0, final: 1, end: 5}"
    Path("loss.yaml").write_text(f"sum: {{a: {{name: l1_loss, weight: {schedule}}}}}", encoding="utf-8")
    CliRunner().invoke(lossary, ["plot", "loss.yaml", "-o", "one.png"])
    two, one = imread("two.png"), imread("one.png")
    assert two.shape[0] == 2 * one.shape[0]
    upper, lower = two[: len(two) // 2], two[len(two) // 2 :]
    for part in (one, upper, lower):
        assert part.std() > 0.05
