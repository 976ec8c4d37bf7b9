"""A film of a word that is learned and put into a photo, in the real Krita: an animated WebP for the README.

    PYTHONPATH=backend:tests python tests/editors/take_film.py [FILE]

What is seen is the screen, with the pointer drawn into it; only the waiting is shortened.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from editors.backend import Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.krita import start
from editors.krita_pictures import KritaDocuments
from editors.pictures import DEMO
from editors.take_krita_pictures import PICTURES, SHOWS, TOY, enlarged

WINDOW = (1120, 760)  # of Krita on the screen
SIZE = (896, 608)  # of the film
CAPTION = 34  # px below
MOMENT = 0.25  # seconds between two looks at the screen
SHOWN = 250  # ms that a look is shown
LOOK_LONG = 2200  # ms
WAITING = 24  # looks at most at one wait: of a longer one every so many are kept
BALL = (243, 344, 543, 644)  # px on the screen: a box around it
CUBE = "a photo of a blue cube on grass"
POINTER = ((0, 0), (0, 16), (4, 12), (7, 18), (9, 17), (6, 11), (11, 11))
INK, PAPER = "#f0f0f0", "#202225"


class Camera:
    """Looks at the screen; equal looks become one that is shown longer."""

    def __init__(self, display: Display, folder: Path) -> None:
        self.display, self.folder = display, folder
        self.pointer = (WINDOW[0] // 2, WINDOW[1] // 2)
        self.caption = ""
        self.frames: list[Image.Image] = []
        self.times: list[int] = []
        self.font = ImageFont.load_default(18)

    def look(self, shown: int = SHOWN) -> None:
        self.keep(self.picture(), shown)

    def keep(self, frame: Image.Image, shown: int = SHOWN) -> None:
        if self.frames and ImageChops.difference(self.frames[-1], frame).getbbox() is None:
            self.times[-1] += shown
        else:
            self.frames.append(frame)
            self.times.append(shown)

    def picture(self) -> Image.Image:
        file = self.display.screenshot(self.folder / "screen.png")
        with Image.open(file) as screen:
            seen = screen.convert("RGB").crop((0, 0, *WINDOW))
        x, y = self.pointer
        shape = [(x + dx, y + dy) for dx, dy in POINTER]
        ImageDraw.Draw(seen).polygon(shape, fill="white", outline="black")
        frame = Image.new("RGB", (SIZE[0], SIZE[1] + CAPTION), PAPER)
        frame.paste(seen.resize(SIZE, Image.Resampling.LANCZOS))
        ImageDraw.Draw(frame).text((12, SIZE[1] + 6), self.caption, INK, self.font)
        return frame

    def wait(self, holds: Callable[[], bool], patience: float = 600) -> None:
        """Look until something holds; a long wait is shown shortened."""
        seen, end = [], time.monotonic() + patience
        while not holds():
            assert time.monotonic() < end, f"waited {patience:g} s"
            seen.append(self.picture())
            time.sleep(MOMENT)
        for frame in seen[:: max(1, -(-len(seen) // WAITING))]:
            self.keep(frame)
        self.look()

    def go(self, x: int, y: int) -> None:
        """The pointer, in a few steps."""
        (left, top), steps = self.pointer, 4
        for step in range(1, steps + 1):
            self.pointer = (left + (x - left) * step // steps, top + (y - top) * step // steps)
            self.display.move(*self.pointer)
            self.look(80)

    def click(self, x: int, y: int) -> None:
        self.go(x, y)
        self.display.click(x, y)
        self.look()

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """With the left button held."""
        self.go(*start)
        self.display.press()
        self.go(*end)
        self.display.release()
        self.look()

    def type(self, text: str) -> None:
        for part in (text[at : at + 6] for at in range(0, len(text), 6)):
            self.display.type(part)
            self.look(180)

    def save(self, file: Path) -> None:
        first, *rest = self.frames
        content = io.BytesIO()
        how = {"duration": self.times, "loop": 0, "quality": 70, "method": 6}
        first.save(content, "WEBP", save_all=True, append_images=rest, **how)
        file.write_bytes(content.getvalue())
        print(f"{file}: {len(self.frames)} frames, {sum(self.times) / 1000:.0f} s")


class Film:
    """The scenes; ``call`` reaches into Krita to find where things lie, mouse and keyboard do the rest."""

    def __init__(self, documents: KritaDocuments, camera: Camera) -> None:
        self.documents, self.camera, self.call = documents, camera, documents.krita.call
        self.until = documents.krita.until

    def holds(self, condition: str, *arguments: object) -> Callable[[], bool]:
        return lambda: bool(self.call(condition, *arguments))

    def open_photo(self) -> None:
        self.documents.open(enlarged("photo.png", Image.Resampling.LANCZOS))
        self.call("dock", *WINDOW)
        self.until("panel_ready")
        self.documents.pixels()  # read when all is drawn
        self.camera.caption = "A photo in Krita, and Palimpsest's panel beside it."
        self.camera.look(LOOK_LONG)

    def learn(self) -> None:
        self.camera.caption = "Four pictures of a toy become a word of one's own: <my-toy>."
        files = [str(self.documents.file(picture(number), ".png")) for number in range(1, 5)]
        self.call("learn", "my-toy", "star", files)
        self.until("learning_has", 4)
        self.camera.look(LOOK_LONG)
        self.call("press_learn")
        self.camera.wait(self.holds("learning_ended"))
        self.camera.look(LOOK_LONG)
        self.call("close_learning")

    def select(self) -> None:
        self.camera.caption = "The ball is selected: only there something may change."
        self.call("trigger", "KisToolSelectElliptical")
        self.camera.drag(BALL[:2], BALL[2:])
        self.until("panel_sees", self.call("panel")["document"], True)
        self.camera.look(LOOK_LONG)

    def edit(self) -> None:
        self.camera.caption = "What the picture shows, and what it should show."
        self.write("words.first", SHOWS)
        before, name, after = TOY.partition("<my-toy>")
        self.write("words.second", before + name[:3])
        self.camera.look(1000)
        self.camera.display.key("Tab")
        self.camera.type(after)
        self.camera.look(1000)
        self.camera.caption = "Apply: a new layer with a mask; outside the selection 0 pixels change."
        self.apply()

    def update(self) -> None:
        self.camera.caption = "Another word, and Update: the same layer is renewed."
        self.write("words.second", CUBE)
        self.apply()
        self.camera.caption = "Ctrl+Z: each renewal is one step back."
        self.camera.display.key("ctrl+z")
        self.camera.wait(lambda: any("toy" in name for name in self.documents.layers()))
        self.documents.pixels()
        self.camera.look(2 * LOOK_LONG)

    def apply(self) -> None:
        self.camera.click(*self.call("place_of", "work.apply")[:2])
        self.until("panel_running")
        self.camera.wait(self.holds("panel_idle"))
        self.camera.look(2 * LOOK_LONG)

    def write(self, field: str, text: str) -> None:
        self.camera.click(*self.call("place_of", field)[:2])
        self.camera.display.key("ctrl+a")
        self.camera.type(text)


def picture(number: int) -> bytes:
    return (DEMO / f"toy-{number}.png").read_bytes()


def main(file: Path) -> None:
    display, home = Display(), shared_folder(None)
    backend = Backend(home)
    backend.start()
    krita = start(Box(None), display, home)
    try:
        camera = Camera(display, krita.box.files)
        film = Film(KritaDocuments(krita), camera)
        film.open_photo()
        film.learn()
        film.select()
        film.edit()
        film.update()
        camera.save(file)
    finally:
        krita.quit()
        backend.stop()
        display.close()
        remove_folder(home)
        krita.box.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES / "film.webp")
