"""The gallery's commands run as the page shows them, but for the number of steps, and make what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from palimpsest.cli import main
from palimpsest.storage.pictures import write_png
from take_gallery import DOCUMENT, GAP, PICTURES, ROOT, SHOWN, TILE, commands, photos, picture

LARGEST = 150_000  # bytes of a picture


def test_the_page_shows_every_picture_that_is_made() -> None:
    shown = re.findall(r"\]\(pictures/(gallery-[\w-]+)\.webp\)", (ROOT / DOCUMENT).read_text("utf-8"))
    assert shown == list(SHOWN)
    assert {file.stem for file in PICTURES.glob("gallery-*")} == set(SHOWN)
    assert max(file.stat().st_size for file in PICTURES.glob("gallery-*")) < LARGEST


def test_its_commands_make_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PALIMPSEST_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    for name, pixels in photos():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_png(tmp_path / name, pixels)
    for command in commands():
        assert main([*shlex.split(command)[1:], "--steps", "2", "--quiet"]) == 0, command
    for name, tiles in SHOWN.items():
        assert picture(tmp_path, name).size == (len(tiles) * (TILE + GAP) - GAP, TILE)
