"""The client runs inside editors: standard library only, Python 3.8, nothing happens at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import palimpsest_client
from palimpsest.api import services as services
from palimpsest.storage.paths import folders
from palimpsest_client.folders import config_folder
from palimpsest_client.http.protocol import PROTOCOL

FOLDER = Path(palimpsest_client.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
NAMES = [".".join(file.relative_to(FOLDER.parent).with_suffix("").parts) for file in FILES]
IMPORT_ALL = "import " + ", ".join(name for name in NAMES if not name.endswith("__init__"))
PLUGINS = [FOLDER.parents[1] / f"{editor}_plugin" / "palimpsest" for editor in ("krita", "gimp")]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_it_is_python_3_8_and_standard_library_only(file):
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names, name


def test_what_is_the_case_is_never_told_by_the_words_that_are_shown():
    """Texts are in the editor's language, and are worded anew: kinds and codes decide."""
    files = [*FILES, *(file for plugin in PLUGINS for file in sorted(plugin.glob("*.py")))]
    assert len(files) > 120
    found = [
        f"{file.name}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare) and any(map(is_shown, (node.left, *node.comparators)))
    ]
    assert found == []


def is_shown(value: ast.expr) -> bool:
    """Whether it is a text out of the catalogue, or the one of a status, a progress or an outcome."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "say"
    ends = [part for part in ("status.text", "progress.text", "outcome.text") if part in ast.unparse(value)]
    return isinstance(value, ast.Attribute) and bool(ends)


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("now.status.text == say('starting')", True),
        ("text != say('gone')", True),
        ("self.progress.text in texts", True),
        ("now.status.starting == True", False),
        ("word.text == other", False),
    ],
)
def test_a_comparison_with_shown_words_is_found(condition, shown):
    compare = ast.parse(condition, mode="eval").body
    assert isinstance(compare, ast.Compare)
    assert any(map(is_shown, (compare.left, *compare.comparators))) is shown


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
    assert PROTOCOL == services.PROTOCOL
