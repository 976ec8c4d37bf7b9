"""Pictures of Palimpsest at work in the real GIMP, for the documents and to be looked at.

PYTHONPATH=backend:tests python tests/editors/take_gimp_pictures.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from editors.backend import REPOSITORY, Backend
from editors.box import Box, remove_folder, shared_folder
from editors.conftest import editors_root
from editors.display import Display
from editors.gimp import start
from editors.gimp_desk import BESIDE, CANVAS, SHOULD_SHOW, Desk, until

SIDE = 512  # px of the photo
DIALOG = (185, 20, 480, 350)  # over the sky, so that the ball is seen
NARROW = (CANVAS[2], 0, 260, 720)
PICTURES = REPOSITORY / "docs" / "pictures"


def take(desk: Desk, folder: Path) -> None:
    def keep(name: str, box: tuple[int, int, int, int]) -> None:
        kept(desk, folder, name, box)

    image = desk.open(SIDE)
    dialog = desk.choose("-replace", "^Replace$")
    desk.display.place(dialog, *DIALOG)
    desk.until_drawn()
    keep("dialog", CANVAS)
    desk.display.focus(dialog)
    desk.display.key("Escape")
    window = desk.window()
    desk.display.place(window, CANVAS[2], 0, BESIDE[2], CANVAS[3])
    edited(desk, window, image)
    keep("window", (0, 0, CANVAS[2] + BESIDE[2], CANVAS[3]))
    desk.display.place(window, *NARROW)
    desk.display.focus(window)
    desk.display.key("alt+5")
    desk.until_drawn()
    keep("emphasise", NARROW)


def take_bright(desk: Desk, folder: Path) -> None:
    """The narrow window in GIMP's bright theme."""
    image = desk.open(SIDE)
    window = desk.window()
    desk.display.place(window, *NARROW)
    edited(desk, window, image)
    kept(desk, folder, "bright", NARROW)


def edited(desk: Desk, window: str, image: int) -> None:
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)
    until(lambda: not desk.jobs("running"), "the job has ended")
    until(lambda: desk.find("New", "Button"), "the layer is in hand")
    until(lambda: any(widget["type"] == "ToggleButton" for widget in desk.seen()), "its result is listed")
    desk.until_drawn()


def kept(desk: Desk, folder: Path, name: str, box: tuple[int, int, int, int]) -> None:
    path = desk.display.screenshot(desk.darkroom.files / "screen.png")
    left, top, width, height = box
    picture = Image.open(path).convert("RGB").crop((left, top, left + width, top + height))
    picture.save(folder / f"gimp-{name}.png", optimize=True)
    print(name, flush=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = editors_root()
    home, display = shared_folder(root), Display()
    backend = Backend(home)
    try:
        backend.start()
        for theme, takes in (("", take), ("light", take_bright)):
            box = Box(root)
            gimp = start(box, home, display, theme=theme)
            try:
                takes(Desk(gimp, display, backend), folder)
            finally:
                gimp.quit()
                box.close()
    finally:
        backend.stop()
        display.close()
        remove_folder(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
