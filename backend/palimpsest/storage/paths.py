"""Where things are kept: the platform's folders for data, cache and configuration.

`PALIMPSEST_HOME` puts all three into one folder (portable installs, tests). Nothing is made here;
whoever writes makes the folder it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "palimpsest"


@dataclass(frozen=True)
class Folders:
    """``data`` is the user's own; ``cache`` can be made again; ``config`` is small."""

    data: Path
    cache: Path
    config: Path

    @property
    def concepts(self) -> Path:
        return self.data / "concepts"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def images(self) -> Path:
        return self.data / "images"

    @property
    def inversions(self) -> Path:
        return self.cache / "inversions"

    @property
    def database(self) -> Path:
        return self.data / "jobs.sqlite"

    @property
    def token(self) -> Path:
        return self.config / "token"


def folders(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Folders:
    """The folders for this user. Read anew at each call; empty or relative variables don't count."""
    chosen = environment.get("PALIMPSEST_HOME", "")
    if chosen:
        root = Path(chosen).expanduser().absolute()
        return Folders(root / "data", root / "cache", root / "config")
    home = Path.home() if home is None else home
    if platform == "win32":
        local = _absolute(environment, "LOCALAPPDATA", home / "AppData" / "Local") / NAME
        return Folders(local / "data", local / "cache", local / "config")
    if platform == "darwin":
        library = home / "Library"
        support = library / "Application Support" / NAME
        return Folders(support, library / "Caches" / NAME, support / "config")
    return Folders(  # XDG Base Directory Specification
        _absolute(environment, "XDG_DATA_HOME", home / ".local" / "share") / NAME,
        _absolute(environment, "XDG_CACHE_HOME", home / ".cache") / NAME,
        _absolute(environment, "XDG_CONFIG_HOME", home / ".config") / NAME,
    )


def _absolute(environment: Mapping[str, str], variable: str, default: Path) -> Path:
    """The specification: a relative path in such a variable is invalid and must be ignored."""
    value = Path(environment.get(variable, ""))
    return value if value.is_absolute() else default
