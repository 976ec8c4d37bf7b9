"""The client runs inside editors: standard library only, Python 3.8, nothing happens at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import palimpsest_client
from palimpsest.api import services as house
from palimpsest.storage.paths import folders
from palimpsest_client.http.protocol import PROTOCOL, config_folder

FOLDER = Path(palimpsest_client.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))
IMPORT_ALL = "import " + ", ".join(
    f"palimpsest_client.{file.stem}" for file in FILES if file.stem != "__init__"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_is_python_3_8_and_standard_library_only(file):
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names, name


def test_importing_it_starts_no_thread_and_opens_nothing():
    check = f"import threading; {IMPORT_ALL}; assert threading.active_count() == 1"
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(FOLDER.parent)!r}); {check}"],
        check=True,
    )


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CONFIG_HOME": "/c"},
        {"XDG_CONFIG_HOME": "c"},
        {"LOCALAPPDATA": "/l"},
        {"PALIMPSEST_HOME": "/p"},
    ],
)
def test_client_and_server_agree_where_the_state_file_is(platform, variables):
    assert config_folder(variables, platform) == folders(variables, platform).config
    assert PROTOCOL == house.PROTOCOL
