"""The example of docs/http-api.md, as it is written, against a real server with the built-in model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from api.process import find, starting
from palimpsest.demo.script import PHOTO, PICTURES

REQUIRED = os.environ.get("PALIMPSEST_REQUIRE_EDITORS") == "1"
DOCUMENT = Path(__file__).parents[2] / "docs" / "http-api.md"
ADDRESS = "http://127.0.0.1:8391"
pytestmark = pytest.mark.skipif(shutil.which("curl") is None and not REQUIRED, reason="needs curl")


def example() -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if ADDRESS in block]
    return found


def test_a_photo_is_uploaded_edited_followed_and_fetched(tmp_path: Path) -> None:
    """Only the port is another one: that of the document may be taken."""
    home, config = tmp_path / "home", tmp_path / ".config"
    config.mkdir()
    shutil.copy(PICTURES / PHOTO, tmp_path / "photo.png")
    with starting(home):
        (config / "palimpsest").symlink_to(home / "config")
        script = example().replace(ADDRESS, find(home).transport.address)
        environment = {**os.environ, "HOME": str(tmp_path), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            ["bash", "-eu", "-c", script],
            **{"cwd": tmp_path, "env": environment, "text": True},
            capture_output=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "event: finished" in done.stdout or '"event":"finished"' in done.stdout.replace(" ", "")
        client = find(home)
        assert (tmp_path / "layer.png").read_bytes() == client.artifact("first-edit", "layer")
    sizes = {Image.open(tmp_path / name).size for name in ("photo.png", "layer.png", "composite.png")}
    assert len(sizes) == 1
