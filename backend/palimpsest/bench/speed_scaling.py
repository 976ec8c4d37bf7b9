"""How the seconds of a hot edit grow: with the canvas around the selection, pictures at once, and steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from palimpsest.bench.quality_cases import make_case
from palimpsest.bench.speed_rows import Row, Run, Stopwatch, row_of
from palimpsest.contract import EditRequest, InversionSettings
from palimpsest.storage.images import ImageStore
from palimpsest.storage.png import encode

SELECTED = 512  # pixels of the canvas, in its middle
CANVAS, PICTURES, STEPS = "canvas side, pixels", "pictures at once", "steps"


def on_canvases(images: ImageStore, request: EditRequest, sides: Sequence[int]) -> dict[int, EditRequest]:
    """The request on square canvases, with the same pixels around the selection on all of them where a side
    is an even number of ``SELECTED``; the result is as large as the region."""
    scene = make_case("replace", 0).drawn(SELECTED)[0].image
    found: dict[int, EditRequest] = {}
    for side in sides:
        many, begin = -(-side // SELECTED), (side - SELECTED) // 2
        canvas = np.tile(scene, (many, many, 1))[:side, :side]
        selection = np.zeros((side, side), np.uint8)
        selection[begin : begin + SELECTED, begin : begin + SELECTED] = 255
        image, selected = images.put(encode(canvas)), images.put(encode(selection))
        found[side] = replace(request, image=image, selection=selected, extent="region")
    return found


def with_pictures(request: EditRequest, counts: Sequence[int]) -> dict[int, EditRequest]:
    return {count: replace(request, variations=count) for count in counts}


def with_steps(request: EditRequest, counts: Sequence[int]) -> dict[int, EditRequest]:
    method = request.inversion.method
    return {count: replace(request, inversion=InversionSettings(method, count)) for count in counts}


def series(watch: Stopwatch, name: str, requests: Mapping[int, EditRequest], rounds: int) -> Iterator[Row]:
    """In each round every request once, hot: right after the same one with another seed, with which it shares
    the photo and no step."""
    runs: dict[int, list[Run]] = {at: [] for at in requests}
    for number in range(rounds):
        for at, request in requests.items():
            watch.job(replace(request, seed=2 * number + 1))
            runs[at].append(watch.job(replace(request, seed=2 * number + 2)))
    first = next(iter(runs.values()))
    for at, made in runs.items():
        pairs = zip(made, first, strict=True)
        times = median(run.metered.seconds / other.metered.seconds for run, other in pairs)
        yield replace(row_of(f"{name}: {at}, hot", made), series=name, at=at, times=round(times, 4))
