"""Where this Palimpsest came from: a checkout with install.py, or a wheel (uv tool, pipx, pip).

Both have the editors' plug-ins; how a person has them put in and taken out differs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import palimpsest

PACKAGE = Path(palimpsest.__file__).parent
INSTALLER = "install.py"


def checkout() -> Path | None:
    """The checkout that this package lies in; None when it was installed from a wheel."""
    root = PACKAGE.parent.parent
    return root if _is_clone(root) else None


def _is_clone(root: Path) -> bool:
    return (root / INSTALLER).is_file() and (root / "krita_plugin").is_dir()


def clone_around(prefix: str = sys.prefix) -> Path | None:
    """The clone whose own environment runs this, though what runs isn't the clone's: a wheel was installed
    into it. None where there is nothing of the kind."""
    root = Path(prefix).parent
    return root if checkout() is None and _is_clone(root) else None


def commit() -> str:
    """The commit of the checkout that runs; "unknown" for a wheel, and where git can't say."""
    root = checkout()
    if root is None:
        return "unknown"  # of another repository's, around the environment, git would tell
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip() if found.returncode == 0 else "unknown"


def plugin_root() -> Path:
    """The folder with ``krita_plugin`` and ``gimp_plugin``."""
    return checkout() or PACKAGE / "plugins"


def plugins_command(editor: str = "plugins") -> str:
    """What a person types to have the plug-in put into ``krita``, ``gimp`` or both (``plugins``)."""
    if checkout() is not None:
        return f"python3 {INSTALLER} {editor}"
    return "palimpsest plugins" if editor == "plugins" else f"palimpsest plugins {editor}"


def repair() -> str:
    """What a person does when libraries are missing or damaged."""
    if checkout() is not None:
        return f"Run: python3 {INSTALLER} setup"
    return "Install Palimpsest's wheel again: uv tool install --reinstall palimpsest-…-py3-none-any.whl"
