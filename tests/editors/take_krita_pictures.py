"""Pictures of the docker at work in the real Krita, for the documents and to be looked at.

    PYTHONPATH=backend:tests python tests/editors/take_krita_pictures.py [FOLDER]

Into FOLDER goes every state: in both themes and both widths, on a screen 720 px high, on one of high
resolution, in Chinese. Without one, what the documents show is taken anew. The panel in Chinese needs a font
for it: on Debian fonts-wqy-microhei.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from editors.backend import Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.krita import Krita, keep_seed, start
from editors.krita_pictures import RGB_8, KritaDocuments
from editors.pictures import BALL, BESIDE_IT, DEMO, Pixels, oval, with_before
from palimpsest_client.text.language import write_language

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
SHOWN = (  # in the documents
    *("window", "running", "done", "look", "strip", "emphasise", "advanced", "bright", "learned"),
    *("narrow", "chinese", "concepts", "models", "settings", "strange", "low", "join"),
)
DARK, BRIGHT = "Krita dark", "Krita bright"
WIDTH, NARROW, HEIGHT = 264, 200, 780  # of the docker
WINDOW, LOW = (1280, 900), (1280, 720)
SIDE = 512  # px of the photo
COLORS, QUALITY = 200, 80  # of pictures of the docker and the dialogs; of the whole window
SHOWS, TOY, CUBE = (f"a photo of a {what} on grass" for what in ("red ball", "<my-toy>", "blue cube"))
LONG = (
    "a very long sentence about a photo of a red ball with a soft shadow that lies on green grass below "
    "a blue sky with a few clouds, and a (tiny:1.3) 红色的 🐈 كرة beside it"
)


class Photographer:
    """``everything``: each state of the docker is also taken narrow, and in a bright theme."""

    def __init__(self, documents: KritaDocuments, folder: Path, everything: bool) -> None:
        self.documents, self.folder, self.call = documents, folder, documents.krita.call
        self.until = documents.krita.until
        self.everything = everything

    def docker(self, name: str) -> None:
        self.take("grab", name)
        if self.everything:
            self.resize(NARROW)
            self.take("grab", f"{name}-narrow")
            self.call("theme", BRIGHT)
            self.take("grab", f"{name}-narrow-bright")
            self.resize(WIDTH)
            self.take("grab", f"{name}-bright")
            self.call("theme", DARK)

    def resize(self, width: int) -> None:
        self.call("resize_docker", width, HEIGHT)
        self.until("panel_drawn", width)

    def take(self, how: str, name: str, before: Sequence[Pixels] = ()) -> None:
        """``before``: of a window, what its picture looked like earlier."""
        if not self.everything and name not in SHOWN:
            return
        file = self.documents.file(name=".png")
        assert self.call(how, str(file))
        with Image.open(file) as taken:
            seen = taken.convert("RGB")
        target = self.folder / f"krita-{name}"
        if how == "grab_window":
            seen = with_before(seen, before) if before else seen
            seen.save(target.with_suffix(".webp"), quality=QUALITY, method=6)
        else:
            few = seen.quantize(COLORS, dither=Image.Dither.NONE)
            few.save(target.with_suffix(".png"), optimize=True)
        print(name, flush=True)

    def open_photo(self) -> None:
        photo = self.documents.layer("photo", enlarged("photo.png", Image.Resampling.LANCZOS))
        file = self.documents.krita.box.folder / "garden.kra"
        self.call("make_file", file, SIDE, SIDE, *RGB_8[:3], [photo])
        self.documents.open_file(file, RGB_8)
        self.call("show_docker", WIDTH, HEIGHT)
        self.until("panel_ready")
        self.call("wait_for_drafts")

    def select(self, name: str) -> None:
        self.documents.select(enlarged(name, Image.Resampling.NEAREST)[..., 0])
        self.until("panel_sees", self.call("panel")["document"], True)

    def learn(self) -> None:
        files = []
        for number in range(1, 5):
            file = self.documents.file((DEMO / f"toy-{number}.png").read_bytes(), ".png")
            files.append(str(file))
        self.call("learn", "my-toy", "star", files)
        self.until("learning_has", 4)
        self.call("press_learn")
        self.until("learning_looks", patience=600)
        self.take("grab_learning", "learning")
        self.until("learning_shows", "my-toy", patience=600)
        self.take("grab_learning", "learned")
        self.call("close_learning")

    def join(self) -> None:
        """The learned word is inserted, and takes the ball's place."""
        before = [self.documents.pixels()]
        asked = (("insert", "a <my-toy>", BESIDE_IT), ("replace", TOY, BALL))
        for number, (operation, words, place) in enumerate(asked, start=1):
            self.documents.select(oval(SIDE, *place))
            self.until("panel_sees", self.call("panel")["document"], True)
            self.call("write", operation, SHOWS, words)
            self.apply()
            self.done(number)
            before.append(self.documents.pixels())
        self.call("dock", *WINDOW)
        self.take("grab_window", "join", before[:-1])

    def edit(self) -> None:
        self.call("write", "replace", SHOWS, TOY)
        self.call("set_panel", {"feather": 12})
        self.docker("ready")
        self.apply()
        self.done(1)
        self.docker("done")

    def apply(self) -> None:
        self.call("press", "work.apply")
        self.until("panel_running", patience=300)

    def done(self, results: int) -> None:
        self.until("panel_idle", patience=300)
        self.until("panel_results", results)

    def look(self) -> None:
        """Two edits' results, one looked at. The second begins from the photo, which takes longer."""
        self.call("write", "replace", SHOWS, CUBE)
        self.apply()
        self.until("panel_previews", patience=300)
        self.take("grab", "running")
        self.done(2)
        self.call("look_at", 1)
        self.until("looks_at", 1)
        self.until("is_seen", "results.keep")
        self.docker("look")
        self.call("press", "results.discard")
        self.until("nothing_shown")

    def strip(self) -> None:
        """What Update would make, and the strip under Keep structure."""
        self.call("write", "replace", SHOWS, CUBE)
        self.call("set_panel", {"structure": 0.1})
        self.until("strip_drawn", patience=300)
        self.docker("strip")

    def window(self, name: str, size: tuple[int, int]) -> None:
        self.call("dock", *size)
        self.take("grab_window", name)

    def others(self) -> None:
        self.call("write", "reweight", SHOWS, "")
        self.call("weigh", "ball", 0.6)
        self.docker("emphasise")
        self.call("write", "restyle", SHOWS, "an oil painting")
        self.call("unfold", True)
        self.docker("advanced")
        self.call("unfold", False)
        self.call("write", "insert", SHOWS, "")
        self.docker("insert")
        self.call("write", "remove", SHOWS, "a red ball")
        self.docker("remove")
        self.call("write", "replace", LONG, LONG.replace("ball", "<my-toy>"))
        self.docker("strange")
        self.call("write", "replace", SHOWS, TOY)
        self.resize(NARROW)
        self.take("grab", "narrow")
        self.resize(WIDTH)
        self.call("theme", BRIGHT)
        self.take("grab", "bright")
        for name in ("concepts", "models", "settings"):
            self.take(f"grab_{name}", f"{name}-bright")
        self.call("theme", DARK)
        for name in ("concepts", "models", "settings"):
            self.take(f"grab_{name}", name)


def enlarged(name: str, how: Image.Resampling) -> np.ndarray:
    """(SIDE, SIDE, 4) of a picture of the demo."""
    with Image.open(DEMO / name) as image:
        return np.asarray(image.convert("RGBA").resize((SIDE, SIDE), how))


class Session:
    """Kritas one after the other, with one backend."""

    def __init__(self, folder: Path, everything: bool) -> None:
        self.folder, self.everything = folder, everything
        self.display, self.home = Display(), shared_folder(None)
        self.seed = self.home / "seed"
        self.backend = Backend(self.home)
        self.backend.start()
        self.krita: Krita | None = None

    def photographer(self, language: str = "", scale: float = 1) -> Photographer:
        """Of a Krita that was just started, with the photo open."""
        self.quit()
        if language:
            write_language(self.home / "config", language)
        self.krita = start(Box(None), self.display, self.home, self.seed, scale=scale)
        made = Photographer(KritaDocuments(self.krita), self.folder, self.everything)
        made.open_photo()
        return made

    def quit(self) -> None:
        if self.krita is not None:
            self.krita.quit()
            keep_seed(self.krita.box, self.seed)
            self.krita.box.close()
            self.krita = None

    def close(self) -> None:
        self.quit()
        self.backend.stop()
        self.display.close()
        remove_folder(self.home)


def take_all(session: Session) -> None:
    made = session.photographer()
    made.docker("empty")
    made.learn()
    made.select("photo-selection.png")
    made.edit()
    made.window("window", WINDOW)
    made.window("low", LOW)
    made.call("show_docker", WIDTH, HEIGHT)
    made.look()
    made.others()
    made.strip()
    if session.everything:
        session.backend.kill()
        made.until("panel_stopped")
        made.docker("no-backend")
        session.backend.start()
        made = session.photographer(scale=2)
        made.call("write", "replace", SHOWS, TOY)
        made.docker("sharp")
    made = session.photographer()
    made.join()
    made = session.photographer("zh_CN")
    made.call("write", "replace", SHOWS, TOY)
    made.docker("chinese")


def main(arguments: Sequence[str]) -> None:
    session = Session(Path(arguments[0]) if arguments else PICTURES, bool(arguments))
    session.folder.mkdir(parents=True, exist_ok=True)
    try:
        take_all(session)
    finally:
        session.close()


if __name__ == "__main__":
    main(sys.argv[1:])
