"""A server over the home of a test."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.process import environment


@pytest.fixture
def server(home: Path) -> Iterator[None]:
    """Runs until the test is done."""
    process = subprocess.Popen(
        [sys.executable, "-m", "palimpsest", "serve"],
        **{"env": environment(home), "cwd": home.parent, "text": True},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Palimpsest is at")
    yield
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
