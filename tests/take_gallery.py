"""Make the pictures of docs/gallery.md: its commands are run as they stand there, in an empty home.

    PYTHONPATH=backend:tests python tests/take_gallery.py [FOLDER]

FOLDER (default: gallery) must not be there yet; it gets the photos that the commands name and all that they
write. What is shown goes to docs/pictures. On two cores of a server it takes three to six minutes.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from first_hour.documented import ROOT, blocks
from palimpsest.demo.make_pictures import loosely
from palimpsest.demo.sheet import on_checkerboard, outlined
from palimpsest.scenes.concepts import CONCEPTS, STYLES_HELD_OUT, views
from palimpsest.scenes.edits import reclothe
from palimpsest.scenes.rendering import Rendering, render
from palimpsest.scenes.scene import TEST_SEEDS
from palimpsest.scenes.things import Animal, Person, Placed, Scene, Solid, Thing
from palimpsest.storage.pictures import write_png

Pixels = NDArray[np.uint8]
DOCUMENT = "docs/gallery.md"
PICTURES = ROOT / "docs" / "pictures"
SIDE, PANEL = 512, 256  # px of a photo, and of one that becomes a panel of the page
MARGIN = 6  # px by which a selection that is drawn by hand is wider
TILE, GAP = 384, 8  # px of what is shown
QUALITY = 85
PAPER = (255, 255, 255)

MAN = Person("light", "brown", "blue", "brown")
WOMAN = Person("tan", "black", "red", "white", "woman")
PANELS: dict[str, tuple[Thing, str, float, int]] = {  # on which ground, how large, the scene's seed
    "page-1": (MAN, "sand", 0.66, 22),
    "page-2": (Solid("ball", "blue", "striped"), "sand", 0.45, 23),
    "page-3": (Person("light", "brown", "black", "white"), "brick", 0.66, 24),
    "page-4": (Solid("mug", "white"), "wood", 0.45, 25),
}
FOUR = tuple(f"{number}.png" for number in (1, 2, 3, 4))

#: a picture of the document → what stands side by side in it: each time one file or four in a square, and
#: the selection that is drawn upon it
SHOWN: dict[str, tuple[tuple[tuple[str, ...], str | None], ...]] = {
    "gallery-friend": (
        (tuple(f"friend/{name}" for name in FOUR), None),
        (("group.png",), "group-insert-selection.png"),
        (("group-insert-composite.png",), None),
    ),
    "gallery-jacket": ((("jacket.png",), "shirt.png"), (("jacket-replace-composite.png",), None)),
    "gallery-passer-by": (
        (("street.png",), "street-remove-selection.png"),
        (("street-remove-composite.png",), None),
    ),
    "gallery-sticker": ((("cat.png",), "outline.png"), (("cat-restyle-layer.png",), None)),
    "gallery-page": (
        (tuple(f"poster/{name}" for name in FOUR), None),
        (tuple(f"{panel}.png" for panel in PANELS), None),
        (tuple(f"{panel}-restyle-composite.png" for panel in PANELS), None),
    ),
}


def photos() -> Iterator[tuple[str, Pixels]]:
    """The name and the pixels of every file that the commands are given."""
    for name, view in zip(FOUR, views(CONCEPTS["friend"], 4, TEST_SEEDS[5], SIDE), strict=True):
        yield f"friend/{name}", view.image
        yield f"friend-masks/{name}", white_where(view.bodies[0])
    group = [placed(MAN, 0.17, 0.90, 0.56, -0.3, 1), placed(WOMAN, 0.81, 0.88, 0.54, 0.4, 2)]
    yield "group.png", drawn(scene(group, "sand", 11)).image
    blond = placed(Person("light", "blond", "red", "black"), 0.5, 0.94, 0.70, 0.3, 8)
    before = scene([blond], "snow", 13)
    photo, other = drawn(before).image, drawn(reclothe(before, 0, shirt="green")).image
    yield "jacket.png", photo
    yield "shirt.png", loosely((photo != other).any(-1), MARGIN)
    street = [placed(WOMAN, 0.30, 0.92, 0.62, -0.2, 5), placed(MAN, 0.78, 0.80, 0.38, 0.6, 6)]
    yield "street.png", drawn(scene(street, "street", 12)).image
    cat = drawn(scene([placed(Animal("cat", "orange"), 0.5, 0.9, 0.62, 0.4, 31)], "snow", 31))
    yield "cat.png", cat.image
    yield "outline.png", white_where(cat.bodies[0])
    for name, view in zip(FOUR, views(STYLES_HELD_OUT["poster"], 4, TEST_SEEDS[6], SIDE), strict=True):
        yield f"poster/{name}", view.image
    for name, (thing, ground, size, seed) in PANELS.items():
        alone = scene([placed(thing, 0.5, 0.92, size, 0.3, seed)], ground, seed)
        yield f"{name}.png", drawn(alone, PANEL).image


def placed(thing: Thing, x: float, y: float, size: float, pose: float, seed: int) -> Placed:
    return Placed(thing, x, y, size, pose, seed)


def scene(things: list[Placed], ground: str, seed: int) -> Scene:
    return Scene(tuple(things), ground, "photo", TEST_SEEDS[seed])


def drawn(shown: Scene, side: int = SIDE) -> Rendering:
    return render(shown, side, masks=False)


def white_where(covered: NDArray[np.bool_]) -> Pixels:
    return np.where(covered, np.uint8(255), np.uint8(0))


def commands() -> list[str]:
    """Those of the document, in its order."""
    every = [command for block in blocks(DOCUMENT) for command in block.commands]
    return [command for command in every if command.startswith("palimpsest ")]


def run_commands(folder: Path) -> None:
    """As in a shell, for somebody who has nothing yet."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    with tempfile.TemporaryDirectory() as home:
        environment["PALIMPSEST_HOME"] = home
        for command in commands():
            print(f"$ {command}", flush=True)
            subprocess.run(command, shell=True, cwd=folder, env=environment, check=True)


def picture(folder: Path, name: str) -> Image.Image:
    """One of ``SHOWN``, from the files that are there."""
    tiles = [tile(folder, files, selection) for files, selection in SHOWN[name]]
    sheet = Image.new("RGB", (len(tiles) * (TILE + GAP) - GAP, TILE), PAPER)
    for column, shown in enumerate(tiles):
        sheet.paste(shown, (column * (TILE + GAP), 0))
    return sheet


def tile(folder: Path, files: tuple[str, ...], selection: str | None) -> Image.Image:
    if len(files) == 1:
        return read(folder / files[0], TILE, None if selection is None else folder / selection)
    side = (TILE - GAP) // 2
    square = Image.new("RGB", (TILE, TILE), PAPER)
    for number, file in enumerate(files):
        square.paste(read(folder / file, side), (number % 2 * (side + GAP), number // 2 * (side + GAP)))
    return square


def read(file: Path, side: int, selection: Path | None = None) -> Image.Image:
    """What is transparent is seen on a checkerboard."""
    shown: Any = Image.open(file).resize((side, side), Image.Resampling.LANCZOS)
    pixels = on_checkerboard(np.asarray(shown))
    if selection is not None:
        mask = Image.open(selection).convert("L").resize((side, side), Image.Resampling.NEAREST)
        pixels = outlined(pixels, np.asarray(mask))
    return Image.fromarray(pixels).convert("RGB")


def webp(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "WEBP", quality=QUALITY, method=6)
    return content.getvalue()


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, pixels in photos():
        (folder / name).parent.mkdir(exist_ok=True)
        write_png(folder / name, pixels)
    run_commands(folder)
    for name in SHOWN:
        (PICTURES / f"{name}.webp").write_bytes(webp(picture(folder, name)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "gallery"))
