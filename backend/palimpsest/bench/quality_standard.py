"""What the edits of one case are held against: its drawn truth, and what the judge makes of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.generate import round_trip
from palimpsest.bench.quality_cases import Case
from palimpsest.bench.quality_judging import keeps, strangeness, succeeds
from palimpsest.bench.quality_mirror import reflects
from palimpsest.bench.quality_report import PHOTO, TRUTH, Outcome
from palimpsest.bench.quality_store import Edited
from palimpsest.builtin.judge import Judge
from palimpsest.core.model import DiffusionModel
from palimpsest.demo.make_pictures import MARGIN

IDENTICAL = 100.0
Picture = NDArray[np.uint8]  # (height, width, 3)
UNTOUCHED = Edited(pixels_changed_outside=0, outside_psnr=None, seconds=0.0, evaluations=0, backward=0)


@dataclass(frozen=True, eq=False)
class Standard:
    """One case, drawn before and after."""

    judge: Judge
    case: Case
    number: int
    margin: int
    before: Picture
    after: Picture
    through: Picture  # ``after``, encoded and decoded: no edit can be expected to come nearer
    region: NDArray[np.bool_] | None  # what the edit is judged in; None: all of it
    ceiling: bool  # joint, of ``through``
    reflected: bool | None  # the same of its mirror
    distance: float | None  # the same of its distance to true views

    @property
    def kind(self) -> str:
        """As it stands in reports."""
        kind = self.case.kind
        return kind if self.case.thing is None or self.margin == MARGIN else f"{kind}, margin {self.margin}"

    def judged(self, method: str, picture: Picture, made: Edited) -> Outcome:
        judge, case, region = self.judge, self.case, self.region
        inside = np.ones(picture.shape[:2], bool) if region is None else region
        success, kept = succeeds(judge, case, picture, region), keeps(judge, case, picture)
        reflected, whole = reflects(case, picture), made.pixels_changed_outside == 0
        return Outcome(
            method,
            self.kind,
            self.number,
            case.shows,
            case.should_show,
            success=success,
            kept=kept,
            reflected=reflected,
            joint=success and kept is not False and reflected is not False and whole,
            ceiling=self.ceiling,
            reflected_ceiling=self.reflected,
            distance=strangeness(judge, case, picture, region),
            ceiling_distance=self.distance,
            pixels_changed_outside=made.pixels_changed_outside,
            outside_psnr=made.outside_psnr,
            truth_psnr=psnr(picture[inside], self.after[inside]),
            photo_psnr=psnr(self.before[inside], self.after[inside]),
            unet_evaluations=made.evaluations,
            backward_evaluations=made.backward,
            seconds=made.seconds,
            picture=np.concatenate([self.before, picture, self.after], axis=1),
        )

    def sanity(self) -> list[Outcome]:
        """Of what needs no edit: the photo itself, and the true picture through the autoencoder."""
        return [self.judged(PHOTO, self.before, UNTOUCHED), self.judged(TRUTH, self.through, UNTOUCHED)]


def standard_of(model: DiffusionModel, judge: Judge, case: Case, number: int, margin: int) -> Standard:
    size = model.native_size
    before, after = (drawn.image for drawn in case.drawn(size))
    largest = case.selection(size)
    region = None if largest is None else largest > 0
    through = autoencoded(model, after)
    reflected, kept = reflects(case, through), keeps(judge, case, through)
    possible = succeeds(judge, case, through, region) and kept is not False
    return Standard(
        judge,
        case,
        number,
        margin,
        before,
        after,
        through,
        region,
        ceiling=possible and reflected is not False,
        reflected=reflected,
        distance=strangeness(judge, case, through, region),
    )


def autoencoded(model: DiffusionModel, picture: Picture) -> Picture:
    return round_trip(model, [picture])[0]


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return IDENTICAL if error == 0 else round(10 * float(np.log10(255**2 / error)), 3)
