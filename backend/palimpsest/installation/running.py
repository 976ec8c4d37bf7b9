"""Whether a Krita runs that will write its settings when it quits. When in doubt, one does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PROCESSES = Path("/proc")


def krita_runs(settings: Path, platform: str = sys.platform, processes: Path = PROCESSES) -> bool:
    """Whether a Krita runs with this ``kritarc``; on systems that don't tell which, whether any runs."""
    if platform == "win32":
        return _answers(["tasklist", "/FI", "IMAGENAME eq krita.exe", "/NH"], "krita.exe")
    if not (processes / "self").exists():
        return _answers(["pgrep", "-x", "krita"], "")
    kritas = (_settings_of(process) for process in _named(processes, "krita"))
    return any(used is None or used.resolve() == settings.resolve() for used in kritas)


def _named(processes: Path, name: str) -> Iterator[Path]:
    """Those of this user."""
    for process in processes.glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == name and process.stat().st_uid == os.getuid():
                yield process
        except OSError:  # it has ended
            continue


def _settings_of(process: Path) -> Path | None:
    """The ``kritarc`` of a running Krita, from the environment it was started in."""
    try:
        lines = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    pairs = (os.fsdecode(line).partition("=") for line in lines)
    environment = {name: value for name, _, value in pairs}
    return _config(environment) / "kritarc" if environment.get("HOME") else None


def _config(environment: Mapping[str, str]) -> Path:
    chosen = environment.get("XDG_CONFIG_HOME", "")
    return Path(chosen) if chosen else Path(environment["HOME"]) / ".config"


def _answers(command: list[str], word: str) -> bool:
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError:
        return True
    return result.returncode == 0 and word in result.stdout
