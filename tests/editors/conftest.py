"""Editors for the tests in this folder: a display, the real backend, the real Krita, the real GIMP.

``prepare`` makes the editors present. Without one its tests are skipped and say why; with
PALIMPSEST_REQUIRE_EDITORS=1, as continuous integration has it, they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.backend import Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.gimp import Gimp
from editors.gimp import start as start_gimp
from editors.gimp_pictures import Darkroom
from editors.krita import Krita, keep_seed
from editors.krita import start as start_krita
from editors.krita_pictures import Studio

DEFAULT_ROOT = "/var/cache/palimpsest-editors/trixie"
HOST, ROOT = "this system", "the Debian root"


def editors_root() -> Path:
    """The other root, in which a newer Krita and GIMP 3 live; it may be missing."""
    return Path(os.environ.get("PALIMPSEST_EDITORS_ROOT", DEFAULT_ROOT)).resolve()


def missing(what: str) -> None:
    """Skip, or fail where editors are required."""
    told = f"{what} is missing: run tests/editors/prepare as root."
    if os.environ.get("PALIMPSEST_REQUIRE_EDITORS") == "1":
        pytest.fail(told)
    pytest.skip(told)


def require_program(name: str, root: Path | None = None) -> None:
    """``root`` None = this system."""
    if root is None:
        found = shutil.which(name, path="/usr/bin:/bin") is not None
    else:
        found = os.geteuid() == 0 and (root / ".complete").exists() and (root / "usr/bin" / name).exists()
    if not found:
        missing(name if root is None else f"{name} in {root} (or the right to chroot)")


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


class Kritas:
    """One running Krita that all tests share: started when first asked for, again if it has died."""

    def __init__(self, root: Path | None, display: Display, home: Path, seed: Path) -> None:
        self._root, self._display, self._home, self._seed = root, display, home, seed
        self._krita: Krita | None = None

    def get(self) -> Krita:
        if self._krita is not None and not self._krita.alive:
            self.close()
        if self._krita is None:
            self._krita = start_krita(Box(self._root), self._display, self._home, self._seed)
        return self._krita

    def close(self) -> None:
        if self._krita is not None:
            self._krita.quit()
            keep_seed(self._krita.box, self._seed)
            self._krita.box.close()
            self._krita = None


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
def studio(krita: Krita) -> Iterator[Studio]:
    studio = Studio(krita)
    yield studio
    studio.clean()


class Gimps:
    """One running GIMP that all tests of a kind share; begun again if it has died."""

    def __init__(self, home: Path, display: Display | None) -> None:
        self._home, self._display = home, display
        self._gimp: Gimp | None = None

    def get(self) -> Gimp:
        if self._gimp is not None and not self._gimp.alive:
            self.close()
        if self._gimp is None:
            self._gimp = start_gimp(Box(editors_root()), self._home, self._display)
        return self._gimp

    def close(self) -> None:
        if self._gimp is not None:
            self._gimp.quit()
            self._gimp.box.close()
            self._gimp = None


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
def darkroom(console: Gimp) -> Darkroom:
    return Darkroom(console)


@pytest.fixture(scope="module")
def gimps(backend: Backend, display: Display) -> Iterator[Gimps]:
    require_program("gimp-3", editors_root())
    gimps = Gimps(backend.home, display)
    yield gimps
    gimps.close()
