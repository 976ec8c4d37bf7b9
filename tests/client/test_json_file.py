"""What the panels keep is closed to other accounts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from palimpsest_client.json_file import read_json, write_json


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_it_is_closed_to_other_accounts_at_any_umask(tmp_path: Path):
    place = tmp_path / "config" / "sentences.json"
    before = os.umask(0)
    try:
        write_json(place, {"/a.png": {}})
        left = place.with_suffix(".part")
        left.touch(mode=0o644)
        write_json(place, {"/b.png": {}})
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert read_json(place) == {"/b.png": {}}
