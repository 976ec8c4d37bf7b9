"""A copy of the backend to which something is added as CONTRIBUTING.md says, and what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = shutil.ignore_patterns("*.safetensors", "*.png", "__pycache__", "*.egg-info")


def section(title: str) -> str:
    said = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return said.split(f"## {title}\n")[1].split("\n## ")[0]


def listed(title: str) -> list[str]:
    """The files that are touched."""
    return re.findall(r"^\d\. `([^`]+)`", section(title), re.MULTILINE)


def examples(title: str) -> list[str]:
    """The code of the worked example, block by block."""
    return re.findall(r"```python\n(.*?)```", section(title), re.DOTALL)


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "backend", folder / "backend", ignore=HEAVY)
    return folder


def put(file: Path, before: str, new: str, indent: int = 0) -> None:
    """``new``, indented, before the only place that reads ``before``."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, (file, before)
    file.write_text(text.replace(before, textwrap.indent(new, " " * indent) + before), encoding="utf-8")


def run(changed: Path, script: str, *values: str) -> None:
    """With the copy in place of the backend, and what tests share beside it."""
    path = os.pathsep.join([str(changed / "backend"), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", script, *values]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def touched(changed: Path) -> set[str]:
    """Files of the copy that aren't as they are in the repository."""
    files = [path for path in (changed / "backend").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    names = [path.relative_to(changed) for path in files]
    return {str(name) for name in names if differs(changed / name, ROOT / name)}


def differs(path: Path, original: Path) -> bool:
    return not original.is_file() or path.read_bytes() != original.read_bytes()


def rows(document: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that no row of a table of the document begins with."""
    said = (ROOT / document).read_text(encoding="utf-8")
    return [name for name in names if not re.search(rf"^\| {re.escape(name)}", said, re.MULTILINE)]
