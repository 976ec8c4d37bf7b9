"""Is it in the mirror, too? The judge can't read the pale image in a pane, so the pane is compared.

It is compared with drawn panes, in which the new thing is reflected, the old one still is, nothing is, or the
new thing is seen from the other side. The measure is that of ``quality_identity``: mean and spread of colours
around each point, here over all that differs between these panes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.bench.quality_cases import Case
from palimpsest.bench.quality_identity import POSES, Features, features, weights
from palimpsest.scenes.edits import remove
from palimpsest.scenes.mirrors import paint_mirror
from palimpsest.scenes.rendering import render
from palimpsest.scenes.shapes import frame_around
from palimpsest.scenes.things import Mirror, Scene

LARGEST = 0.045
"""The largest distance at which it is still this thing's image, chosen on development scenes."""
TOLD_APART = 0.04
"""The least distance of a thing's image to that of the thing turned round, for the side to count."""


@dataclass(frozen=True)
class Reflection:
    """Distances of what a pane shows to what it might show, 0 = this very pane."""

    new: float  # the nearest of the new thing's poses that face as the drawn one does
    old: float
    empty: float
    turned: float | None  # the new thing facing the other way; None where that can't be told

    @property
    def right(self) -> bool:
        """Whether it is the new thing's image."""
        others = [self.old, self.empty, *([] if self.turned is None else [self.turned])]
        return self.new <= LARGEST and all(self.new < other for other in others)


def reflects(case: Case, picture: Picture) -> bool | None:
    """Whether the mirror shows the case's thing as it is now, and from the right side; None without one."""
    found = reflection(case, picture)
    return None if found is None else found.right


def reflection(case: Case, picture: Picture) -> Reflection | None:
    """What the mirror beside the case's thing shows; None where there is no mirror."""
    i = case.thing
    if i is None or not any(isinstance(placed.thing, Mirror) for placed in case.after.placed):
        return None
    size = len(picture)

    def shown(scene: Scene) -> Picture:
        return render(scene, size, masks=False).image

    def posed(pose: float) -> Picture:
        placed = list(case.after.placed)
        placed[i] = replace(placed[i], pose=pose)
        return shown(replace(case.after, placed=tuple(placed)))

    own = case.after.placed[i].pose
    same = [shown(case.after), *(posed(pose) for pose in POSES if pose * own > 0)]
    turned = [posed(-own), *(posed(pose) for pose in POSES if pose * own < 0)]
    old, empty = shown(case.before), shown(remove(case.after, i))
    weight = _weight([*same, *turned, old], empty, pane_of(case.after, size))

    def gap(a: Features, b: Picture) -> float:
        return round(float((((a - features(b)) ** 2).mean(-1) * weight).sum()) ** 0.5, 4)

    seen = features(picture)
    apart = min(gap(features(same[0]), view) for view in turned) >= TOLD_APART
    return Reflection(
        min(gap(seen, view) for view in same),
        gap(seen, old),
        gap(seen, empty),
        min(gap(seen, view) for view in turned) if apart else None,
    )


def pane_of(scene: Scene, size: int) -> NDArray[np.bool_]:
    """(size, size): the glass of the scene's mirror."""
    mirror = next(placed for placed in scene.placed if isinstance(placed.thing, Mirror))
    frame = frame_around(mirror, size)
    pane = np.zeros((size, size), np.bool_)
    pane[frame.rows, frame.columns] = paint_mirror(frame).pane > 0.5
    return pane


def _weight(views: Sequence[Picture], empty: Picture, pane: NDArray[np.bool_]) -> Features:
    """Where in the pane something can be reflected, with a seam around it; scaled to sum to 1."""
    shown = np.any([(view != empty).any(-1) for view in views], axis=0)
    within = weights(shown & pane) * pane
    return within / within.sum()
