"""Only the zip was put into an editor: its panel offers to set the backend up, and a press begins it.

uv is a stand-in on PATH, the package index one of ours; all else is as it is on a new computer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.package_index import Index, package_index, stand_in
from editors.box import Box
from editors.display import Display
from editors.gimp import REPOSITORY
from editors.gimp import start as start_gimp
from editors.gimp_panel import GimpUser, until
from editors.krita import IMPORTER
from editors.krita import start as start_krita
from editors.running import editors_root, require_program
from palimpsest.installation.bundle import bundle_for, write_zip
from palimpsest.installation.editors import GIMP, KRITA
from palimpsest.installation.wheel import carried
from palimpsest_client.http.connection import LAUNCH, launch_command

OFFER = "Set up the backend…"
STEPS = ["environment", "runtime", "torch", "package"]
WIDTH, HEIGHT = 264, 520  # of the docker


@pytest.fixture(scope="module")
def backend_in_zip() -> dict[str, bytes]:
    return carried(REPOSITORY)


@pytest.fixture
def index() -> Iterator[Index]:
    with package_index() as index:
        yield index


def newcomer(box: Box, index: Index) -> dict[str, str]:
    """The surroundings of an editor on a computer with uv and nothing else of what is needed."""
    programs = box.files / "programs"
    programs.mkdir()
    (programs / "uv").write_bytes(stand_in("/usr/bin/python3"))
    (programs / "uv").chmod(0o755)
    orders = box.files / "orders.json"
    orders.write_text(json.dumps({"index": index.address}))  # of the stand-in alone: a mirror needs 12 GB
    return {
        "PATH": f"{programs}:/usr/bin:/bin",
        "FAKE_UV": str(orders),
    }


def require_set_up(box: Box, index: Index, home: Path) -> None:
    """All steps were done, each once, and the backend of this home can be started."""
    calls = [json.loads(line)[0] for line in (box.files / "calls").read_text().splitlines()]
    assert calls == STEPS
    assert "/simple/numpy/" in index.asked
    command = launch_command(home / "config", {})
    assert command[0] == str(home / "data/backend/environment/bin/python")
    assert (home / "config" / LAUNCH).exists()


def test_krita_with_the_zip_alone_sets_the_backend_up(
    display: Display, index: Index, backend_in_zip: dict[str, bytes], tmp_path: Path
) -> None:
    require_program("krita")
    if not IMPORTER.exists():
        pytest.skip("this Krita has no importer of plug-ins")
    box = Box()
    try:
        archive, home = tmp_path / "palimpsest.zip", box.files / "home"
        write_zip(bundle_for(KRITA, REPOSITORY), archive, backend_in_zip)
        krita = start_krita(box, display, home, archive=archive, variables=newcomer(box, index))
        try:
            krita.call("show_docker", WIDTH, HEIGHT)
            told = krita.call("panel")
            assert told["offers"][0] == OFFER
            assert told["text"].startswith("The backend isn't installed here yet")
            *offer, pressable = krita.call("place_of", "status-offers-setup")
            assert pressable
            display.click(*offer)
            krita.until("is_open", "SetupWindow")
            assert not (box.files / "calls").exists()
            *begin, pressable = krita.call("place_stays", "SetupWindow", "setup-begin")
            assert pressable
            display.click(*begin)
            krita.until("setup_ended")
            assert krita.call("setup_says") == ["whole", False, "The backend is set up."]
            require_set_up(box, index, home)
        finally:
            krita.quit()
    finally:
        box.close()


def test_gimp_with_the_zip_alone_sets_the_backend_up(
    display: Display, index: Index, backend_in_zip: dict[str, bytes], tmp_path: Path
) -> None:
    require_program("gimp-3", editors_root())
    box = Box(editors_root())
    try:
        archive, home = tmp_path / "palimpsest.zip", box.files / "home"
        write_zip(bundle_for(GIMP, REPOSITORY), archive, backend_in_zip)
        gimp = start_gimp(box, home, display, archive=archive, variables=newcomer(box, index))
        try:
            user = GimpUser(gimp, display, None)  # pyright: ignore[reportArgumentType]  # there is none
            user.window()
            user.click_on(OFFER)
            until(lambda: user.windows("^Set up the backend$"), "its window")
            assert not (box.files / "calls").exists()
            user.click_on("Set up")
            until(lambda: user.find("The backend is set up.", "Label"), "it is set up")
            require_set_up(box, index, home)
        finally:
            gimp.quit()
    finally:
        box.close()
