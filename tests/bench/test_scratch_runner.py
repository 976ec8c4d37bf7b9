"""Where benchmarks work."""

from __future__ import annotations

from pathlib import Path

import pytest

from palimpsest.bench.scratch_runner import scratch_runner
from tiny import tiny_folder


def test_every_model_of_the_user_can_be_measured_and_nothing_of_theirs_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those in their own folder and those in a folder of another tool."""
    home, other = tmp_path / "home", tmp_path / "other"
    tiny_folder(home / "data" / "models" / "own")
    tiny_folder(other / "linked")
    (home / "config").mkdir()
    monkeypatch.setenv("PALIMPSEST_HOME", str(home))
    monkeypatch.setenv("PALIMPSEST_MODEL_FOLDERS", str(other))
    before = sorted(home.rglob("*"))
    with scratch_runner("cpu") as runner:
        for name in ("own", "linked"):
            assert runner.models.get(name).weights_hash
    assert sorted(home.rglob("*")) == before
