from __future__ import annotations

import os
import sys

import pytest

from lossary_factory import ConfigError, check, load


def one(file, losses):
    (problem,) = check(file, registry=losses)
    assert problem.file == os.fspath(file)
    return problem


def test_a_missing_file(losses, write):
    """A file that is not there is one problem, and a file with almost its name is suggested."""
    write("train.yaml", "loss: dice_loss")
    problem = one("trian.yaml", losses)
    assert str(problem) == (
        "trian.yaml: error[no-such-file]: there is no such file\n    did you mean 'train.yaml'?"
    )


def test_a_folder(losses, tmp_path):
    """A folder is no config, even if its name ends like one."""
    folder = tmp_path / "configs.yaml"
    folder.mkdir()
    assert one(folder, losses).code == "not-a-file"


def test_a_folder_without_an_ending(losses, tmp_path, write):
    """A folder is told as a folder before its name is judged."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, registry=losses)
    assert [problem.code for problem in caught.value.problems] == ["not-a-file"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_a_pipe_is_not_read(losses, tmp_path):
    """Reading a pipe might never end."""
    os.mkfifo(tmp_path / "pipe.yaml")
    assert one(tmp_path / "pipe.yaml", losses).code == "not-a-file"


@pytest.mark.parametrize("name", ["config.txt", "config", "config.yaml.bak"])
def test_an_unknown_ending(losses, write, name):
    """The ending says how to read a file; any other is refused with the list of endings."""
    write(name, "loss: dice_loss")
    with pytest.raises(ConfigError) as caught:
        load(name, registry=losses)
    (problem,) = caught.value.problems
    assert problem.code == "unknown-format"
    assert "must end in .yaml, .yml, .toml or .json" in problem.message


@pytest.mark.parametrize("suffix", [".yaml", ".toml", ".json"])
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b" \n\t\n", "empty-file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary-file"),
        ("loss: dice_loss".encode("utf-16"), "binary-file"),
        ("# caf\u00e9\n".encode("latin-1"), "not-utf8"),
        (b" " * (1 << 20) + b" x", "too-large"),
    ],
)
def test_a_file_that_is_no_text(losses, write, suffix, content, code):
    """What is not a text of bearable length in UTF-8 is refused before it is parsed."""
    assert one(write(f"config{suffix}", content), losses).code == code


@pytest.mark.parametrize("content", ["# nothing but a comment\n", "---\n", "null", "~"])
def test_a_file_without_a_value(losses, write, content):
    """A file that holds nothing is empty, however it says so."""
    assert one(write("config.yaml", content), losses).code == "empty-file"


def test_a_byte_order_mark_is_no_content(losses, write):
    """What some editors put first does not count."""
    assert check(write("config.json", b'\xef\xbb\xbf"dice_loss"'), registry=losses) == []


def test_a_name_that_no_file_can_have(losses):
    """A NUL character or an endless name is a missing or unreadable file, not a crash."""
    assert one("a\0.yaml", losses).code == "no-such-file"
    assert one("x" * 5000 + ".yaml", losses).code == "unreadable-file"


def test_lines_end_as_they_like(losses, write):
    """Positions are the same whether lines end as on Unix or as on Windows."""
    (problem,) = check(
        write("config.yaml", b"loss:\r\n  name: dice_loss\r\n  colour: 1\r\n"), registry=losses
    )
    assert (problem.line, problem.column, problem.line_text) == (3, 3, "  colour: 1")


def test_a_link_to_nothing_is_not_suggested(losses, tmp_path, monkeypatch):
    """What is suggested can be read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loss.yaml").symlink_to("nowhere")
    (problem,) = check("loss.yaml", registry=losses)
    assert (problem.code, problem.hint) == ("no-such-file", "")


def test_lines_may_end_with_a_carriage_return_alone(losses, write):
    """They are counted as YAML counts them."""
    (problem,) = check(write("loss.yaml", "loss:\r  name: dice_los\r"), registry=losses)
    assert (problem.line, problem.column, problem.line_text) == (2, 9, "  name: dice_los")


def test_the_name_of_a_file_is_printable_in_messages(losses):
    """What a file is called cannot write to the terminal of who reads the message."""
    (problem,) = check("\x1b[31mloss.yaml", registry=losses)
    assert "\x1b" not in str(problem)
