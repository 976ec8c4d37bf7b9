"""Which editors are here, and one running editor that many tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from editors.box import Box
from editors.display import Display
from editors.gimp import Gimp
from editors.gimp import start as start_gimp
from editors.krita import Krita, keep_seed
from editors.krita import start as start_krita

DEFAULT_ROOT = "/var/cache/palimpsest-editors/trixie"


def editors_root() -> Path:
    """The other root, in which a newer Krita and GIMP 3 live; it may be missing."""
    return Path(os.environ.get("PALIMPSEST_EDITORS_ROOT", DEFAULT_ROOT)).resolve()


def missing(what: str) -> None:
    """Skip, or fail where editors are required."""
    told = f"{what} is missing: run tests/editors/prepare as root."
    if os.environ.get("PALIMPSEST_REQUIRE_EDITORS") == "1":
        pytest.fail(told)
    pytest.skip(told)


def require_program(name: str, root: Path | None = None) -> None:
    """``root`` None = this system."""
    if root is None:
        found = shutil.which(name, path="/usr/bin:/bin") is not None
    else:
        found = os.geteuid() == 0 and (root / ".complete").exists() and (root / "usr/bin" / name).exists()
    if not found:
        missing(name if root is None else f"{name} in {root} (or the right to chroot)")


class Kritas:
    """One running Krita that all tests share: started when first asked for, again if it has died."""

    def __init__(self, root: Path | None, display: Display, home: Path, seed: Path) -> None:
        self._root, self._display, self._home, self._seed = root, display, home, seed
        self._krita: Krita | None = None

    def get(self) -> Krita:
        if self._krita is not None and not self._krita.alive:
            self.close()
        if self._krita is None:
            self._krita = start_krita(Box(self._root), self._display, self._home, self._seed)
        return self._krita

    def close(self) -> None:
        if self._krita is not None:
            self._krita.quit()
            keep_seed(self._krita.box, self._seed)
            self._krita.box.close()
            self._krita = None


class Gimps:
    """One running GIMP that all tests of a kind share; begun again if it has died."""

    def __init__(self, home: Path, display: Display | None) -> None:
        self._home, self._display = home, display
        self._gimp: Gimp | None = None

    def get(self) -> Gimp:
        if self._gimp is not None and not self._gimp.alive:
            self.close()
        if self._gimp is None:
            self._gimp = start_gimp(Box(editors_root()), self._home, self._display)
        return self._gimp

    def close(self) -> None:
        if self._gimp is not None:
            self._gimp.quit()
            self._gimp.box.close()
            self._gimp = None
