"""A small picture of what Apply would make, renewed by itself while words and sliders are changed.

It is a draft (``EditRequest.draft``) of a photo that the backend remembers, made from pictures that the
backend has: those of the live layer, or those that were captured of what is seen (remembered_photos.py).
Nothing is read from the document, and a draft is never in the way: it begins after a short quiet, and a
further change, Apply and whatever else is under way end it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Set, Tuple

from ..fields.controls import Form, edit_fields, growth
from ..http.job_view import JobView
from ..http.protocol import UnreachableError
from ..http.session import Session
from ..text.wording import say
from .background_job import TAKEN_FOR_GONE, BackgroundJob
from .remembered_photos import SourceImages
from .stream import BackendChanged, Event, JobEnded, LayerPlaced, PhotoRemembered
from .structure_strip import PLACES, Tile, at, has_strip, nearest, pictures_in, strip_of, tiles

QUIET_SECONDS = 0.3  # without a change, before a draft begins
RETRY_SECONDS = 2.0  # after one that failed
SLOW_SECONDS = 20.0  # of an edit: where it takes longer, there are no drafts
NOT_THERE = ("not_remembered", "image_not_found")  # no other words or sliders would help
MOST_TAKEN = 3  # times in a row that the backend may take us for gone before it isn't asked again

Request = Dict[str, Any]


@dataclass(frozen=True)
class LivePreview:
    """What is shown of it."""

    picture: Optional[bytes] = None  # PNG
    text: str = ""


class PreviewInputs(NamedTuple):
    """What is the case, each time it is looked at."""

    form: Form
    base: Optional[SourceImages]  # RememberedPhotos.base
    cannot: str  # why Apply isn't possible
    busy: bool  # something is under way or waits
    wanted: bool  # the setting


class PreviewJobs:
    """``shown`` and ``strip`` are what the windows draw; ``changed`` is called when they are others."""

    def __init__(self, session: Session, changed: Callable[[], None], clock: Callable[[], float]) -> None:
        self.shown = LivePreview()
        self.strip: Tuple[Tile, ...] = ()
        self._session, self._changed, self._clock = session, changed, clock
        self._form = Form()
        self._wanted: Optional[Request] = None
        self._since = 0.0  # when that was last another, or may be tried again
        self._pictured: Optional[Request] = None  # what the picture is of
        self._applied: Optional[Form] = None  # what the canvas shows already
        self._job: Optional[BackgroundJob] = None
        self._drafted: Optional[Request] = None  # what the job is for
        self._taken = 0  # times in a row that the backend took us for gone
        self._refused: Set[str] = set()  # what isn't asked for again: it is not remembered, or failed
        self._slow: Set[str] = set()  # models that take too long
        self._scrubbed = False  # the last change was of the strip's slider
        self._strip: Tuple[Optional[Request], Tuple[bytes, ...]] = None, ()  # what was asked for, and came
        self._no_strip: Set[str] = set()  # models that a whole strip is too much for

    def look(self, now: PreviewInputs) -> None:
        """Ten times a second."""
        base = now.base if now.wanted else None
        model = now.form.settings.model
        if base is None or model in self._slow:
            self.close()
            return
        self._turn_to(now.form, None if now.cannot else draft_of(now.form, base))
        if now.busy:
            self.stop()
        elif self._job is not None:
            self._watch(self._job, model)
        elif self._clock() - self._since >= QUIET_SECONDS:
            self._renew()
        self._say()

    def close(self) -> None:
        """Nothing is shown and nothing is drafted any more."""
        self.stop()
        self._wanted = self._pictured = None
        self._scrubbed = False
        self._put(LivePreview(), ())

    def stop(self) -> None:
        """No draft may be in the way of what is applied. What is shown stays until the canvas has it."""
        job, self._job = self._job, None
        if job is not None:
            job.stop()

    def reopened(self, form: Form) -> None:
        """The canvas shows the edit that is filled in now."""
        self.close()
        self._applied = form

    def on_event(self, event: Event) -> None:
        if isinstance(event, LayerPlaced):
            self._applied = event.form
            self._refused.clear()
            self.close()
        elif isinstance(event, PhotoRemembered):
            self._refused.clear()
            self._applied = None
        elif isinstance(event, BackendChanged):
            self.close()
            self._refused, self._slow, self._no_strip = set(), set(), set()
            self._strip, self._applied = (None, ()), None
        elif isinstance(event, JobEnded):
            self._judge(event.view)

    def _turn_to(self, form: Form, wanted: Optional[Request]) -> None:
        """A strip's draft goes on while its slider is moved: it is made for that."""
        before, self._form = self._applied if self._wanted is None else self._form, form
        if wanted == self._wanted:
            return
        if before is not None and form != before:
            self._scrubbed = before == at(form, before.settings.structure)
        self._wanted, self._since, self._taken = wanted, self._clock(), 0
        if self._drafted is None or self._drafted != self._strip_wanted():
            self.stop()
        if self._scrubbed:
            self._run_through()

    def _strip_wanted(self) -> Optional[Request]:
        possible = has_strip(self._form) and self._form.settings.model not in self._no_strip
        return strip_of(self._wanted, self._form) if self._wanted is not None and possible else None

    def _pictures(self) -> Tuple[bytes, ...]:
        """Of the strip, if they are of what is filled in now."""
        asked, pictures = self._strip
        return pictures if asked is not None and asked == self._strip_wanted() else ()

    def _run_through(self) -> None:
        """The strip's nearest picture, until there is the one for where the slider stands."""
        pictures, value = self._pictures(), self._form.settings.structure
        if pictures and self._wanted != self._pictured:
            place = nearest(value)
            self._pictured = self._wanted if PLACES[place] == value else None
            self._put(LivePreview(pictures[place]), self.strip)

    def _renew(self) -> None:
        wanted, strip = self._wanted, self._strip_wanted()
        if wanted is None:
            self._pictured = None
            self._put(LivePreview(), self.strip)
        elif wanted != self._pictured and not self._known_by_canvas():
            if self._may(wanted):
                self._start(wanted, self._have_picture)
            else:
                self._pictured = None
                self._put(LivePreview(), self.strip)
        elif self._scrubbed and strip is not None and not self._pictures() and self._may(strip):
            self._start(strip, self._have_strip)

    def _may(self, request: Request) -> bool:
        return {needs(self._form, request), written(request)}.isdisjoint(self._refused)

    def _known_by_canvas(self) -> bool:
        """Once a preview is shown it follows every change, back to what the canvas shows, too."""
        shows = self._applied
        return self.shown.picture is None and shows is not None and fields_of(self._form) == fields_of(shows)

    def _start(self, request: Request, have: Callable[[Request, Mapping[str, bytes]], None]) -> None:
        form = self._form

        def done(pictures: Mapping[str, bytes]) -> None:
            self._job, self._taken = None, 0
            have(request, pictures)

        def failed(code: str) -> None:
            self._job, self._since = None, self._clock() + RETRY_SECONDS
            self._taken = self._taken + 1 if code == TAKEN_FOR_GONE else 0
            again = code == UnreachableError.code or 0 < self._taken < MOST_TAKEN
            if not again:
                self._refused.add(needs(form, request) if code in NOT_THERE else written(request))
            if code == "out_of_memory" and "windows" in request:
                self._no_strip.add(request["model"])

        self._drafted = request
        self._job = BackgroundJob(self._session, request, done, failed, self._clock)

    def _have_picture(self, request: Request, pictures: Mapping[str, bytes]) -> None:
        self._pictured = request
        self._put(LivePreview(pictures["draft"]), self.strip)

    def _have_strip(self, request: Request, pictures: Mapping[str, bytes]) -> None:
        self._strip = request, pictures_in(pictures)
        self._run_through()

    def _watch(self, job: BackgroundJob, model: str) -> None:
        if job.seconds > SLOW_SECONDS:
            (self._no_strip if "windows" in (self._drafted or {}) else self._slow).add(model)
            self.stop()

    def _judge(self, view: JobView) -> None:
        """By an edit that ended, whether drafts are worth their time: by one that was like them, without
        inversion."""
        if "recipe" in view.result and view.result.get("remembered"):
            model = view.result["recipe"]["request"]["model"]
            slow = view.result.get("seconds", 0) > SLOW_SECONDS
            (self._slow.add if slow else self._slow.discard)(model)

    def _say(self) -> None:
        """What the picture is, and the strip beside it."""
        shown, key = self.shown, "live-preview" if self._wanted == self._pictured else "live-preview-soon"
        if shown.picture is not None:
            shown = replace(shown, text=say(key))
        there = has_strip(self._form) and self._form.settings.model not in self._no_strip
        self._put(shown, tiles(self._form, self._pictures()) if there else ())

    def _put(self, shown: LivePreview, strip: Tuple[Tile, ...]) -> None:
        if (shown, strip) != (self.shown, self.strip):
            self.shown, self.strip = shown, strip
            self._changed()


def fields_of(form: Form) -> Request:
    """What an edit of one variation would be, without its pictures."""
    return edit_fields(replace(form, settings=replace(form.settings, variations=1)))


def draft_of(form: Form, base: SourceImages) -> Request:
    return {**fields_of(form), "image": base.image, "selection": base.selection, "draft": True}


def needs(form: Form, request: Request) -> str:
    """All that has a bearing on whether the photo is remembered."""
    view = ("image", "selection", "source_prompt", "model", "inversion", "context")
    grown = growth(form.operation, form.settings)  # the region may be another one then
    return written({**{name: request[name] for name in view}, "grow": grown})


def written(request: Request) -> str:
    return json.dumps(request, sort_keys=True)
