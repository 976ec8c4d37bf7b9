"""Editors for the tests in this folder: a display, the real backend, the real Krita, the real GIMP.

``prepare`` makes the editors present. Without one its tests are skipped and say why; with
PALIMPSEST_REQUIRE_EDITORS=1, as continuous integration has it, they fail.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.backend import Backend
from editors.box import remove_folder, shared_folder
from editors.display import Display
from editors.gimp import Gimp
from editors.gimp_pictures import GimpImages
from editors.krita import Krita
from editors.krita_pictures import KritaDocuments
from editors.running import Gimps, Kritas, editors_root, require_program

HOST, ROOT = "this system", "the Debian root"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test that fails says what was on the screen, and where a picture of it lies."""
    report = yield
    screen = getattr(item, "funcargs", {}).get("display")
    if report.failed and isinstance(screen, Display):
        try:
            picture = screen.screenshot(Path(tempfile.mkdtemp(prefix="palimpsest-screen-")) / "screen.png")
            told = "\n".join([str(picture), *screen.told()])
        except (OSError, subprocess.SubprocessError) as error:  # the display may be what failed
            told = f"can't be told: {error}"
        report.sections.append(("on the screen", told))
    return report


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    for program in ("Xvfb", "xdotool", "xprop", "import"):
        require_program(program)
    display = Display()
    yield display
    display.close()


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    """``palimpsest serve`` with the built-in model; an editor in the root finds it by the same path."""
    root = editors_root()
    home = shared_folder(root if (root / ".complete").exists() and os.geteuid() == 0 else None)
    backend = Backend(home)
    backend.start()
    yield backend
    backend.stop()
    remove_folder(home)


@pytest.fixture(scope="session", params=[HOST, ROOT])
def kritas(
    request: pytest.FixtureRequest,
    display: Display,
    backend: Backend,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kritas]:
    root = None if request.param == HOST else editors_root()
    require_program("krita", root)
    kritas = Kritas(root, display, backend.home, tmp_path_factory.mktemp("seed") / "krita")
    yield kritas
    kritas.close()


@pytest.fixture
def krita(kritas: Kritas) -> Iterator[Krita]:
    """Krita without any document; twice for each test, in two versions."""
    krita = kritas.get()
    yield krita
    if krita.alive:
        krita.call("close_documents")


@pytest.fixture
def documents(krita: Krita) -> Iterator[KritaDocuments]:
    documents = KritaDocuments(krita)
    yield documents
    documents.clean()


@pytest.fixture(scope="session")
def consoles(backend: Backend) -> Iterator[Gimps]:
    require_program("gimp-console-3", editors_root())
    gimps = Gimps(backend.home, None)
    yield gimps
    gimps.close()


@pytest.fixture
def console(consoles: Gimps) -> Iterator[Gimp]:
    """GIMP without a display and without any picture."""
    gimp = consoles.get()
    yield gimp
    if gimp.alive:
        gimp.call("close_documents")


@pytest.fixture
def images(console: Gimp) -> GimpImages:
    return GimpImages(console)


@pytest.fixture(scope="module")
def gimps(backend: Backend, display: Display) -> Iterator[Gimps]:
    require_program("gimp-3", editors_root())
    gimps = Gimps(backend.home, display)
    yield gimps
    gimps.close()
