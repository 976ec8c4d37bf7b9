"""A file shown by the desktop's own viewer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PATIENCE = 5.0  # seconds; a starter that still runs then has become the viewer


def show(file: Path) -> str:
    """Why it can't be shown, as a sentence; empty if the desktop took it."""
    if sys.platform == "win32":
        try:
            os.startfile(file)
        except OSError as error:
            return f"Windows has nothing that shows {file}: {error.strerror}."
        return ""
    name = "open" if sys.platform == "darwin" else "xdg-open"
    if name == "xdg-open" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return f"There is no desktop here that could show {file}."
    program = shutil.which(name)
    if program is None:
        return f"{file} can't be shown: {name} isn't installed (on Debian: apt install xdg-utils)."
    nowhere = subprocess.DEVNULL
    shower = subprocess.Popen(
        [program, str(file.absolute())], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        code = shower.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return ""
    return "" if code == 0 else f"{name} found nothing that shows {file} (exit code {code})."
