"""A checkout with small plugins, and people with editors of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from installation.trees import fill
from palimpsest.installation.editors import Account

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "palimpsest"
version = "0.1.0"
[tool.setuptools.packages.find]
where = ["backend"]
"""
SOURCES = {
    "krita_plugin/palimpsest.desktop": "[Desktop Entry]\nX-KDE-Library=palimpsest\nName=Palimpsest\n",
    "krita_plugin/palimpsest.action": "<ActionCollection/>",
    "krita_plugin/palimpsest/__init__.py": "from ._client import protocol\n",
    "krita_plugin/palimpsest/docker.py": "",
    "krita_plugin/palimpsest/pictures/icon.png": "not text",
    "krita_plugin/palimpsest/__pycache__/docker.pyc": "compiled",
    "gimp_plugin/palimpsest/palimpsest.py": "#!/usr/bin/env python3\n",
    "gimp_plugin/palimpsest/dialog.py": "",
    "pyproject.toml": PROJECT,
    "setup.py": "from setuptools import setup\n\nsetup()\n",
    "MANIFEST.in": "",
    "README.md": "",
    "LICENSE": "",
    "backend/requirements/runtime.txt": "numpy==2.0 --hash=sha256:00",
    "backend/palimpsest/__init__.py": "",
    "backend/palimpsest_client/__init__.py": "",
    "backend/palimpsest_client/http/protocol.py": "PROTOCOL = 1\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    fill(root, SOURCES)
    return root


@pytest.fixture
def person(tmp_path: Path) -> Callable[..., Account]:
    """Somebody with these files and folders at home (with a / at the end) and on the system."""

    def make(platform: str, *at_home: str, system: tuple[str, ...] = (), **environment: str) -> Account:
        home, root = tmp_path / "home", tmp_path / "system"
        fill(home, dict.fromkeys(at_home, ""))
        fill(root, dict.fromkeys(system, ""))
        home.mkdir(exist_ok=True)
        return Account(home, {"PATH": str(root / "usr/bin"), **environment}, platform, root)

    return make
