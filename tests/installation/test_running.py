"""A running Krita would write its own settings over ours when it quits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from palimpsest.installation import running
from palimpsest.installation.running import krita_runs


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """As Linux shows them; number 2 is somebody's shell."""
    start(tmp_path / "proc/self", "bash", b"")
    start(tmp_path / "proc/2", "bash", b"HOME=/home/anna")
    return tmp_path / "proc"


def start(process: Path, name: str, environment: bytes) -> None:
    process.mkdir(parents=True)
    (process / "comm").write_text(name + "\n")
    (process / "environ").write_bytes(environment)


def test_only_the_krita_of_these_settings_counts(processes: Path) -> None:
    settings = Path("/home/anna/.config/kritarc")
    assert not krita_runs(settings, "linux", processes)
    start(processes / "7", "krita", b"HOME=/home/ben\0PATH=/bin\0")
    start(processes / "8", "krita", b"HOME=/home/anna\0XDG_CONFIG_HOME=/home/anna/.var/app")
    assert not krita_runs(settings, "linux", processes)
    start(processes / "9", "krita", b"HOME=/home/anna\0XDG_CONFIG_HOME=\0")
    assert krita_runs(settings, "linux", processes)


def test_a_krita_that_keeps_its_surroundings_to_itself_counts(processes: Path) -> None:
    start(processes / "9", "krita", b"")
    assert krita_runs(Path("/home/anna/.config/kritarc"), "linux", processes)


def test_a_krita_of_somebody_else_does_not(processes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(processes / "9", "krita", b"HOME=/home/anna")
    monkeypatch.setattr(running.os, "getuid", lambda: os.geteuid() + 1)
    assert not krita_runs(Path("/home/anna/.config/kritarc"), "linux", processes)


@pytest.mark.parametrize(
    ("platform", "answer", "runs"),
    [
        ("win32", "echo 'krita.exe  4711 Console'", True),
        ("win32", "echo 'INFO: No tasks are running'", False),
        ("darwin", "echo 4711", True),
        ("darwin", "exit 1", False),
    ],
)
def test_other_systems_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, answer: str, runs: bool
) -> None:
    for name in ("tasklist", "pgrep"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert krita_runs(Path("kritarc"), platform, tmp_path / "none") is runs


def test_when_nobody_can_be_asked_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert krita_runs(Path("kritarc"), "darwin", tmp_path / "none")
