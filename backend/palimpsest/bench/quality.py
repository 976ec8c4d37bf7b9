"""How good is it? Photos reproduced and edited as a user would, held against what is known to be true.

Reconstruction: every inversion's PSNR at the guidance that editing uses. Edits: does the judge, which
shares nothing with the model, see what was asked for; is everything else as it was; how near is the
result to the picture that is drawn with the change. Every value is in the report, failures included.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.pictures import Tile, contact_sheet
from palimpsest.bench.quality_cases import KINDS, SEEDS, Case, make_case
from palimpsest.bench.quality_report import markdown, summary
from palimpsest.contract import EditRequest, InversionMethod, InversionSettings, InvertRequest, Request
from palimpsest.demo.judge import Judge, load_judge
from palimpsest.demo.judge_data import truth
from palimpsest.demo.judge_reading import NOTHING, Reading
from palimpsest.demo.rendering import render
from palimpsest.demo.scenes import sample_scene
from palimpsest.demo.things import Scene
from palimpsest.demo.wording import caption
from palimpsest.errors import RequestError
from palimpsest.jobs.events import Finished
from palimpsest.settings import read_settings
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.workplace import Places, Workplace, open_workplace
from palimpsest.tour.make_pictures import MARGIN

METHODS: tuple[InversionMethod, ...] = ("ddim", "null-text", "direct")
QUICK, WHOLE = (20, 8), (100, 50)  # scenes reproduced, edits of each kind
IDENTICAL = 100.0


@dataclass(frozen=True)
class Extent:
    """How much is measured; case ``i`` is the same whatever the extent."""

    scenes: int
    cases: int
    methods: tuple[InversionMethod, ...] = METHODS
    kinds: tuple[str, ...] = tuple(KINDS)
    margins: tuple[int, ...] = (MARGIN,)  # pixels by which a selection is wider than what changes


@dataclass(frozen=True)
class Outcome:
    """One edit, judged."""

    kind: str
    number: int
    shows: str
    should_show: str
    success: bool
    kept: bool | None  # every other thing is what it was; None if there is no other
    ceiling: bool  # success of the true picture after the autoencoder
    pixels_changed_outside: int
    outside_psnr: float | None  # before compositing: what the sampler itself kept
    truth_psnr: float  # inside the selection, against the true picture
    unet_evaluations: int
    seconds: float
    picture: NDArray[np.uint8] = field(repr=False, compare=False)


def run(options: argparse.Namespace) -> int:
    scenes, cases = QUICK if options.quick else WHOLE
    extent = Extent(
        scenes if options.scenes is None else options.scenes,
        cases if options.cases is None else options.cases,
        kinds=_kinds(options.kind),
        margins=tuple(options.margin) if options.margin else (MARGIN,),
    )
    with workplace(options.device) as place:
        report, outcomes = measure(place, options.model, extent)
    made = files(report, outcomes)
    for path, content in made.items():
        write_atomically(options.output / path, content)
    places = {name: str(options.output / name) for name in made}
    print(json.dumps({"files": places}) if options.json else "\n".join(places.values()))
    return 0


def _kinds(asked: Sequence[str]) -> tuple[str, ...]:
    """Those asked for, or all. Raises RequestError."""
    for kind in asked:
        if kind not in KINDS:
            raise RequestError(f"There is no kind of edit {kind!r}.", f"Known: {', '.join(KINDS)}.")
    return tuple(asked) if asked else tuple(KINDS)


@contextmanager
def workplace(device: str | None) -> Iterator[Workplace]:
    """One that remembers nothing from earlier runs and leaves nothing behind."""
    settings = read_settings()
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as scratch:
        names = ("images", "concepts", "inversions", "learning", "weights_memory")
        folders: dict[str, Any] = {name: str(Path(scratch) / name) for name in names}
        places = Places(models=str(settings.folders.models), **folders, paths_allowed=True, previews=False)
        yield open_workplace(settings.device if device is None else device, asdict(places))


def measure(place: Workplace, model: str, extent: Extent) -> tuple[dict[str, Any], list[Outcome]]:
    numbers = range(extent.cases)
    cases = [(kind, number, make_case(kind, number)) for kind in extent.kinds for number in numbers]
    loaded = place.models.get(model)
    judge = load_judge()
    rows = []
    for number in range(extent.scenes):
        say(f"reproducing photo {number + 1} of {extent.scenes}")
        rows.append(reproduce(place, model, number, extent.methods))
    outcomes = []
    for (kind, number, case), margin in product(cases, extent.margins):
        say(f"{kind} {number + 1} of {extent.cases}")
        outcomes.append(edited(place, model, judge, case, number, margin))
    about = {
        "model": model,
        "weights_hash": loaded.weights_hash,
        "guidance": loaded.guidance,
        "steps": loaded.steps,
        "device": str(place.device),
        "first_seed": SEEDS[0],
    }
    return summary(about, rows, outcomes), outcomes


def reproduce(
    place: Workplace, model: str, number: int, methods: tuple[InversionMethod, ...]
) -> dict[str, float]:
    """PSNR of a photo's reproduction by every method, and by the autoencoder alone."""
    scene = sample_scene(SEEDS[number], count=1 + number % 2, style="photo")
    image = place.images.put(encode(render(scene, place.models.get(model).native_size).image))
    found: dict[str, float] = {}
    for method in methods:
        request = InvertRequest(
            image, caption(scene), model=model, inversion=InversionSettings(method=method)
        )
        result = finish(place, request).result
        found[method] = result["reconstruction_psnr"]
        found[f"{method} against autoencoder"] = result["fidelity_psnr"]
        found["autoencoder"] = result["roundtrip_psnr"]
    return found


def edited(
    place: Workplace, model: str, judge: Judge, case: Case, number: int, margin: int = MARGIN
) -> Outcome:
    """Run one case as a user would who selects with this margin, and judge it."""
    size = place.models.get(model).native_size
    before, after = case.drawn(size)
    mask = case.selection(size, margin)
    request = EditRequest(
        image=place.images.put(encode(before.image)),
        operation=case.operation,
        source_prompt=case.shows,
        target_prompt=case.should_show,
        selection=None if mask is None else place.images.put(encode(mask)),
        pairs=case.pairs,
        model=model,
        feather=3,
    )
    finished = finish(place, request)
    picture = read_picture(place.images.get(finished.artifacts["composite"])).pixels
    through = autoencoded(place, model, after.image)
    largest = case.selection(size)
    inside = np.ones(picture.shape[:2], bool) if largest is None else largest > 0
    return Outcome(
        case.kind if mask is None or margin == MARGIN else f"{case.kind}, margin {margin}",
        number,
        case.shows,
        case.should_show,
        success=succeeds(judge, case, picture, size),
        kept=keeps(judge, case, picture, size),
        ceiling=succeeds(judge, case, through, size),
        pixels_changed_outside=finished.result["pixels_changed_outside"],
        outside_psnr=finished.result["outside_psnr"],
        truth_psnr=psnr(picture[inside], after.image[inside]),
        unet_evaluations=finished.result["unet_evaluations"],
        seconds=finished.result["seconds"],
        picture=np.concatenate([before.image, picture, after.image], axis=1),
    )


def succeeds(judge: Judge, case: Case, picture: NDArray[np.uint8], size: int) -> bool:
    """Does the judge see what was asked for?"""
    before, after = case.drawn(size)
    if case.thing is None:
        return judge.look([picture])[0].style.word == case.after.style
    if case.kind == "remove":
        return judge.read_regions(picture, [before.bodies[case.thing]])[0].kind.word == NOTHING
    reading = judge.read_regions(picture, [after.bodies[case.thing]])[0]
    return reads_as(reading, case.after, case.thing)


def keeps(judge: Judge, case: Case, picture: NDArray[np.uint8], size: int) -> bool | None:
    """Is every thing that wasn't to change what it was?"""
    changed = -1 if case.kind == "remove" else case.thing
    others = [i for i in range(len(case.after.placed)) if i != changed]
    if not others or case.thing is None:
        return None
    bodies = render(case.after, size).bodies
    readings = judge.read_regions(picture, [bodies[i] for i in others])
    return all(reads_as(reading, case.after, i) for reading, i in zip(readings, others, strict=True))


def reads_as(reading: Reading, scene: Scene, i: int) -> bool:
    expected = truth(scene.placed[i].thing, scene.style)
    return all(str(getattr(reading, head)) == word for head, word in expected.items())


def autoencoded(place: Workplace, model: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from palimpsest.bench.generate import round_trip

    return round_trip(place.models.get(model), [picture])[0]


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return IDENTICAL if error == 0 else round(10 * float(np.log10(255**2 / error)), 3)


def finish(place: Workplace, request: Request) -> Finished:
    *_, finished = place.do(request)
    assert isinstance(finished, Finished)
    return finished


def files(report: dict[str, Any], outcomes: list[Outcome]) -> dict[str, bytes]:
    """The report for programs, for people, and every edit as a picture: before, result, truth."""
    import io

    made = {
        "report.json": (json.dumps(report, indent=2) + "\n").encode(),
        "report.md": markdown(report).encode(),
    }
    if outcomes:
        tiles = [Tile(o.picture, f"{o.kind}: {o.should_show}", o.success) for o in outcomes]
        buffer = io.BytesIO()
        contact_sheet(tiles, columns=4, side=300).save(buffer, "PNG")
        made["edits.png"] = buffer.getvalue()
    return made


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
