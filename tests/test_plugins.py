"""The plugins' own house: who may touch the editor, who may make widgets, and how large they may grow."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "backend" / "palimpsest_client"
KRITA, GIMP = ROOT / "krita_plugin" / "palimpsest", ROOT / "gimp_plugin" / "palimpsest"
MOST_LINES = 2000
ANY = None
Node = TypeVar("Node", bound=ast.AST)

#: file → what it may import from ``krita``; ANY: it is the host's side, and touches documents
KRITA_API: dict[str, set[str] | None] = {
    "host.py": ANY,
    "nodes.py": ANY,
    "preview_layer.py": ANY,
    "spaces.py": ANY,
    "renewal.py": ANY,
    "pairs.py": ANY,
    "documents.py": ANY,
    "laying.py": ANY,
    "reading.py": ANY,
    "selection.py": ANY,
    "__init__.py": {"DockWidgetFactory", "DockWidgetFactoryBase", "Krita"},
    "shared_panel.py": {"Krita"},
    "docker.py": {"DockWidget"},
    "extension.py": {"Extension", "Krita"},
    "dialogs.py": {"Krita"},
}
KRITA_WIDGETS = {
    "qt.py",
    "docker.py",
    "operations.py",
    "fields.py",
    "inputs.py",
    "layout.py",
    "view.py",
    "boxes.py",
    "parts.py",
    "sights.py",
    "widgets.py",
    "dialogs.py",
}
#: what is no widget, of Qt, by name
QT_BEHIND = {"QBuffer", "QByteArray", "QImage", "QImageReader", "QIODevice", "QItemSelectionModel", "QLocale"}
QT_BEHIND |= {"QTimer", "isdeleted"}
GIMP_HOST = {
    "host.py",
    "images.py",
    "laying.py",
    "palimpsest.py",
    "pixels.py",
    "preview_layer.py",
    "process.py",
    "reading.py",
    "renewal.py",
    "selection.py",
}
GIMP_WIDGETS = {
    "asking.py",
    "dialog.py",
    "inputs.py",
    "widgets.py",
    "sentences.py",
    "view.py",
    "boxes.py",
    "parts.py",
    "sights.py",
    "dialogs.py",
    "word_help.py",
}


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of everything a file imports, wherever; relative modules begin with a dot."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def krita_allows(file: str, module: str, name: str) -> bool:
    if module == "krita":
        return file in KRITA_API and (KRITA_API[file] is ANY or name in (KRITA_API[file] or ()))
    if module == ".qt" or (module, name) == (".", "qt"):
        return file in KRITA_WIDGETS or name in QT_BEHIND
    if module.split(".")[0] in ("PyQt5", "PyQt6"):
        return file == "qt.py"
    return standard(module) or (module.startswith(".") and not module.startswith(".."))


def gimp_allows(file: str, module: str, name: str) -> bool:
    if module == "gi.repository":
        parts = {"Gimp": GIMP_HOST, "Gegl": GIMP_HOST, "GimpUi": GIMP_WIDGETS}
        shown = {"Gtk": GIMP_WIDGETS, "Gdk": GIMP_WIDGETS, "GdkPixbuf": GIMP_WIDGETS, "Pango": GIMP_WIDGETS}
        shown["GdkX11"] = {"dialogs.py"}
        return name in ("GLib", "GObject", "Gio") or file in {**parts, **shown}.get(name, ())
    own = {path.stem for path in GIMP.glob("*.py")}
    return standard(module) or module == "gi" or module.split(".")[0] in {"_client", *own}


@pytest.mark.parametrize("file", sorted(KRITA.glob("*.py")), ids=lambda file: file.name)
def test_krita_is_touched_only_where_it_may_be(file: Path) -> None:
    assert [pair for pair in imports(file) if not krita_allows(file.name, *pair)] == []


@pytest.mark.parametrize("file", sorted(GIMP.glob("*.py")), ids=lambda file: file.name)
def test_gimp_is_touched_only_where_it_may_be(file: Path) -> None:
    assert [pair for pair in imports(file) if not gimp_allows(file.name, *pair)] == []


def test_the_rules_see_what_they_should() -> None:
    assert not krita_allows("docker.py", "krita", "Document")
    assert not krita_allows("layout.py", "krita", "Krita")
    assert not krita_allows("host.py", ".qt", "QLabel")
    assert not krita_allows("host.py", ".", "qt")
    assert not krita_allows("docker.py", "PyQt5.QtWidgets", "QLabel")
    assert not krita_allows("docker.py", "palimpsest_client.panel.panel", "Panel")
    assert not krita_allows("host.py", "numpy", "")
    assert krita_allows("host.py", ".qt", "QTimer")
    assert not gimp_allows("dialog.py", "gi.repository", "Gimp")
    assert not gimp_allows("host.py", "gi.repository", "Gtk")
    assert not gimp_allows("host.py", "palimpsest_client.panel.panel", "Panel")
    assert gimp_allows("asking.py", "gi.repository", "GLib")


@pytest.mark.parametrize("plugin", [KRITA, GIMP], ids=["krita", "gimp"])
def test_a_plugin_stays_small(plugin: Path) -> None:
    """What isn't Krita's, Qt's, GIMP's or GTK's belongs into ``palimpsest_client``."""
    lines = [line for file in plugin.glob("*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    assert len([line for line in lines if line.strip()]) < MOST_LINES


@pytest.mark.parametrize(("plugin", "never"), [(KRITA, {"Pick"}), (GIMP, set())], ids=["krita", "gimp"])
def test_every_part_that_windows_are_described_with_is_drawn(plugin: Path, never: set[str]) -> None:
    """``never``: Krita's panel shows the picture in front, none is chosen there."""
    parts = {"Part"}
    for found in nodes(CLIENT / "views" / "view.py", ast.ClassDef):  # each after its base
        if parts & {base.id for base in found.bases if isinstance(base, ast.Name)}:
            parts.add(found.name)
    calls = [call.func for file in CLIENT.rglob("*.py") for call in nodes(file, ast.Call)]
    used = parts & {call.id for call in calls if isinstance(call, ast.Name)}
    tables = [table.value for file in plugin.glob("*.py") for table in nodes(file, ast.AnnAssign)]
    keys = [key for table in tables if isinstance(table, ast.Dict) for key in table.keys]
    brought = [made for file in plugin.glob("*.py") for made in nodes(file, ast.ImportFrom)]
    true = {name.asname or name.name: name.name for made in brought for name in made.names}
    drawn = {true.get(key.id) for key in keys if isinstance(key, ast.Name)}
    drawn |= {key.attr for key in keys if isinstance(key, ast.Attribute)}
    assert "Tile" in used
    assert used - drawn == never


def nodes(file: Path, kind: type[Node]) -> list[Node]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, kind)]
