"""What is asked of the backend for the open picture, and what is done with the answers.

One errand at a time: read the picture, send the job, follow it, put its result into the document. At
every step the document may be closed, the backend may stop and the user may cancel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from .controls import Form
from .editor import CANVAS, Capture, DocumentFacts, Editor, LayerRecipe, LayerResult
from .geometry import Bounds
from .jobview import JobView
from .orders import (
    Made,
    attention_order,
    describe_order,
    edit_again_order,
    edit_order,
    layer_result,
    remember_order,
)
from .origins import Origin, Origins
from .protocol import ClientError, config_folder
from .results import Result
from .session import Host, Order, Session
from .status import SMALLER, Offer, Progress, progress_of
from .stream import Changed, ConceptsMade, Connected, JobEnded, ResultsMade, Stream
from .wording import say

REMEMBERED = "remembered"  # Outcome.code
UNSURE = 0.5  # confidence of a proposed sentence below which that is said

Finished = Callable[[JobView, Mapping[str, bytes]], None]


@dataclass(frozen=True)
class Outcome:
    """What came of the last errand. kind: "done", "note" or "error"."""

    kind: str
    text: str
    code: str = ""  # of an error; REMEMBERED where the text is the fidelity


@dataclass(frozen=True)
class Reopened:
    """A layer that the next edit changes."""

    recipe: LayerRecipe
    made: Made


class Errands(Host):
    """What happens is told through ``events``. ``folder``: where it is noted which picture is which."""

    def __init__(self, name: str, editor: Editor, folder: Optional[Path] = None) -> None:
        self.name = name  # of the editor: "krita", "gimp"
        self.origins = Origins(config_folder() if folder is None else folder, editor.session())
        self.progress: Optional[Progress] = None
        self.preview_picture: Optional[bytes] = None
        self.outcome: Optional[Outcome] = None
        self.fidelity = ""
        self.events = Stream()
        self.unattended_seconds: Optional[float] = None
        self._editor = editor
        self._finished: Optional[Finished] = None
        self._cancelling = False
        self._turn = 0  # raised by cancel: what was begun before is dropped

    def serve(self, session: Session) -> None:
        self.session = session

    @property
    def busy(self) -> bool:
        return self.progress is not None

    # What people ask for.

    def edit(self, facts: DocumentFacts, form: Form, within: Optional[Bounds]) -> None:
        """``within``: the part of the canvas that is needed."""

        def captured(capture: Capture) -> None:
            origin = self.origins.of(facts).of_capture(capture)
            order = edit_order(self.name, form, capture, origin)
            self.run(order, self._placing(facts, form, origin, capture.source))

        self.capture(facts, form.settings.source, within, captured)

    def edit_again(self, facts: DocumentFacts, form: Form, reopened: Reopened) -> None:
        """The layer's own pictures, with other words or settings."""
        made = reopened.made
        origin = self.origins.of(facts).placed(made.bounds, made.source, made.canvas)
        order = edit_again_order(self.name, form, made, origin)
        self.run(order, self._placing(facts, form, origin, made.source, reopened))

    def remember(self, facts: DocumentFacts, form: Form, within: Optional[Bounds]) -> None:
        def captured(capture: Capture) -> None:
            self.run(remember_order(self.name, form, capture), self._remembered)

        self.capture(facts, form.settings.source, within, captured)

    def describe(self, facts: DocumentFacts, form: Form, then: Callable[[str], None]) -> None:
        def told(view: JobView, _: Mapping[str, bytes]) -> None:
            then(view.result["caption"])
            sure = view.result["confidence"] >= UNSURE
            self.end(Outcome("note", say("described") if sure else say("unsure")))

        def captured(capture: Capture) -> None:
            self.run(describe_order(self.name, form, capture), told)

        self.capture(facts, form.settings.source, None, captured)

    def select_word(self, facts: DocumentFacts, form: Form, word: str) -> None:
        """The word's place in the whole picture becomes the selection."""

        def captured(capture: Capture) -> None:
            def found(view: JobView, pictures: Mapping[str, bytes]) -> None:
                text = say("selected-word", word=word, n=round(100 * view.result["selected"]))
                ended = self._guarded(lambda: self.end(Outcome("done", text)))
                self._stage("placing")
                mask = pictures["selection"]
                self._editor.select(facts.key, mask, capture.bounds, capture.canvas, ended, self._failed)

            self.run(attention_order(self.name, form, word, capture), found)

        self.capture(facts, form.settings.source, None, captured)

    def place(self, facts: DocumentFacts, result: Result) -> None:
        """A result of before into the document that is open now."""
        if not Bounds(0, 0, facts.width, facts.height).contains(result.bounds):
            text = say("result-too-large", width=result.bounds.width, height=result.bounds.height)
            self.end(Outcome("error", text))
            return
        self._begin("bringing")
        turn = self._turn

        def came(image: bytes) -> None:
            if turn == self._turn:
                layer = layer_result(result.job, image, result.report, result.origin, None, None)
                self._insert(facts, layer, [say("new-layer", layer=layer.name)])

        def gone(error: ClientError) -> None:
            if turn == self._turn:
                missing = error.code in ("image_not_found", "artifact_not_found")
                self.end(Outcome("error", say("result-gone") if missing else str(error), error.code))

        self.session.ask(lambda client: client.download(result.image), came, gone)

    def cancel(self) -> None:
        """What is only read or placed here is dropped at once; a job's end is asked for and waited for."""
        if not self.busy or self._cancelling:
            return
        job = self.session.state.job
        if self._finished is not None and job is not None and not job.ended:
            self._cancelling = True
            self.progress = progress_of(job, True)
            self.session.cancel()
            self.events.tell(Changed())
        else:
            self.end(Outcome("note", say("cancelled")))

    # The steps of an errand.

    def capture(
        self, facts: DocumentFacts, source: str, within: Optional[Bounds], then: Callable[[Capture], None]
    ) -> None:
        self._begin("reading")
        whole = within if source == CANVAS else None
        self._editor.address = self.session.state.address
        self._editor.capture(facts.key, source, whole, self._guarded(then), self._guarded(self._failed))

    def run(self, order: Order, finished: Finished) -> None:
        self._begin("sending", can_cancel=True)
        self._finished = finished
        self.session.submit(replace(order, unattended_seconds=self.unattended_seconds))

    def follow(self, id: str) -> None:
        """A job that was sent before a restart: its result is kept, its document may be gone."""

        def ended(view: JobView, _: Mapping[str, bytes]) -> None:
            if "placeholder" in view.result:  # a word was learned
                self.events.tell(ConceptsMade())
                self.end(Outcome("done", say("learned", name=view.result["name"])))
                return
            self.events.tell(ResultsMade())
            self.end(Outcome("done", say("found-again")))

        self._begin("sending")
        self._finished = ended
        self.session.follow(id)

    def end(self, outcome: Optional[Outcome]) -> None:
        """Nothing is under way any more."""
        self._turn += 1
        self._finished, self._cancelling = None, False
        self.progress, self.preview_picture, self.outcome = None, None, outcome
        self.events.tell(Changed())

    def _begin(self, stage: str, can_cancel: bool = True) -> None:
        self._turn += 1
        self.outcome, self.preview_picture = None, None
        self._stage(stage, can_cancel)

    def _stage(self, stage: str, can_cancel: bool = True) -> None:
        self.progress = Progress(say(stage), None, can_cancel)
        self.events.tell(Changed())

    def _guarded(self, call: Callable[..., None]) -> Callable[..., None]:
        """``call``, unless something else has begun or this was cancelled meanwhile."""
        turn = self._turn

        def when_wanted(*values: Any) -> None:
            if turn == self._turn:
                call(*values)

        return when_wanted

    def _failed(self, reason: str) -> None:
        self.end(Outcome("error", reason))

    # What the session tells.

    def show(self, state: Any) -> None:
        view = state.job
        if self._finished is not None and view is not None:
            if view.state in ("failed", "cancelled"):
                self.end(outcome_of(view))
                self.events.tell(JobEnded(view))
                return
            if view.state != "finished":
                self.progress = progress_of(view, self._cancelling)
        self.events.tell(Changed())

    def preview(self, picture: bytes) -> None:
        self.preview_picture = picture
        self.events.tell(Changed())

    def insert(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(view, pictures)
            self.events.tell(JobEnded(view))

    def connected(self) -> None:
        self.events.tell(Connected())

    # What is done with answers.

    def _placing(
        self,
        facts: DocumentFacts,
        form: Form,
        origin: Origin,
        source: str,
        reopened: Optional[Reopened] = None,
    ) -> Finished:
        selection = facts.selection if reopened is None else reopened.made.content
        selected = selection is not None if reopened is None else reopened.made.selection is not None

        def place(view: JobView, pictures: Mapping[str, bytes]) -> None:
            self.fidelity = fidelity_text(view.result)
            layer = layer_result(view.id, pictures["layer"], view.result, origin, selection, form)
            layer, key = replace(layer, source=source), "new-layer"
            if reopened is not None:
                layer, key = replace(layer, updates=reopened.recipe.layer), "layer-updated"
            self.events.tell(ResultsMade())
            self._insert(facts, layer, told_of(say(key, layer=layer.name), view.result, selected))

        return place

    def _insert(self, facts: DocumentFacts, layer: LayerResult, told: list) -> None:
        self._stage("placing", can_cancel=False)

        def inserted(_: str) -> None:
            self.end(Outcome("done", " ".join(told)))

        def refused(reason: str) -> None:
            self.end(Outcome("error", say("not-placed", reason=reason)))

        self._editor.insert(facts.key, layer, self._guarded(inserted), self._guarded(refused))

    def _remembered(self, view: JobView, _: Mapping[str, bytes]) -> None:
        self.fidelity = fidelity_text(view.result)
        self.end(Outcome("done", self.fidelity, REMEMBERED))


def outcome_of(view: JobView) -> Outcome:
    """Of a job that failed or was cancelled."""
    if view.state == "cancelled":
        return Outcome("note", say("cancelled"))
    code = str(view.error.get("code", ""))
    texts = {"out_of_memory": view.error.get("message"), "image_not_found": say("source-gone")}
    return Outcome("error", texts.get(code) or view.text(), code)


def told_of(first: str, result: Mapping[str, Any], selected: bool) -> list:
    """New layer “cat → my-toy”. 0 pixels changed outside the selection."""
    told = [first]
    if selected and "pixels_changed_outside" in result:
        grown = result.get("grown", 0)
        n = result["pixels_changed_outside"]
        told.append(say("outside-grown", n=n, grown=grown) if grown > 0 else say("outside", n=n))
    if len(result.get("pixels_changed_inside", ())) > 1:
        told.append(say("more-variations"))
    return told


def fidelity_text(result: Mapping[str, Any]) -> str:
    decibels = result.get("reconstruction_psnr")
    return "" if decibels is None else say("remembered", n=round(decibels))


def offer_after(outcome: Outcome, size: int) -> tuple:
    """The button that helps after an error."""
    if outcome.code == "out_of_memory":
        return (Offer(SMALLER, say("smaller", size=size)),)
    return ()
