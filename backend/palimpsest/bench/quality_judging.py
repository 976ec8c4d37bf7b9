"""Is there what was asked for, and is everything else as it was?

The judge answers both, and a distance to true views says once more whether it is this very thing. What is
inserted counts where the judge finds it inside the selection: the model is free to put it there as it likes,
and a good cube beside the drawn one is no failure. What is replaced stands where it stood, so it is read at
its true body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.bench.quality_cases import Case
from palimpsest.bench.quality_identity import distance, place_at
from palimpsest.builtin.judge import Judge
from palimpsest.builtin.judge_answers import NOTHING, Reading
from palimpsest.scenes.rendering import render
from palimpsest.scenes.things import Scene
from palimpsest.scenes.truth import Box, readable

Region = NDArray[np.bool_]  # (height, width)
MOSTLY = 0.5  # of a thing's box: what lies that far inside a selection is the selection's


def succeeds(judge: Judge, case: Case, picture: Picture, region: Region | None) -> bool:
    """Does the judge see what was asked for? ``region``: what was selected; None = everything."""
    size = len(picture)
    if case.thing is None:
        return judge.look([picture])[0].style.word == case.after.style
    if case.removes:
        body = render(case.before, size).bodies[case.thing]
        gone = judge.read_regions(picture, [body])[0].kind.word == NOTHING
        return gone and not _anything_inside(judge, picture, region)
    if case.adds:
        assert region is not None, "only into what is selected something is added"
        return found_inside(judge, case, picture, region) is not None
    reading = judge.read_regions(picture, [render(case.after, size).bodies[case.thing]])[0]
    return reads_as(reading, case.after, case.thing)


def found_inside(judge: Judge, case: Case, picture: Picture, region: Region) -> Box | None:
    """Where in ``region`` the judge finds the case's thing by itself."""
    assert case.thing is not None
    for found in judge.look([picture])[0].found:
        if reads_as(found.reading, case.after, case.thing) and lies_in(found.box, region):
            return found.box
    return None


def _anything_inside(judge: Judge, picture: Picture, region: Region | None) -> bool:
    """Whether the judge finds something in ``region``: what was removed may have become something else."""
    assert region is not None, "only what is selected is removed"
    return any(lies_in(found.box, region) for found in judge.look([picture])[0].found)


def strangeness(judge: Judge, case: Case, picture: Picture, region: Region | None) -> float | None:
    """Distance of what stands there to true views of the thing asked for; None where none is asked for."""
    if case.removes or case.thing is None:
        return None
    box = None
    if case.adds and region is not None:
        box = found_inside(judge, case, picture, region)
    if box is None:
        return distance(picture, case.after, case.thing)
    body = render(case.after, len(picture)).bodies[case.thing]
    place = place_at(box, case.after.placed[case.thing], body)
    return distance(picture, case.after, case.thing, place)


def lies_in(box: Box, region: Region) -> bool:
    left, top, right, bottom = box
    return float(region[top:bottom, left:right].mean()) >= MOSTLY


def keeps(judge: Judge, case: Case, picture: Picture) -> bool | None:
    """Is every thing that wasn't to change what it was? None where there is no other.

    In another style every thing has to be of its kind: colours and textures go with the style.
    """
    changed = None if case.removes else case.thing
    others = [i for i in range(len(case.after.placed)) if i != changed]
    if not others:
        return None
    bodies = render(case.after, len(picture)).bodies
    readings = judge.read_regions(picture, [bodies[i] for i in others])
    heads = ("kind",) if case.thing is None else None
    return all(reads_as(reading, case.after, i, heads) for reading, i in zip(readings, others, strict=True))


def reads_as(reading: Reading, scene: Scene, i: int, heads: tuple[str, ...] | None = None) -> bool:
    """Whether thing ``i`` of ``scene`` was read; ``heads``: by these questions alone."""
    expected = readable(scene.placed[i].thing, scene.style)
    asked = expected if heads is None else {head: expected[head] for head in heads}
    return all(str(getattr(reading, head)) == word for head, word in asked.items())
