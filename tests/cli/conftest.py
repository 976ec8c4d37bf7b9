"""A shell with a home of its own, a tiny model, and files to work on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.shell import Said, Shell
from palimpsest.cli import main, remote
from tiny_task import picture, selection


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs a command in ``tmp_path``, where photo.png and selection.png lie."""
    for variable in [name for name in os.environ if name.startswith("PALIMPSEST_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PALIMPSEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PALIMPSEST_DEVICE", "cpu")
    monkeypatch.setattr(remote, "FIND_SECONDS", 120.0)  # a loaded machine's server is slow, not gone
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())

    def run(*arguments: str | Path) -> Said:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
