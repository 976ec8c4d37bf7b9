"""The real GIMP 3 with our plug-in in a profile of its own: the console, or the whole on a display."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from editors.box import Box
from editors.display import Display
from editors.driven import Driven, EditorError

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
# One word that GIMP doesn't know makes it ignore the whole file. With another version's settings it
# greets people as after an update.
SETTINGS = """(config-version "{version}")
(show-welcome-dialog no)
(check-updates no)
(color-profile-policy keep)
(save-session-info no)
(restore-session no)
(use-opencl no)
"""
KEYS = {
    "plug-in-palimpsest": "F4",
    "plug-in-palimpsest-replace": "F5",
    "plug-in-palimpsest-word-to-selection": "F3",
    "plug-in-palimpsest-learn-concept": "F7",
    "plug-in-palimpsest-reopen-edit": "F2",
    "plug-in-palimpsest-remember-photo": "F9",
}
"""Menu items by one key each: menus and their search want a window manager. GTK itself takes F6, F8, F10."""
INTERPRETER = "--batch-interpreter=python-fu-eval"


class Gimp(Driven):
    """A running GIMP. ``inside/gimp_steps.py`` holds what can be called in it."""

    def quit(self) -> None:
        try:
            self.begin("quit_driver")
            self.process.wait(5)  # the console ends with its driver; the whole GIMP is killed
        except Exception:  # whatever is wrong with it, it must go
            pass
        self.kill()


def start(
    box: Box,
    home: Path,
    display: Display | None = None,
    language: str = "",
    theme: str = "",
    scale: int = 1,
    archive: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Gimp:
    """GIMP with the plug-in. ``home``: PALIMPSEST_HOME of the backend it shall find. No display: console.

    ``language``, ``theme`` ("light"): as if chosen in GIMP's preferences. ``scale``: 2 on a dense screen.
    ``archive``: the plug-in's zip, when it is that which is put in; ``variables``: of its surroundings.
    """
    install(box, archive)
    with (box.folder / "gimp" / "gimprc").open("a") as settings:
        settings.write(f'(language "{language}")\n' if language else "")
        settings.write(f"(theme-color-scheme {theme})\n" if theme else "")
    inside = box.folder / "inside"
    window = window_folder(box)
    for here, there in ((HERE / "inside", inside), (HERE / "inside_window", window)):
        shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
    batch = f"exec(compile(open({str(inside / 'gimp_driver.py')!r}).read(), 'gimp_driver', 'exec'))"
    program = ["gimp-console-3", "-i", "--quit"] if display is None else ["gimp-3", "--no-splash"]
    screen = {} if display is None else {"DISPLAY": display.name, "GDK_SCALE": str(scale)}
    log = box.folder / "gimp.log"
    process = box.start(
        [*program, "-n", "-d", "-f", "--console-messages", INTERPRETER, "-b", batch],
        log,
        GIMP3_DIRECTORY=str(box.folder / "gimp"),
        PALIMPSEST_HOME=str(home),
        PALIMPSEST_TEST_INSIDE=str(inside),
        PALIMPSEST_TEST_PLUGIN=str(plugin_folder(box)),
        PALIMPSEST_TEST_WINDOW=str(window),
        PYTHONPATH=str(window),
        **screen,
        **variables,
    )
    gimp = Gimp(box, process, log)
    try:
        gimp.wait_ready()
    except EditorError:
        gimp.kill()
        raise
    return gimp


def version(box: Box) -> str:
    """For instance "3.0.4"."""
    log = box.folder / "version"
    box.start(["gimp-console-3", "--version"], log, GIMP3_DIRECTORY=str(box.folder / "gimp")).wait(60)
    return log.read_text().split("version ")[1].split()[0]


def unpack(archive: Path, folder: Path) -> None:
    """With the rights that stand in the zip, as programs for it do."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
        for entry in file.infolist():
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)


def plugin_folder(box: Box) -> Path:
    return box.folder / "gimp" / "plug-ins" / "palimpsest"


def window_folder(box: Box) -> Path:
    """Where Palimpsest's window writes what it shows (``inside_window``)."""
    return box.folder / "window"


def install(box: Box, archive: Path | None = None) -> None:
    """The plug-in as a user does it."""
    profile = box.folder / "gimp"
    if archive is None:
        command = [sys.executable, str(REPOSITORY / "install.py"), "gimp", "--plugin-only"]
        subprocess.run(command, env=box.environment(GIMP3_DIRECTORY=str(profile)), check=True)
    else:
        unpack(archive, profile / "plug-ins")
    (profile / "gimprc").write_text(SETTINGS.format(version=version(box)))
    actions = "".join(f'(action "{action}" "{key}")\n' for action, key in KEYS.items())
    (profile / "shortcutsrc").write_text("(file-version 1)\n" + actions)
