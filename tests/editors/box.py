"""A private place to run an editor in: on this system, or in another root (chroot, no mounts that last)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

TEMPORARY = Path("/tmp")  # the one folder that both sides have, without mounts


def shared_folder(root: Path | None) -> Path:
    """A new empty folder that has the same path on this system and in ``root``."""
    if root is None:
        return Path(tempfile.mkdtemp(prefix="palimpsest-", dir=TEMPORARY))
    inside = Path(tempfile.mkdtemp(prefix="palimpsest-", dir=root / TEMPORARY.relative_to("/")))
    link = TEMPORARY / inside.name
    link.symlink_to(inside)
    return link


def remove_folder(folder: Path) -> None:
    """A folder made by ``shared_folder``, with everything in it."""
    shutil.rmtree(folder.resolve(), ignore_errors=True)
    if folder.is_symlink():
        folder.unlink()


def entering(root: Path) -> list[str]:
    """What starts a program in ``root``. A later GTK reads every picture in a sandbox of its own, made by
    bwrap: that can be made within another one, but not in a chroot."""
    if not (root / "usr/bin/bwrap").exists():
        return ["chroot", str(root)]
    return ["bwrap", "--bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--die-with-parent"]


class Box:
    """One folder holds a home, every setting and every file of the tests. Paths are equal on both sides."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self.folder = shared_folder(root)
        for name in ("home", "run", "data", "config", "cache", "calls", "files"):
            (self.folder / name).mkdir()
        (self.folder / "run").chmod(0o700)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def calls(self) -> Path:
        """Where the driver inside the editor looks for something to do."""
        return self.folder / "calls"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of our own comes along: a virtual environment in PATH would be the editor's Python."""
        here = str(self.folder)
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": here + "/home",
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": here + "/run",
            "XDG_DATA_HOME": here + "/data",
            "XDG_CONFIG_HOME": here + "/config",
            "XDG_CACHE_HOME": here + "/cache",
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "GSETTINGS_BACKEND": "memory",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PALIMPSEST_TEST_CALLS": str(self.calls),
            **more,
        }

    def start(self, command: list[str], log: Path, **more: str) -> subprocess.Popen[bytes]:
        """The program in a session of its own, so that whatever it starts can be ended with it."""
        inside = [] if self.root is None else entering(self.root)
        variables = [f"{name}={value}" for name, value in self.environment(**more).items()]
        with log.open("wb") as output:
            return subprocess.Popen(
                [*inside, "env", "-i", *variables, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def close(self) -> None:
        remove_folder(self.folder)
