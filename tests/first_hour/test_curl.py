"""The example with curl of docs/http-api.md is run as it is written: send, post, follow, fetch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import palimpsest
from first_hour.documented import BLOCK, ROOT

PHOTO = Path(palimpsest.__file__).parent / "tour" / "pictures" / "photo.png"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def example() -> str:
    text = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    (body,) = (body for language, body in BLOCK.findall(text) if language == "sh" and "/artifacts/" in body)
    return body


@pytest.mark.usefixtures("server")
def test_the_example_with_curl_runs_as_it_is_written(home: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    shutil.copy(PHOTO, tmp_path / "photo.png")
    around = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PALIMPSEST_HOME": str(home)}
    done = subprocess.run(
        ["sh", "-euc", example()], cwd=tmp_path, env=around, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "event: finished" in done.stdout
    before, after, layer = (
        np.asarray(Image.open(tmp_path / name)) for name in ("photo.png", "composite.png", "layer.png")
    )
    assert layer.shape == (*before.shape[:2], 4)
    outside = layer[..., 3] == 0
    assert (after[..., :3] != before[..., :3]).any()
    assert np.array_equal(after[outside][..., :3], before[outside][..., :3])
