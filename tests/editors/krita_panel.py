"""A user at the docker in the real Krita: what it is told and what it says. No pytest."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from editors.backend import Backend
from editors.display import Display
from editors.driven import PATIENCE
from editors.krita import Krita
from editors.krita_pictures import RGB_8, Kind, KritaDocuments
from editors.pictures import DEMO, Pixels

SHOWS, DOG = "a photo of a red ball on grass", "a photo of a blue cube on grass"
FEATHER = 4  # pixels, by which replace and remove also grow the selection
STEPS = 6  # of the sampler: what is asked here is not how good the picture is
LONG = 300.0  # seconds for a job on a slow machine
REST = 3.0  # seconds; Qt shows a tip when the mouse has rested for .7
WIDTH, HEIGHT = 264, 880  # of the docker


def photo() -> Pixels:
    with Image.open(DEMO / "photo.png") as image:
        return np.asarray(image.convert("RGBA"))


def mask() -> Pixels:
    with Image.open(DEMO / "photo-selection.png") as image:
        return np.asarray(image)


class KritaPanel(KritaDocuments):
    """A picture in Krita and the docker beside it."""

    def __init__(self, krita: Krita, backend: Backend) -> None:
        super().__init__(krita)
        self.backend = backend
        self.call, self.until = krita.call, krita.until
        if not backend.answers():
            backend.start()
        self.call("show_docker", WIDTH, HEIGHT)
        self.until("panel_ready")

    def show(self, pixels: Pixels, kind: Kind = RGB_8, selected: Pixels | None = None) -> None:
        self.open(pixels, kind)
        self.call("show_docker", WIDTH, HEIGHT)  # Krita 5.2 docks it with the first document
        if selected is not None:
            self.select(selected)
        self.until("panel_sees_document", selected is not None)
        self.call("reset_panel", {"steps": STEPS, "feather": FEATHER})

    def told(self) -> dict:
        return self.call("panel")

    def end(self) -> dict:
        """What the panel says when the job under way has ended."""
        self.until("panel_idle", patience=LONG)
        return self.told()

    def keep(self, number: int) -> None:
        """A result of any picture, after it was looked at."""
        self.call("show_everything", True)
        self.until("panel_results", number + 1)
        self.call("look_at", number)
        self.call("press", "results.keep")
        self.call("show_everything", False)

    def canvas(self, display: Display) -> Pixels:
        """The middle of the screen's left side, where a docked panel leaves the picture."""
        with Image.open(display.screenshot(self.file(name=".png"))) as screen:
            return np.asarray(screen.convert("RGB").crop((150, 150, 800, 700)))

    def tip_over(self, display: Display, field: int, letter: int) -> str:
        """The tip of a letter of a sentence. The mouse comes again where none is shown, as when the letter
        moved meanwhile or the window had no keyboard yet."""
        deadline = time.monotonic() + PATIENCE
        while True:
            display.move(*display.away)
            display.move(*self.call("place_of_letter", field, letter))
            rested = time.monotonic() + REST
            while time.monotonic() < rested:
                if tip := self.call("tip"):
                    return tip
            assert time.monotonic() < deadline, f"no tip over letter {letter} within {PATIENCE:g} s"

    def eventually(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"

    def apply(self, operation: str, second: str, first: str = SHOWS) -> dict:
        self.call("write", operation, first, second)
        assert self.told()["cannot"] == ""
        self.call("press", "work.apply")
        return self.end()
