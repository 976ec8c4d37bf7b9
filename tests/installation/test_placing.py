"""A plugin goes in, is exchanged and comes out; whatever else lies there stays as it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from installation.trees import everything, fill
from palimpsest.installation import placing
from palimpsest.installation.bundle import Bundle, bundle_for
from palimpsest.installation.environment import MARKER, InstallationError
from palimpsest.installation.placing import changed_files, is_there, put_copy, put_links, take_out

Put = Callable[[Bundle, Path], None]
OTHERS = {"pykrita/other/__init__.py": "1", "pykrita/other.desktop": "2", "actions/other.action": "3"}


@pytest.fixture
def krita(checkout: Path) -> Bundle:
    return bundle_for("Krita", checkout)


@pytest.fixture
def gimp(checkout: Path) -> Bundle:
    return bundle_for("GIMP", checkout)


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    fill(tmp_path / "editor", OTHERS)
    return tmp_path / "editor"


def test_the_plugin_carries_the_client(krita: Bundle, editor: Path) -> None:
    put_copy(krita, editor)
    made = set(everything(editor)) - set(OTHERS)
    assert made == {
        "actions/palimpsest.action",
        "pykrita/palimpsest.desktop",
        f"pykrita/palimpsest/{MARKER}",
        "pykrita/palimpsest/__init__.py",
        "pykrita/palimpsest/_client/__init__.py",
        "pykrita/palimpsest/_client/http/protocol.py",
        "pykrita/palimpsest/docker.py",
        "pykrita/palimpsest/pictures/icon.png",
    }
    assert changed_files(editor / krita.package, editor) == []


def test_gimp_can_run_it(gimp: Bundle, editor: Path) -> None:
    put_copy(gimp, editor)
    folder = editor / "plug-ins/palimpsest"
    assert os.access(folder / "palimpsest.py", os.X_OK)
    assert not os.access(folder / "dialog.py", os.X_OK)
    assert (folder / "_client/http/protocol.py").read_text() == "PROTOCOL = 1\n"


@pytest.mark.parametrize("put", [put_copy, put_links])
@pytest.mark.parametrize("kind", ["krita", "gimp"])
def test_in_and_out_again_leaves_everything_as_it_was(
    put: Put, kind: str, request: pytest.FixtureRequest, editor: Path, checkout: Path
) -> None:
    bundle: Bundle = request.getfixturevalue(kind)
    sources, before = everything(checkout), everything(editor)
    assert not is_there(bundle, editor)
    put(bundle, editor)
    assert is_there(bundle, editor)
    cache = editor / bundle.package / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "x.pyc").write_text("compiled by the editor")
    assert take_out(bundle, editor)
    assert everything(editor) == before
    shutil.rmtree(checkout / "krita_plugin/palimpsest/__pycache__")
    shutil.rmtree(checkout / "gimp_plugin/palimpsest/__pycache__", ignore_errors=True)
    assert everything(checkout) == {k: v for k, v in sources.items() if "__pycache__" not in k}
    assert not take_out(bundle, editor)


def test_links_show_the_checkout(krita: Bundle, editor: Path, checkout: Path) -> None:
    put_links(krita, editor)
    (checkout / "krita_plugin/palimpsest/docker.py").write_text("changed")
    assert (editor / "pykrita/palimpsest/docker.py").read_text() == "changed"
    assert (editor / "pykrita/palimpsest/_client/http/protocol.py").read_text() == "PROTOCOL = 1\n"


def test_links_and_copies_take_each_others_place(krita: Bundle, editor: Path, checkout: Path) -> None:
    sources = everything(checkout)
    put_links(krita, editor)
    put_copy(krita, editor)
    assert not (editor / "pykrita/palimpsest").is_symlink()
    assert not (editor / "pykrita/palimpsest.desktop").is_symlink()
    assert everything(checkout) == sources
    put_links(krita, editor)
    assert (editor / "pykrita/palimpsest").is_symlink()


def test_a_new_version_replaces_the_old_one_whole(krita: Bundle, editor: Path, checkout: Path) -> None:
    put_copy(krita, editor)
    (checkout / "krita_plugin/palimpsest/docker.py").unlink()
    (checkout / "krita_plugin/palimpsest.action").unlink()
    (checkout / "krita_plugin/palimpsest/panel.py").write_text("new")
    put_copy(bundle_for("Krita", checkout), editor)
    assert (editor / "pykrita/palimpsest/panel.py").read_text() == "new"
    assert not (editor / "pykrita/palimpsest/docker.py").exists()
    assert not (editor / "actions/palimpsest.action").exists()
    assert set(OTHERS) < set(everything(editor))


@pytest.mark.parametrize("put", [put_copy, put_links])
@pytest.mark.parametrize("theirs", ["pykrita/palimpsest/__init__.py", "pykrita/palimpsest.desktop"])
def test_what_is_not_ours_is_not_overwritten(put: Put, theirs: str, krita: Bundle, editor: Path) -> None:
    fill(editor, {theirs: "somebody's"})
    before = everything(editor)
    with pytest.raises(InstallationError, match="was not made by Palimpsest"):
        put(krita, editor)
    assert everything(editor) == before


def test_a_file_that_the_user_put_into_our_folder_is_not_lost(krita: Bundle, editor: Path) -> None:
    put_copy(krita, editor)
    fill(editor, {"pykrita/palimpsest/notes.txt": "mine"})
    with pytest.raises(InstallationError, match=r"notes\.txt was not made by Palimpsest"):
        put_copy(krita, editor)
    take_out(krita, editor)
    assert everything(editor / "pykrita/palimpsest") == {"notes.txt": b"mine"}


def test_a_full_disk_leaves_the_old_plugin(
    krita: Bundle, editor: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_copy(krita, editor)
    before = everything(editor)
    (checkout / "krita_plugin/palimpsest/docker.py").write_text("new")
    real = placing._write

    def fails(path: Path, data: bytes, executable: bool = False) -> None:
        if path.name == MARKER:
            raise OSError(28, "No space left on device")
        real(path, data, executable)

    monkeypatch.setattr(placing, "_write", fails)
    with pytest.raises(OSError, match="No space left"):
        put_copy(krita, editor)
    assert everything(editor) == before


def test_an_exchange_that_fails_brings_the_old_plugin_back(
    krita: Bundle, editor: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_copy(krita, editor)
    before = everything(editor)
    real = Path.rename

    def refuses(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", refuses)
    with pytest.raises(PermissionError):
        put_copy(krita, editor)
    assert everything(editor) == before


def test_a_link_into_a_checkout_that_moved_is_ours(krita: Bundle, editor: Path, checkout: Path) -> None:
    put_links(krita, editor)
    moved = checkout.rename(checkout.with_name("moved"))
    put_copy(bundle_for("Krita", moved), editor)
    assert not (editor / "pykrita/palimpsest").is_symlink()


def test_what_was_changed_by_hand_is_known(krita: Bundle, editor: Path) -> None:
    put_copy(krita, editor)
    (editor / "pykrita/palimpsest/docker.py").write_text("mine")
    (editor / "pykrita/palimpsest.desktop").unlink()
    changed = changed_files(editor / krita.package, editor)
    assert sorted(changed) == ["pykrita/palimpsest.desktop", "pykrita/palimpsest/docker.py"]


def test_a_marker_that_is_damaged_counts_as_none(krita: Bundle, editor: Path) -> None:
    put_copy(krita, editor)
    marker = editor / krita.package / MARKER
    for damaged in ("", "[]", json.dumps({"files": 3})):
        marker.write_text(damaged)
        with pytest.raises(InstallationError, match="was not made by Palimpsest"):
            put_copy(krita, editor)
