"""The plug-ins speak the language that the editor was set to, in the real Krita and the real GIMP."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from editors.backend import Backend
from editors.box import Box
from editors.display import Display
from editors.gimp import Gimp
from editors.gimp import start as start_gimp
from editors.gimp_pictures import RGB_8, GimpImages
from editors.krita import Krita
from editors.krita import start as start_krita
from editors.running import editors_root, require_program
from palimpsest_client.text.language import catalogue
from palimpsest_client.text.wording import ENGLISH

GERMAN = catalogue("de")


def german(key: str) -> str:
    return GERMAN.pgettext(key, ENGLISH[key])


@pytest.fixture
def german_krita(display: Display, backend: Backend) -> Iterator[Krita]:
    require_program("krita", editors_root())
    krita = start_krita(Box(editors_root()), display, backend.home, language="de")
    yield krita
    krita.quit()
    krita.box.close()


def test_krita_s_panel_and_menu_speak_its_language(german_krita: Krita, backend: Backend):
    if not backend.answers():
        backend.start()
    german_krita.call("show_docker", 264, 880)
    german_krita.until("panel_ready")
    told = german_krita.call("panel")
    assert told["cannot"] == german("no-document")
    assert german("built-in") in told["text"]
    assert german_krita.call("action_text", "again") == "Palimpsest: " + german("again")


@pytest.fixture
def german_gimp(backend: Backend) -> Iterator[Gimp]:
    require_program("gimp-console-3", editors_root())
    gimp = start_gimp(Box(editors_root()), backend.home, language="de")
    yield gimp
    gimp.quit()
    gimp.box.close()


def test_gimps_menu_and_procedures_speak_its_language(german_gimp: Gimp):
    """What a menu item is called is asked when GIMP starts; what a procedure says, by its own process."""
    label = german_gimp.call("menu_label", "plug-in-palimpsest-replace")
    assert label.replace("_", "") == german("menu-replace")
    images = GimpImages(german_gimp)
    image = images.new(np.zeros((8, 8, 4), np.uint8), RGB_8)
    told = german_gimp.call("run", "plug-in-palimpsest-reopen-edit", image, "NONINTERACTIVE", {})
    assert told["error"] == german("no-recipe")
