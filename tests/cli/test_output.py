"""What is printed never undoes what was done: any encoding, a reader that has gone, a full disk."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import palimpsest
from palimpsest.cli.output import lenient
from tiny_task import picture, selection

EDIT = ("edit", "phöto.png", "--selection", "selection.png", "--shows", "a cat", "--should-show", "a dog")
EDIT = (*EDIT, "--local", "--steps", "2", "--guidance", "3")
LAYER = "phöto-replace-layer.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "phöto.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())
    return tmp_path


def run(folder: Path, model: Path, encoding: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(palimpsest.__file__).parent.parent),
        "PALIMPSEST_HOME": str(folder / "home"),
        "PALIMPSEST_DEVICE": "cpu",
        "PYTHONIOENCODING": encoding,
        "LC_ALL": "C",
    }
    command = [sys.executable, "-m", "palimpsest", *EDIT, "--model", str(model)]
    return subprocess.run(command, cwd=folder, env=environment, check=False, **streams)


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "utf-16", "latin-1"])
def test_a_letter_that_the_encoding_lacks_is_escaped(folder: Path, sd1_folder: Path, encoding: str) -> None:
    done = run(folder, sd1_folder, encoding, capture_output=True)
    assert done.returncode == 0, done.stderr
    name = encoding.partition(":")[0]
    told = done.stdout.decode(name).splitlines()[0]
    assert told == (r"ph\xf6to-replace-layer.png" if name == "ascii" else LAYER)
    assert b"Traceback" not in done.stderr
    assert (folder / LAYER).is_file()


@pytest.mark.parametrize("gone", ["stdout", "stderr", "both"])
def test_a_reader_that_has_gone_costs_no_result(folder: Path, sd1_folder: Path, gone: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    streams = {name: writing if gone in (name, "both") else subprocess.PIPE for name in ("stdout", "stderr")}
    try:
        done = run(folder, sd1_folder, "utf-8", **streams)
    finally:
        os.close(writing)
    assert (folder / LAYER).is_file()
    assert (folder / "phöto-replace.json").is_file()
    assert done.returncode == (0 if gone == "stderr" else 1)
    assert b"Traceback" not in (done.stderr or b"") + (done.stdout or b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_the_output_costs_no_result(folder: Path, sd1_folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(folder, sd1_folder, "utf-8", stdout=full, stderr=subprocess.PIPE)
    assert (folder / LAYER).is_file()
    assert b"could not be written" in done.stderr
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)


def test_bytes_of_a_name_that_are_no_text_come_out_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(below, "utf-8"))
    with lenient():
        print("caf\udce9 \ud800")
    assert below.getvalue() == b"caf\xe9 \\ud800\n"


def test_without_any_streams_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with lenient() as (out, err):
        print("a word")
        print("another", file=sys.stderr)
        assert (out.lost, err.lost, err.isatty()) == (None, None, False)
    assert sys.stdout is None
