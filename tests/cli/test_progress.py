"""Progress fits the terminal, and is nothing but plain lines where there is none."""

from __future__ import annotations

import io
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from palimpsest.cli import build_parser
from palimpsest.cli.output import hushed
from palimpsest.cli.running import Display, progress_line
from palimpsest.jobs.events import Progressed

NOW = Progressed("editing", 12, 50, seconds_left=34.0)


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@pytest.mark.parametrize("width", [1, 5, 8, 12, 20, 30, 45, 79, 119, 300])
@pytest.mark.parametrize(
    "phase", ["editing", "learning <my-toy> from 4 pictures: learning", "猫の写真.jpg: editing"]
)
def test_a_line_is_never_wider_than_the_terminal(width: int, phase: str) -> None:
    assert 0 < cells(progress_line(NOW, phase, width)) <= width


def test_what_does_not_fit_goes_in_turn() -> None:
    assert progress_line(NOW, "editing", 79) == f"editing     {'█' * 7}{'░' * 23} 12 of 50, 34 s left"
    assert progress_line(NOW, "editing", 40) == f"editing     {'█' * 1}{'░' * 7} 12 of 50, 34 s left"
    assert progress_line(NOW, "editing", 30) == "editing 12 of 50 34 s left"
    assert progress_line(NOW, "editing", 20) == "editing 12 of 50"
    assert progress_line(NOW, "editing", 10) == "editing"
    assert progress_line(NOW, "editing", 5) == "edit…"
    assert progress_line(Progressed("decoding", 0, 0), "decoding", 79) == "decoding"
    assert progress_line(Progressed("saving", 7, 5), "saving", 79, "#", "-").count("#") == 30


def test_a_log_has_a_plain_line_for_each_phase() -> None:
    log = io.StringIO()
    shown = Display(log)
    for index in range(3):
        shown.show(Progressed("editing", index, 3, 1.0))
    shown.show(Progressed("saving", 0, 0))
    shown.end()
    assert log.getvalue() == "editing …\nsaving …\n"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize(
    ("encoding", "columns", "full"), [("utf-8", 60, "█"), ("ascii", 60, "#"), ("utf-8", 0, "█")]
)
def test_a_terminal_of_any_width_and_encoding_is_asked(
    encoding: str, columns: int, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import struct
    import termios

    monkeypatch.delenv("TERM", raising=False)
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with open(its, "w", encoding=encoding) as stream:
        Display(stream, title="photo.jpg").show(NOW)
        said = os.read(ours, 4096).decode(encoding)
    os.close(ours)
    assert said.startswith("\r\033[K")
    assert cells(said[4:]) <= (columns or 80) - 1
    assert full in said


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_terminal_that_cannot_redraw_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, its = os.openpty()
    with open(its, "w", encoding="utf-8") as stream:
        Display(stream).show(NOW)
        said = b""
        while not said.endswith(b"\n"):  # it comes in pieces
            said += os.read(ours, 4096)
    os.close(ours)
    assert said.decode() == "editing …\r\n"


@pytest.mark.parametrize("leaf", list(build_parser().leaves()), ids=lambda leaf: leaf.prog)
def test_every_command_has_json_and_quiet(leaf: Any) -> None:
    assert {"--json", "--quiet"} <= set(leaf._option_string_actions)


def test_quiet_hushes_progress_alone(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    for quiet in (True, False):
        with hushed(quiet):
            print("step 1", file=sys.stderr)
            print("result")
    out, err = capsys.readouterr()
    assert (out, err) == ("result\nresult\n", "step 1\n")


def test_what_does_nothing_says_so_as_one_object(shell: Any) -> None:
    assert shell("stop", "--json").json == {"stopped": False}
    assert shell("stop", "--quiet").err == ""
    assert shell("stop").err == "Palimpsest's backend isn't running.\n"


def test_a_benchmarks_files_are_one_object(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from palimpsest.bench import quality

    def measured(*_: Any) -> tuple[dict[str, Any], list[Any]]:
        quality.say("replace 1 of 1")
        return {}, []

    monkeypatch.setattr(quality, "measure", measured)
    monkeypatch.setattr(quality, "files", lambda *_: {"report.md": b"as measured"})
    done = shell("bench", "quality", "--output", "out", "--json", "--quiet")
    assert (done.code, done.err, done.json) == (0, "", {"files": {"report.md": str(Path("out/report.md"))}})
    assert Path("out/report.md").read_bytes() == b"as measured"
    assert shell("bench", "quality", "--output", "out").err == "replace 1 of 1\n"
