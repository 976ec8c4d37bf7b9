"""The backend as a wheel, and the lock of what it needs: what a plug-in's zip brings along.

An editor in which only the zip was put sets the backend up from them (``palimpsest_client.setup.installer``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from palimpsest.installation.environment import InstallationError, explain
from palimpsest.interpreter import SAFE_FOLDER, isolated
from palimpsest_client.setup.bundled import FOLDER, LOCK

SOURCES = (
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"),
    *("backend/palimpsest", "backend/palimpsest_client", "krita_plugin", "gimp_plugin"),
)
EPOCH = "315532800"  # 1980, when zips begin: the same sources make the same wheel
SETUPTOOLS = 77  # as pyproject.toml has it


def carried(root: Path) -> dict[str, bytes]:
    """Path in the vendored client → its bytes. Raises InstallationError."""
    lock = (root / "backend" / "requirements" / LOCK).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(root, Path(folder))
        return {f"{FOLDER}/{wheel.name}": wheel.read_bytes(), f"{FOLDER}/{LOCK}": lock}


def build_wheel(root: Path, folder: Path) -> Path:
    """From a copy, since setuptools writes beside its sources. Raises InstallationError."""
    for name in SOURCES:
        _copy(root / name, folder / "sources" / name)
    options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    if _has_setuptools():
        options.append("--no-build-isolation")
    command = isolated(Path(sys.executable), "-m", "pip", "wheel", *options, str(folder / "sources"))
    surroundings = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(
        command, cwd=SAFE_FOLDER, env=surroundings, capture_output=True, text=True, check=False
    )
    made = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not made:
        raise InstallationError(explain(done.stderr))
    return made[0]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "_client", FOLDER))
    else:
        shutil.copyfile(source, target)


def _has_setuptools() -> bool:
    """Else pip fetches them for as long as it builds."""
    try:
        return int(version("setuptools").split(".")[0]) >= SETUPTOOLS
    except (PackageNotFoundError, ValueError):
        return False
