"""Pictures of Palimpsest at work in the real GIMP, for the documents and to be looked at.

    PYTHONPATH=backend:tests python tests/editors/take_gimp_pictures.py [FOLDER]

The panel in Chinese needs a font for it: on Debian fonts-wqy-microhei. Without FOLDER only those that the
documents show are taken.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from editors.backend import REPOSITORY, Backend
from editors.box import Box, remove_folder, shared_folder
from editors.display import Display
from editors.gimp import start
from editors.gimp_panel import BESIDE, CANVAS, SHOULD_SHOW, SHOWS, GimpUser, pressable, until
from editors.gimp_pictures import RGB_8
from editors.pictures import BALL, BESIDE_IT, Pixels, oval, picture_of, with_before
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
SHOWN = (
    *("window", "dialog", "emphasise", "bright", "running", "looked-at", "advanced", "models", "chinese"),
    *("learned", "join"),
)
FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


class Photographer:
    """One GIMP. ``wanted``: names of pictures; None = all."""

    def __init__(self, user: GimpUser, folder: Path, wanted: tuple[str, ...] | None) -> None:
        self.user, self.folder, self.wanted = user, folder, wanted

    def keep(
        self,
        name: str,
        box: tuple[int, int, int, int],
        scale: int = 1,
        still: bool = True,
        before: Sequence[Pixels] = (),
    ) -> None:
        """``before``: what the picture looked like earlier."""
        if self.wanted is not None and name not in self.wanted:
            return
        if still:
            self.user.until_drawn()
        path = self.user.display.screenshot(self.user.images.files / "screen.png")
        left, top, width, height = (side * scale for side in box)
        picture = Image.open(path).convert("RGB").crop((left, top, left + width, top + height))
        picture = with_before(picture, before) if before else picture
        small = picture.quantize(COLORS, dither=Image.Dither.NONE)
        small.save(self.folder / f"gimp-{name}.png", optimize=True)
        print(name, flush=True)

    def place(self, window: str, box: tuple[int, int, int, int]) -> None:
        self.user.display.place(window, *box)
        self.user.display.focus(window)
        self.user.display.move(box[0] + 20, box[1] + box[3] + 60)  # no tip is shown

    def edited(self, window: str, image: int) -> None:
        user = self.user
        user.apply(window, image, SHOULD_SHOW)
        user.until_layers(image, 2)
        until(lambda: not user.jobs("running"), "the job has ended")
        until(lambda: user.find("New", "Button"), "the layer is in hand")
        until(lambda: results(user), "its result")

    # What is to be seen.

    def dialog(self) -> None:
        """Of a menu item, without the window."""
        dialog = self.user.choose("-replace", "^Replace$")
        self.user.display.place(dialog, *DIALOG)
        self.keep("dialog", CANVAS)
        self.user.display.focus(dialog)
        self.user.display.key("Escape")

    def first_edit(self, window: str, image: int) -> None:
        user = self.user
        self.place(window, WIDE)
        self.keep("ready", WIDE)
        user.apply(window, image, SHOULD_SHOW)
        until(lambda: pictured(user, "preview"), "the result as it forms")
        self.keep("running", WIDE, still=False)
        user.until_layers(image, 2)
        until(lambda: results(user), "its result")
        self.place(window, (*WIDE[:3], CANVAS[3]))
        self.keep("window", (0, 0, CANVAS[2] + BESIDE[2], CANVAS[3]))

    def result(self, window: str) -> None:
        """Looked at on the picture."""
        user = self.user
        self.place(window, WIDE)
        left, top, width, height = results(user)[0]["box"]
        user.display.click(left + width // 2, top + height // 2)
        until(lambda: user.find("Keep", "Button"), "what can be done with it")
        user.display.move(WIDE[0] + 20, WIDE[3] + 60)
        self.keep("looked-at", WIDE)
        user.display.focus(window)
        user.display.key("Escape")
        until(lambda: not user.find("Keep", "Button"), "it is discarded")

    def narrow(self, window: str) -> None:
        user = self.user
        self.place(window, NARROW)
        for number, name in enumerate(("replace", "insert", "restyle", "remove", "emphasise"), 1):
            user.display.key(f"alt+{number}")
            self.keep(name, NARROW)
        user.display.key("alt+1")
        user.fold_out()
        until(lambda: user.find("As recommended", "Button"), "what is under Advanced")
        user.display.move(NARROW[0] + 20, NARROW[3] + 60)
        user.display.wheel(NARROW[0] + 4, 300, 14)
        self.keep("advanced", NARROW)
        user.display.wheel(NARROW[0] + 4, 300, -14)
        user.fold_out()

    def models(self, window: str) -> None:
        user = self.user
        user.click_on("Get a real model…")
        models = until(lambda: user.windows("^Models$"), "the models")[-1]
        self.place(models, MODELS)
        self.keep("models", MODELS)
        user.display.key("Escape")
        user.display.focus(window)
        user.click_on("Settings")
        settings = until(lambda: user.windows("^Settings$"), "the settings")[-1]
        self.place(settings, MODELS)
        self.keep("settings", MODELS)
        user.display.key("Escape")
        until(lambda: not user.windows("^Settings$"), "they are closed")

    def learning(self, image: int) -> None:
        """From three layers."""
        user = self.user
        for number in (1, 2, 3):
            path = user.images.files / "layer"
            path.write_bytes(picture_of(f"toy-{number}").tobytes())
            user.gimp.call("add_layer", image, str(path), [9 * number, 5 * number, TOY, TOY], RGB_8.format)
        user.gimp.call("choose_layers", image, [0, 1, 2])
        assert user.gimp.call("tell_window", f"learn-concept {image}")
        window = until(lambda: user.windows("^Learn a concept$"), "the window for learning")[-1]
        self.place(window, LEARNING)
        user.display.type("my-toy")
        user.display.key(*["Tab"] * 3)
        user.display.type("star")
        user.click_on("+ chosen layers")
        self.keep("learn", LEARNING)
        user.click_on("Learn")
        until(lambda: pressable(user.find("Stop", "Button")), "it learns", LONG)
        until(lambda: pictured(user, "how-it-looks"), "how the word looks", LONG)
        self.keep("learning", LEARNING)
        until(lambda: user.backend.client.concepts(), "the word", LONG)
        until(lambda: pictured(user, "test-sentence") and not user.jobs("running"), "it is drawn", LONG)
        user.display.move(LEARNING[0] + 20, LEARNING[3] + 60)
        self.keep("learned", LEARNING)
        user.display.key("Escape")

    def join(self, window: str) -> None:
        """The learned word is inserted, and takes the ball's place."""
        user, photo = self.user, picture_of("photo", SIDE)
        image = user.show(user.images.new(photo, RGB_8))
        self.place(window, (*WIDE[:3], CANVAS[3]))
        before = [photo]
        asked = (("insert", "a <my-toy>", BESIDE_IT), ("replace", "a photo of a <my-toy> on grass", BALL))
        for count, (operation, words, place) in enumerate(asked, start=2):
            user.images.select(image, oval(SIDE, *place))
            user.write(window, image, SHOWS, words, operation)
            user.enter()
            user.display.focus(window)
            user.until_layers(image, count)
            until(lambda: not user.jobs("running"), "the job has ended")
            before.append(user.images.seen(image, photo))
        user.display.move(WIDE[0] + 20, WIDE[3] + 60)
        self.keep("join", (0, 0, CANVAS[2] + BESIDE[2], CANVAS[3]), before=before[:-1])

    def queue(self, window: str, image: int) -> None:
        user = self.user
        for color in ("green", "yellow", "white"):
            user.apply(window, image, f"a photo of a {color} ball on grass")
        self.keep("queue", WIDE)
        until(lambda: not user.jobs("running") and not user.jobs("queued"), "all have ended", LONG)

    def stopped(self, window: str, image: int) -> None:
        """In the middle of a job, which then goes on."""
        user = self.user
        user.apply(window, image, SHOULD_SHOW)
        user.until_running()
        user.backend.kill()
        until(lambda: user.find(say("gone")), "that it has gone")
        self.keep("stopped", WIDE)
        user.backend.start()
        until(lambda: not user.jobs("running") and not user.jobs("queued"), "the job has ended", LONG)


def results(user: GimpUser) -> list[dict]:
    return [widget for widget in user.seen() if widget["type"] == "ToggleButton" and widget["name"]]


def pictured(user: GimpUser, key: str) -> bool:
    """Whether there is the picture that this text names."""
    return any(widget["name"] == say(key) and widget["picture"] is not None for widget in user.seen())


def take(made: Photographer) -> None:
    user = made.user
    image = user.open(SIDE)
    made.dialog()
    window = user.window()
    made.first_edit(window, image)
    made.result(window)
    made.narrow(window)
    made.models(window)
    made.learning(image)
    if made.wanted is None:
        made.place(window, WIDE)
        made.queue(window, image)
        made.stopped(window, image)
    made.join(window)


def take_bright(made: Photographer) -> None:
    """The narrow window in GIMP's bright theme."""
    image, window = made.user.open(SIDE), made.user.window()
    made.place(window, NARROW)
    made.edited(window, image)
    made.keep("bright", NARROW)


def take_chinese(made: Photographer) -> None:
    image, window = made.user.open(SIDE), made.user.window()
    made.place(window, WIDE)
    made.user.write(window, image, SHOWS, SHOULD_SHOW)
    made.keep("chinese", WIDE)


def take_dense(made: Photographer) -> None:
    """By keyboard alone: places on the screen are twice those in the window."""
    image, window = made.user.open(SIDE), made.user.window()
    made.user.display.place(window, 2 * CANVAS[2] - 800, 0, 2 * WIDE[2], 2 * WIDE[3])
    made.user.apply(window, image, SHOULD_SHOW)
    made.user.until_layers(image, 2)
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
            takes(Photographer(GimpUser(gimp, display, backend), folder, wanted))
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
