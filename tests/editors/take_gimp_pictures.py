"""Pictures of Palimpsest at work in the real GIMP, for the documents and to be looked at.

    PYTHONPATH=backend:tests python tests/editors/take_gimp_pictures.py [FOLDER]

The panel in Chinese needs a font for it: on Debian fonts-wqy-microhei. Without FOLDER only those that the
documents show are taken.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from editors.backend import REPOSITORY, Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.gimp import start
from editors.gimp_panel import BESIDE, CANVAS, SHOULD_SHOW, SHOWS, Desk, pressable, until
from editors.gimp_pictures import RGB_8
from editors.pictures import picture_of
from editors.running import editors_root
from palimpsest_client.text.language import write_language
from palimpsest_client.text.wording import say

SIDE = 512  # px of the photo
TOY = 128  # px of the pictures to learn from
DIALOG = (185, 20, 480, 350)  # over the sky, so that the ball is seen
NARROW = (CANVAS[2], 0, 260, 720)
WIDE = (CANVAS[2], 0, 340, 720)
LEARNING = (420, 0, 420, 700)
MODELS = (400, 0, 440, 640)
SCREEN = "1600x1500x24"  # holds the window on a dense screen too
COLORS = 256  # of a picture
LONG = 600.0
PICTURES = REPOSITORY / "docs" / "pictures"
SHOWN = ("window", "dialog", "emphasise", "bright", "running", "looked-at", "advanced", "models", "chinese")
FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


class Photographer:
    """One GIMP. ``wanted``: names of pictures; None = all."""

    def __init__(self, desk: Desk, folder: Path, wanted: tuple[str, ...] | None) -> None:
        self.desk, self.folder, self.wanted = desk, folder, wanted

    def keep(self, name: str, box: tuple[int, int, int, int], scale: int = 1, still: bool = True) -> None:
        if self.wanted is not None and name not in self.wanted:
            return
        if still:
            self.desk.until_drawn()
        path = self.desk.display.screenshot(self.desk.images.files / "screen.png")
        left, top, width, height = (side * scale for side in box)
        picture = Image.open(path).convert("RGB").crop((left, top, left + width, top + height))
        small = picture.quantize(COLORS, dither=Image.Dither.NONE)
        small.save(self.folder / f"gimp-{name}.png", optimize=True)
        print(name, flush=True)

    def place(self, window: str, box: tuple[int, int, int, int]) -> None:
        self.desk.display.place(window, *box)
        self.desk.display.focus(window)
        self.desk.display.move(box[0] + 20, box[1] + box[3] + 60)  # no tip is shown

    def edited(self, window: str, image: int) -> None:
        desk = self.desk
        desk.apply(window, image, SHOULD_SHOW)
        desk.until_layers(image, 2)
        until(lambda: not desk.jobs("running"), "the job has ended")
        until(lambda: desk.find("New", "Button"), "the layer is in hand")
        until(lambda: results(desk), "its result")

    # What is to be seen.

    def dialog(self) -> None:
        """Of a menu item, without the window."""
        dialog = self.desk.choose("-replace", "^Replace$")
        self.desk.display.place(dialog, *DIALOG)
        self.keep("dialog", CANVAS)
        self.desk.display.focus(dialog)
        self.desk.display.key("Escape")

    def first_edit(self, window: str, image: int) -> None:
        desk = self.desk
        self.place(window, WIDE)
        self.keep("ready", WIDE)
        desk.apply(window, image, SHOULD_SHOW)
        until(lambda: pictured(desk, "preview"), "the result as it forms")
        self.keep("running", WIDE, still=False)
        desk.until_layers(image, 2)
        until(lambda: results(desk), "its result")
        self.place(window, (*WIDE[:3], CANVAS[3]))
        self.keep("window", (0, 0, CANVAS[2] + BESIDE[2], CANVAS[3]))

    def result(self, window: str) -> None:
        """Looked at on the picture."""
        desk = self.desk
        self.place(window, WIDE)
        left, top, width, height = results(desk)[0]["box"]
        desk.display.click(left + width // 2, top + height // 2)
        until(lambda: desk.find("Keep", "Button"), "what can be done with it")
        desk.display.move(WIDE[0] + 20, WIDE[3] + 60)
        self.keep("looked-at", WIDE)
        desk.display.focus(window)
        desk.display.key("Escape")
        until(lambda: not desk.find("Keep", "Button"), "it is discarded")

    def narrow(self, window: str) -> None:
        desk = self.desk
        self.place(window, NARROW)
        for number, name in enumerate(("replace", "insert", "restyle", "remove", "emphasise"), 1):
            desk.display.key(f"alt+{number}")
            self.keep(name, NARROW)
        desk.display.key("alt+1")
        desk.fold_out()
        until(lambda: desk.find("As recommended", "Button"), "what is under Advanced")
        desk.display.move(NARROW[0] + 20, NARROW[3] + 60)
        desk.display.wheel(NARROW[0] + 4, 300, 14)
        self.keep("advanced", NARROW)
        desk.display.wheel(NARROW[0] + 4, 300, -14)
        desk.fold_out()

    def models(self, window: str) -> None:
        desk = self.desk
        desk.click_on("Get a real model…")
        models = until(lambda: desk.windows("^Models$"), "the models")[-1]
        self.place(models, MODELS)
        self.keep("models", MODELS)
        desk.display.key("Escape")
        desk.display.focus(window)
        desk.click_on("Settings")
        settings = until(lambda: desk.windows("^Settings$"), "the settings")[-1]
        self.place(settings, MODELS)
        self.keep("settings", MODELS)
        desk.display.key("Escape")
        until(lambda: not desk.windows("^Settings$"), "they are closed")

    def learning(self, image: int) -> None:
        """From three layers, for as long as it takes to see how the word looks."""
        desk = self.desk
        for number in (1, 2, 3):
            path = desk.images.files / "layer"
            path.write_bytes(picture_of(f"toy-{number}").tobytes())
            desk.gimp.call("add_layer", image, str(path), [9 * number, 5 * number, TOY, TOY], RGB_8.format)
        desk.gimp.call("choose_layers", image, [0, 1, 2])
        assert desk.gimp.call("tell_window", f"learn-concept {image}")
        window = until(lambda: desk.windows("^Learn a concept$"), "the window for learning")[-1]
        self.place(window, LEARNING)
        desk.display.type("my-toy")
        desk.display.key(*["Tab"] * 3)
        desk.display.type("star")
        desk.click_on("+ chosen layers")
        self.keep("learn", LEARNING)
        desk.click_on("Learn")
        until(lambda: pressable(desk.find("Stop", "Button")), "it learns", LONG)
        until(lambda: pictured(desk, "how-it-looks"), "how the word looks", LONG)
        self.keep("learning", LEARNING)
        desk.click_on("Stop")
        until(lambda: desk.backend.client.concepts(), "the word", LONG)
        desk.display.key("Escape")

    def queue(self, window: str, image: int) -> None:
        desk = self.desk
        for color in ("green", "yellow", "white"):
            desk.apply(window, image, f"a photo of a {color} ball on grass")
        self.keep("queue", WIDE)
        until(lambda: not desk.jobs("running") and not desk.jobs("queued"), "all have ended", LONG)

    def stopped(self, window: str, image: int) -> None:
        """In the middle of a job, which then goes on."""
        desk = self.desk
        desk.apply(window, image, SHOULD_SHOW)
        desk.until_running()
        desk.backend.kill()
        until(lambda: desk.find(say("gone")), "that it has gone")
        self.keep("stopped", WIDE)
        desk.backend.start()
        until(lambda: not desk.jobs("running") and not desk.jobs("queued"), "the job has ended", LONG)


def results(desk: Desk) -> list[dict]:
    return [widget for widget in desk.seen() if widget["type"] == "ToggleButton" and widget["name"]]


def pictured(desk: Desk, key: str) -> bool:
    """Whether there is the picture that this text names."""
    return any(widget["name"] == say(key) and widget["picture"] is not None for widget in desk.seen())


def take(made: Photographer) -> None:
    desk = made.desk
    image = desk.open(SIDE)
    made.dialog()
    window = desk.window()
    made.first_edit(window, image)
    made.result(window)
    made.narrow(window)
    made.models(window)
    if made.wanted is None:
        made.learning(image)
        made.place(window, WIDE)
        made.queue(window, image)
        made.stopped(window, image)


def take_bright(made: Photographer) -> None:
    """The narrow window in GIMP's bright theme."""
    image, window = made.desk.open(SIDE), made.desk.window()
    made.place(window, NARROW)
    made.edited(window, image)
    made.keep("bright", NARROW)


def take_chinese(made: Photographer) -> None:
    image, window = made.desk.open(SIDE), made.desk.window()
    made.place(window, WIDE)
    made.desk.write(window, image, SHOWS, SHOULD_SHOW)
    made.keep("chinese", WIDE)


def take_dense(made: Photographer) -> None:
    """By keyboard alone: places on the screen are twice those in the window."""
    image, window = made.desk.open(SIDE), made.desk.window()
    made.desk.display.place(window, 2 * CANVAS[2] - 800, 0, 2 * WIDE[2], 2 * WIDE[3])
    made.desk.apply(window, image, SHOULD_SHOW)
    made.desk.until_layers(image, 2)
    made.keep("dense", (CANVAS[2] - 400, 0, *WIDE[2:]), 2)


def main(folder: Path, wanted: tuple[str, ...] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = editors_root()
    home, display = shared_folder(root), Display(SCREEN)
    backend = Backend(home)

    def with_gimp(takes: Callable[[Photographer], None], language: str = "", **look: Any) -> None:
        box = Box(root)
        (box.data / "fonts").mkdir()
        if language and FONT.exists():
            shutil.copy(FONT, box.data / "fonts")
        write_language(home / "config", language)
        gimp = start(box, home, display, **look)
        try:
            takes(Photographer(Desk(gimp, display, backend), folder, wanted))
        finally:
            gimp.quit()
            box.close()

    try:
        backend.start()
        with_gimp(take)
        with_gimp(take_bright, theme="light")
        with_gimp(take_chinese, language="zh_CN")
        if wanted is None:
            with_gimp(take_dense, scale=2)
    finally:
        backend.stop()
        display.close()
        remove_folder(home)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), None)
    else:
        main(PICTURES, SHOWN)
