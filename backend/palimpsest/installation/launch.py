"""The record by which an editor starts the backend: the command, in the user's configuration folder."""

from __future__ import annotations

from pathlib import Path

from palimpsest.installation.origin import plugins_command
from palimpsest_client.folders import config_folder
from palimpsest_client.http.connection import LAUNCH, launch_of, write_launch

launch_command = launch_of


def write_launch_record(python: Path, folder: Path | None = None) -> Path:
    return write_launch(config_folder() if folder is None else folder, python, plugins_command())


def remove_launch_record() -> Path | None:
    """The record that was removed, if there was one."""
    record = config_folder() / LAUNCH
    if not record.exists():
        return None
    record.unlink()
    return record
