"""The real Krita with our plug-in in a profile of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from editors.box import Box
from editors.display import Display
from editors.driven import Driven, EditorError
from palimpsest.installation import kritarc

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SETTINGS = {
    "kritarc": "[python]\nenable_palimpsest_driver=true\n[General]\nFirstRun=false\n",
    "kritadisplayrc": "[General]\nOpenGLRenderer=none\ncanvasState=OPENGL_NOT_TRIED\n",
}
IMPORTER = Path("/usr/share/krita/pykrita/plugin_importer/plugin_importer.py")
RESOURCES = "krita"  # of the data folder; making it takes 20 s, so it is kept from one start to the next


class Krita(Driven):
    """A running Krita. ``steps.py`` holds what can be called in it."""

    def quit(self) -> None:
        """As a user does, without saving; killed if that doesn't work."""
        try:
            self.begin("quit_krita")
            self.process.wait(30)
        except Exception:  # whatever is wrong with it, it must go
            self.kill()


def start(
    box: Box,
    display: Display,
    home: Path,
    seed: Path | None = None,
    language: str = "",
    scale: float = 1,
    archive: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Krita:
    """Krita with plug-in and driver installed. ``home``: PALIMPSEST_HOME of the backend it shall find.

    ``seed``: resources that an earlier Krita of the same version left (see ``keep_seed``). ``language``: as
    if it was chosen in Settings ▸ Switch Application Language. ``scale``: of the screen's points to pixels.
    ``archive``: the plug-in's zip, when it is that which is put in; ``variables``: of its surroundings.
    """
    if seed is not None and seed.exists():
        shutil.copytree(seed, box.data / RESOURCES, dirs_exist_ok=True)
    for name, text in SETTINGS.items():
        (box.config / name).write_text(text)
    if language:
        (box.config / "klanguageoverridesrc").write_text(f"[Language]\nkrita=@ByteArray({language})\n")
    install(box) if archive is None else import_zip(box, archive)
    install_driver(box)
    log = box.folder / "krita.log"
    process = box.start(
        ["krita", "--nosplash"],
        log,
        DISPLAY=display.name,
        QT_QPA_PLATFORM="xcb",
        PALIMPSEST_HOME=str(home),
        QT_SCALE_FACTOR=f"{scale:g}",
        **variables,
    )
    krita = Krita(box, process, log)
    try:
        krita.wait_ready()
    except EditorError:
        krita.kill()
        raise
    return krita


def install(box: Box) -> None:
    """The plug-in as a user does it, which also enables it."""
    plugins = box.data / "krita" / "pykrita"
    shutil.rmtree(plugins, ignore_errors=True)
    command = [sys.executable, str(REPOSITORY / "install.py"), "krita", "--plugin-only"]
    subprocess.run(command, env=box.environment(), check=True)


def import_zip(box: Box, archive: Path) -> None:
    """By Krita's own importer (Tools ▸ Scripts ▸ Import Python Plugin from File…), then enabled by hand."""
    (box.data / "krita").mkdir(exist_ok=True)
    command = [sys.executable, str(IMPORTER), str(archive), str(box.data / "krita")]
    subprocess.run(command, env=box.environment(), check=True)
    settings = box.config / "kritarc"
    settings.write_bytes(kritarc.enable(settings.read_bytes()))


def install_driver(box: Box) -> None:
    """The driver with what it can do."""
    plugins = box.data / "krita" / "pykrita"
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "inside/palimpsest_driver", plugins / "palimpsest_driver", ignore=without)
    shutil.copy(HERE / "inside/palimpsest_driver.desktop", plugins)
    shutil.copy(HERE / "inside/calls.py", plugins / "palimpsest_driver/calls.py")
    shutil.copy(HERE / "inside/krita_steps.py", plugins / "palimpsest_driver/steps.py")
    shutil.copy(HERE / "inside/panel_steps.py", plugins / "palimpsest_driver/panel_steps.py")
    shutil.copy(HERE / "inside/measured_steps.py", plugins / "palimpsest_driver/measured_steps.py")


def keep_seed(box: Box, seed: Path) -> None:
    """Keep what this Krita (which must have ended) made of its resources, for the next start."""
    if not seed.exists():
        shutil.copytree(box.data / RESOURCES, seed, ignore=shutil.ignore_patterns("pykrita"))
