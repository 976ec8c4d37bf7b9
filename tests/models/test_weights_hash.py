"""A model's hash is the same, remembered or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from palimpsest.models.weights_hash import weights_hash


def test_a_memory_that_cannot_be_written_costs_time_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"numbers")
    (tmp_path / "cache").write_bytes(b"a file in the way")
    plain = weights_hash([weights], tmp_path)
    assert weights_hash([weights], tmp_path, tmp_path / "cache" / "hashes.json") == plain
    assert "could not be remembered" in caplog.text
    assert weights_hash([weights], tmp_path, tmp_path / "memory.json") == plain
    assert weights_hash([weights], tmp_path, tmp_path / "memory.json") == plain
