"""The record by which an editor starts the backend: the command, in the user's configuration folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from palimpsest.interpreter import isolated
from palimpsest_client.protocol import config_folder

LAUNCH_FILE = "launch.json"
IDLE = "900"  # seconds after the last editor has closed


def launch_command(python: Path) -> list[str]:
    """Isolated: neither the editor's folder nor variables it set for a Python of its own count."""
    return isolated(python, "-m", "palimpsest", "serve", "--stop-after-idle", IDLE)


def write_launch_record(python: Path, folder: Path | None = None) -> Path:
    record = (config_folder() if folder is None else folder) / LAUNCH_FILE
    record.parent.mkdir(parents=True, exist_ok=True)
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps({"command": launch_command(python)}, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, record)
    return record


def remove_launch_record() -> Path | None:
    """The record that was removed, if there was one."""
    record = config_folder() / LAUNCH_FILE
    if not record.exists():
        return None
    record.unlink()
    return record
