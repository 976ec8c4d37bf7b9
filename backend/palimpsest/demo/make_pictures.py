"""Draw the demo's pictures: ``python -m palimpsest.demo.make_pictures``.

Four views of a concept that the built-in model was never trained on, each with a mask of the thing alone
(edits begin from what is inside it, so neither shadow nor ground may be), and a photo from the range of seeds
that is kept for tests, with the selections a person would draw by hand around what is to change.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from palimpsest.demo.script import CONCEPT_DRAWN, EXAMPLES, MASKS, PHOTO, PICTURES, PLACE, SELECTION
from palimpsest.scenes.concepts import CONCEPTS, views
from palimpsest.scenes.scene import TEST_SEEDS, Placed, Scene, Solid, render
from palimpsest.storage.pictures import write_png

SIDE = 128  # the built-in model's native size
MARGIN = 5  # pixels by which a selection is wider than what it selects
SEED = TEST_SEEDS[77]
SCENE = Scene(
    (Placed(Solid("ball", "red", "plain"), x=0.40, y=0.86, size=0.42, pose=0.0, seed=3),),
    "grass",
    "photo",
    SEED,
)
NEW_THING = Placed(Solid("cube", "blue", "plain"), x=0.79, y=0.80, size=0.30, pose=0.0, seed=4)


def draw() -> dict[str, NDArray[np.uint8]]:
    """File name → pixels."""
    shown = views(CONCEPTS[CONCEPT_DRAWN], len(EXAMPLES), SEED, SIDE)
    pictures = dict(zip(EXAMPLES, (view.image for view in shown), strict=True))
    pictures |= dict(zip(MASKS, (loosely(view.bodies[0], margin=0) for view in shown), strict=True))
    photo = render(SCENE, SIDE)
    place = render(Scene((NEW_THING,), "grass", "photo", SEED), SIDE)
    return {
        **pictures,
        PHOTO: photo.image,
        SELECTION: loosely(photo.masks[0]),
        PLACE: loosely(place.masks[0] & ~photo.masks[0]),
    }


def loosely(covered: NDArray[np.bool_], margin: int = MARGIN) -> NDArray[np.uint8]:
    """Selected as by hand, with a margin and without holes: 0 or 255, (height, width)."""
    reach = np.arange(-margin, margin + 1)
    rows, columns = np.nonzero(covered)
    wide = np.zeros_like(covered)
    for dy in reach:
        for dx in reach[np.hypot(reach, dy) <= margin]:
            inside = np.clip(rows + dy, 0, len(covered) - 1), np.clip(columns + dx, 0, covered.shape[1] - 1)
            wide[inside] = True
    return np.where(wide, 255, 0).astype(np.uint8)


def main(folder: Path = PICTURES) -> None:
    for name, pixels in draw().items():
        write_png(folder / name, pixels)


if __name__ == "__main__":
    main()
