"""Pictures of the docker at work in the real Krita, for the documents and to be looked at.

    PYTHONPATH=backend:tests python tests/editors/take_krita_pictures.py [FOLDER]

The panel in Chinese needs a font for it: on Debian fonts-wqy-microhei.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from editors.backend import Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.krita import start
from editors.studio import Studio
from palimpsest import tour
from palimpsest_client.language import write_language

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
TOUR = Path(tour.__file__).parent / "pictures"
WIDTH, NARROW, HEIGHT = 264, 200, 780  # of the docker
SIDE = 512  # px of the photo
SHOWS, TOY = "a photo of a red ball on grass", "a photo of a <my-toy> on grass"


class Photographer:
    def __init__(self, studio: Studio, folder: Path) -> None:
        self.studio, self.folder, self.call = studio, folder, studio.krita.call
        self.until = studio.krita.until

    def docker(self, name: str) -> None:
        self._take("grab", name)

    def learning(self, name: str) -> None:
        self._take("grab_learning", name)

    def _take(self, how: str, name: str) -> None:
        file = self.studio.file(name=".png")
        assert self.call(how, str(file))
        shutil.copy(file, self.folder / f"krita-{name}.png")
        print(name, flush=True)

    def open_photo(self) -> None:
        self.studio.open(enlarged("photo.png", Image.Resampling.LANCZOS))
        self.call("show_docker", WIDTH, HEIGHT)
        self.until("panel_ready")

    def select(self, name: str) -> None:
        self.studio.select(enlarged(name, Image.Resampling.NEAREST)[..., 0])
        self.until("panel_sees", self.call("panel")["document"], True)

    def learn(self) -> None:
        files = []
        for number in range(1, 5):
            file = self.studio.file((TOUR / f"toy-{number}.png").read_bytes(), ".png")
            files.append(str(file))
        self.call("learn", "my-toy", "star", files)
        self.until("learning_has", 4)
        self.call("press_learn")
        self.until("learning_looks", patience=600)
        self.learning("learning")
        self.until("learning_shows", "my-toy", patience=600)
        self.learning("learned")
        self.call("close_learning")

    def edit(self) -> None:
        self.call("write", "replace", SHOWS, TOY)
        self.call("set_panel", {"feather": 12})
        self.docker("ready")
        self.call("press", "work.apply")
        self.until("panel_running")
        self.until("panel_previews", patience=300)
        self.docker("running")
        self.until("panel_idle", patience=300)
        self.until("panel_results", 1)
        self.docker("done")

    def window(self) -> None:
        self.call("dock", 1280, 900)
        screen = self.studio.file(name=".png")
        self.studio.krita.call("grab_window", str(screen))
        shutil.copy(screen, self.folder / "krita-window.png")

    def others(self) -> None:
        self.call("write", "reweight", SHOWS, "")
        self.call("weigh", "ball", 0.6)
        self.docker("emphasise")
        self.call("write", "restyle", SHOWS, "an oil painting")
        self.call("unfold", True)
        self.docker("advanced")
        self.call("unfold", False)
        self.call("write", "remove", SHOWS, "a red ball")
        self.docker("remove")
        self.call("write", "replace", SHOWS, TOY)
        self.call("show_docker", NARROW, HEIGHT)
        self.until("panel_drawn", NARROW)
        self.docker("narrow")
        self.call("show_docker", WIDTH, HEIGHT)
        self._take("grab_concepts", "concepts")
        self._take("grab_settings", "settings")


def enlarged(name: str, how: Image.Resampling) -> np.ndarray:
    """(SIDE, SIDE, 4) of a picture of the tour."""
    with Image.open(TOUR / name) as image:
        return np.asarray(image.convert("RGBA").resize((SIDE, SIDE), how))


def main(folder: Path) -> None:
    display, home = Display(), shared_folder(None)
    backend = Backend(home)
    backend.start()
    krita = start(Box(None), display, home)
    try:
        photographer = Photographer(Studio(krita), folder)
        photographer.open_photo()
        photographer.docker("empty")
        photographer.learn()
        photographer.select("photo-selection.png")
        photographer.edit()
        photographer.window()
        photographer.call("show_docker", WIDTH, HEIGHT)
        photographer.others()
        photographer.call("theme", "Krita bright")
        photographer.docker("bright")
        photographer.call("theme", "Krita dark")
        backend.kill()
        photographer.until("panel_stopped")
        photographer.docker("no-backend")
        backend.start()
        krita.quit()
        write_language(home / "config", "zh_CN")
        krita = start(Box(None), display, home)
        photographer = Photographer(Studio(krita), folder)
        photographer.open_photo()
        photographer.call("write", "replace", SHOWS, TOY)
        photographer.docker("chinese")
    finally:
        krita.quit()
        backend.stop()
        display.close()
        remove_folder(home)
        krita.box.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
