"""What install.py has put into an editor is there for the editor too, and ``doctor`` sees it as it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from editors import gimp, krita
from editors.box import Box
from editors.running import editors_root, require_program
from palimpsest.installation import checkup
from palimpsest.installation.checkup import Finding, examine_place
from palimpsest.installation.editors import Account, Place, find_krita


@pytest.fixture
def box() -> Iterator[Box]:
    require_program("gimp-console-3", editors_root())
    box = Box(editors_root())
    gimp.install(box)
    yield box
    box.close()


def looked_at(box: Box, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """What doctor finds; it reaches the console through the root's door."""
    inside = [str(shutil.which("chroot")), str(box.root), "env", "-i"]
    variables = box.environment(GIMP3_DIRECTORY=str(box.folder / "gimp"))
    console = [*inside, *(f"{name}={value}" for name, value in variables.items()), "gimp-console-3"]
    monkeypatch.setattr(checkup, "console_of", lambda *_: console)
    account = Account(box.folder, variables, "linux")
    return examine_place(Place("GIMP", "GIMP 3.0", box.folder / "gimp"), account)


def test_gimp_registers_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(box, monkeypatch).trouble == ""


def test_a_plugin_that_breaks_while_it_registers_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    script = gimp.plugin_folder(box) / "palimpsest.py"
    script.write_text("raise ImportError('no module named gi')\n" + script.read_text())
    monkeypatch.setattr(checkup, "changed_files", lambda *_: [])
    assert "our plug-in didn't register" in looked_at(box, monkeypatch).trouble


def test_a_plugin_that_gimp_leaves_out_is_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    (gimp.plugin_folder(box) / "palimpsest.py").chmod(0o644)
    assert "isn't executable" in looked_at(box, monkeypatch).trouble


def test_krita_has_all_that_it_needs() -> None:
    """Files, its settings, and a Python with Qt. That it runs there is what all its other tests show."""
    require_program("krita")
    box = Box()
    try:
        krita.install(box)
        account = Account(box.folder / "home", box.environment(), "linux")
        (place,) = find_krita(account)
        assert examine_place(place, account).trouble == ""
        without_qt = Account(account.home, {**account.environment, "PATH": str(box.files)}, "linux")
        (box.files / "krita").symlink_to("/usr/bin/krita")
        (box.files / "python3").write_text("#!/bin/sh\nexit 1\n")
        (box.files / "python3").chmod(0o755)
        assert "no PyQt" in examine_place(place, without_qt).trouble
    finally:
        box.close()
