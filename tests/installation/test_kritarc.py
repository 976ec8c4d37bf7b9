"""Krita's settings: one line changes, everything else keeps every byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.installation.kritarc import disable, enable, enabled, read, write

ON = b"enable_palimpsest=true"
LINES = st.sampled_from(
    [
        b"[General]",
        b"[python]",
        b"State=\\x00\xff\xc3[python]",
        b"",
        b"enable_other=false",
        b"# comment",
        b"enable_palimpsest_other=true",
        b"  x = y",
    ]
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"[python]\n" + ON + b"\n"),
        (b"[General]\na=1", b"[General]\na=1\n[python]\n" + ON + b"\n"),
        (b"[General]\r\na=1\r\n", b"[General]\r\na=1\r\n[python]\r\n" + ON + b"\r\n"),
        (b"[python]\nenable_x=true\n[b]\n", b"[python]\n" + ON + b"\nenable_x=true\n[b]\n"),
        (b"[python]\nenable_palimpsest=false\n[b]\n", b"[python]\n" + ON + b"\n[b]\n"),
        (b"[a]\nenable_palimpsest=true\n", b"[a]\nenable_palimpsest=true\n[python]\n" + ON + b"\n"),
        (b"[python]", b"[python]\n" + ON + b"\n"),
    ],
)
def test_the_plugin_is_switched_on(before: bytes, after: bytes) -> None:
    assert not enabled(before)
    assert enable(before) == after
    assert enabled(after)
    assert enable(after) == after


@given(st.lists(LINES), st.sampled_from([b"\n", b"\r\n"]))
def test_on_and_off_again_leaves_every_other_line(lines: list[bytes], end: bytes) -> None:
    before = b"".join(line + end for line in lines)
    on = enable(before)
    assert enabled(on)
    assert [line for line in on.splitlines() if line != ON and line not in lines] in ([], [b"[python]"])
    off = disable(on)
    assert not enabled(off)
    kept = [line for line in off.splitlines() if line.strip() != b"[python]"]
    assert kept == [line for line in before.splitlines() if line.strip() != b"[python]"]


def test_the_file_is_replaced_whole_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles-kritarc", tmp_path / "kritarc"
    assert read(link) == b""
    real.write_bytes(b"a")
    real.chmod(0o600)
    link.symlink_to(real)
    write(link, b"b")
    assert link.is_symlink()
    assert real.read_bytes() == b"b"
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dotfiles-kritarc", "kritarc"]
