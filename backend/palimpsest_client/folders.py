"""Where this user's configuration and data lie, as ``palimpsest.storage.paths`` has it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def config_folder(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Where the server of this user keeps its state file; as ``palimpsest.storage.paths`` has it."""
    chosen = environment.get("PALIMPSEST_HOME", "")
    if chosen:
        return Path(chosen).expanduser().absolute() / "config"
    home = Path.home() if home is None else home
    if platform == "win32":
        return absolute(environment, "LOCALAPPDATA", home / "AppData" / "Local") / "palimpsest" / "config"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "palimpsest" / "config"
    return absolute(environment, outside(environment), home / ".config") / "palimpsest"


def data_folder(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Where this user's models and concepts are; as ``palimpsest.storage.paths`` has it."""
    chosen = environment.get("PALIMPSEST_HOME", "")
    if chosen:
        return Path(chosen).expanduser().absolute() / "data"
    home = Path.home() if home is None else home
    if platform == "win32":
        return absolute(environment, "LOCALAPPDATA", home / "AppData" / "Local") / "palimpsest" / "data"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "palimpsest"
    return absolute(environment, outside(environment, "DATA"), home / ".local" / "share") / "palimpsest"


def outside(environment: Mapping[str, str], kind: str = "CONFIG") -> str:
    """An editor from Flatpak has folders of its own; the backend lives outside."""
    return f"HOST_XDG_{kind}_HOME" if in_flatpak(environment) else f"XDG_{kind}_HOME"


def in_flatpak(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("FLATPAK_ID"))


def absolute(environment: Mapping[str, str], variable: str, default: Path) -> Path:
    """The folder in a variable, which counts only if it is absolute."""
    value = Path(environment.get(variable, ""))
    return value if value.is_absolute() else default
