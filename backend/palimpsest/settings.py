"""Everything a person can set about this machine, in one frozen object. Standard library only.

Each field can be given in the environment, as ``PALIMPSEST_`` and the field's name in capitals
(``PALIMPSEST_HOME=/data/palimpsest``). Reading the settings makes no folder and opens no file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from palimpsest.errors import RequestError

PREFIX = "PALIMPSEST_"
GIB = 1 << 30


@dataclass(frozen=True)
class Settings:
    """Where things lie and how much is allowed."""

    home: Path  # models, concepts, remembered photos, results
    device: str = "auto"  # "cpu", "cuda", "cuda:1", "mps"; auto takes the fastest there is
    max_pixels: int = 100_000_000  # per picture
    max_image_bytes: int = 512 << 20  # of an encoded picture
    inversion_cache_bytes: int = 8 * GIB  # remembered photos; the longest unused go first

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def concepts(self) -> Path:
        return self.home / "concepts"

    @property
    def images(self) -> Path:
        """Content-addressed pictures: uploads and results."""
        return self.home / "images"

    @property
    def inversions(self) -> Path:
        """Remembered photos; may be deleted at any time."""
        return self.home / "inversions"

    @property
    def learning(self) -> Path:
        """Half-learned concepts, so that an interrupted run can go on; may be deleted at any time."""
        return self.home / "learning"

    @property
    def weights_memory(self) -> Path:
        """Hashes of model files; may be deleted at any time."""
        return self.home / "weights-hashes.json"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises RequestError that names the variable and the value it can't use."""
    variables = {field.name: PREFIX + field.name.upper() for field in fields(Settings)}
    given = {name: environment[variable] for name, variable in variables.items() if variable in environment}
    values: dict[str, Any] = {name: _parse(name, text) for name, text in given.items()}
    if "home" not in values:
        values["home"] = default_home(environment, sys.platform)
    return Settings(**values)


def default_home(environment: Mapping[str, str], platform: str) -> Path:
    """Where applications of this platform keep what belongs to a user."""
    if platform == "win32" and "LOCALAPPDATA" in environment:
        return Path(environment["LOCALAPPDATA"]) / "Palimpsest"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Palimpsest"
    base = environment.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "palimpsest"


def _parse(name: str, text: str) -> Any:
    if name == "home":
        return Path(text).expanduser().absolute()
    if name == "device":
        return text
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise RequestError(f"{PREFIX}{name.upper()} is {text!r}, which is not a whole number above zero.")
