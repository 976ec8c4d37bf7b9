"""What is asked of the backend for the open picture, and what is done with the answers.

How jobs take turns is in job_runner.py.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from ..editor.editor import Capture, DocumentFacts, LayerResult
from ..editor.geometry import Bounds
from ..fields.controls import Form, edit_fields
from ..http.job_view import JobView
from ..http.protocol import ClientError
from ..http.submission import Submission
from ..text.wording import in_a_row, notices_text, original_notices, say
from .job_runner import JobRunner
from .library import OpenJob
from .live_layer import LiveLayer
from .origins import Origin
from .outcome import NOT_PLACED, REMEMBERED, About, Outcome, confidence_text, fidelity_text, placed_sentences
from .queue import Finished
from .requests import (
    Crop,
    all_of_it,
    attention_submission,
    describe_submission,
    edit_submission,
    invert_submission,
    layer_name,
    layer_result,
    renewal_submission,
)
from .results import Result
from .stream import Changed, ConceptsMade, Event, LayerPlaced, PhotoRemembered, ResultKept, ResultsMade


class PanelJobs(JobRunner):
    """What happens is told through ``events``."""

    # What people ask for.

    def edit(
        self, facts: DocumentFacts, form: Form, crop: Crop, live_layer: Optional[LiveLayer] = None
    ) -> None:
        """A new layer, or ``live_layer`` renewed: now, or in its turn when something is under way.

        The picture is read at once or, while the editor reads another, right after that, and as it is then;
        a layer's own pictures are on the backend.
        """
        if self.busy:
            self._enqueue(facts, form, crop, live_layer)
            return
        if live_layer is not None:
            self.run(*self._of_live_layer(facts, form, live_layer))
            return

        def captured(now: DocumentFacts, capture: Capture) -> None:
            self.run(*self._of_capture(now, form, capture))

        self.capture(facts, form.settings.source, crop, captured)

    def _enqueue(self, facts: DocumentFacts, form: Form, crop: Crop, live_layer: Optional[LiveLayer]) -> None:
        queued = self._queue.add(layer_name(edit_fields(form)))

        def captured(now: DocumentFacts, capture: Capture) -> None:
            self._ready(queued, *self._of_capture(now, form, capture))

        if live_layer is not None:
            self._ready(queued, *self._of_live_layer(facts, form, live_layer))
        else:
            failed = lambda reason: self._not_ready(queued, reason)  # noqa: E731
            wanted = lambda: self._is_wanted(queued)  # noqa: E731
            self._read(facts, form.settings.source, crop, captured, failed, wanted)
        self.events.publish(Changed())

    def _of_capture(self, facts: DocumentFacts, form: Form, capture: Capture) -> Tuple[Submission, Finished]:
        origin = self.origins.of(facts).of_capture(capture)
        submission = edit_submission(self.name, form, capture, origin)
        placed = self._placing(facts, form, origin, capture.source)

        def finished(view: JobView, pictures: Mapping[str, bytes]) -> None:
            self._remembered(facts, form, capture, view)
            placed(view, pictures)

        return submission, finished

    def _of_live_layer(
        self, facts: DocumentFacts, form: Form, live_layer: LiveLayer
    ) -> Tuple[Submission, Finished]:
        """The layer's own pictures, with other words or settings."""
        edit = live_layer.edit
        origin = self.origins.of(facts).placed(edit.bounds, edit.source, edit.canvas)
        submission = renewal_submission(self.name, form, edit, origin)
        return submission, self._placing(facts, form, origin, edit.source, live_layer)

    def remember(self, facts: DocumentFacts, form: Form, crop: Crop) -> None:
        def captured(now: DocumentFacts, capture: Capture) -> None:
            def finished(view: JobView, _: Mapping[str, bytes]) -> None:
                self._remembered(now, form, capture, view)
                text = in_a_row(fidelity_text(view.result), notices_text(view.result))
                self.end(Outcome("done", text, REMEMBERED, original=original_notices(view.result)))

            self.run(invert_submission(self.name, form, capture), finished)

        self.capture(facts, form.settings.source, crop, captured)

    def _remembered(self, facts: DocumentFacts, form: Form, capture: Capture, view: JobView) -> None:
        self.events.publish(
            PhotoRemembered(facts, form, capture.content, view.id, fidelity_text(view.result))
        )

    def describe(self, facts: DocumentFacts, form: Form, then: Callable[[Mapping[str, Any]], None]) -> None:
        def told(view: JobView, _: Mapping[str, bytes]) -> None:
            then(view.result)
            self.end(Outcome("note", confidence_text(view.result["confidence"])))

        def captured(_: DocumentFacts, capture: Capture) -> None:
            self.run(describe_submission(self.name, form, capture), told)

        self.capture(facts, form.settings.source, all_of_it, captured)

    def select_word(self, facts: DocumentFacts, form: Form, word: str) -> None:
        """The word's place in the whole picture becomes the selection."""

        def captured(_: DocumentFacts, capture: Capture) -> None:
            def found(view: JobView, pictures: Mapping[str, bytes]) -> None:
                text = say("selected-word", word=word, n=round(100 * view.result["selected"]))
                ended = self._guarded(lambda: self.end(Outcome("done", text, about=self._selected(facts))))
                self._stage("placing")
                mask = pictures["selection"]
                self._editor.select(facts.key, mask, capture.bounds, capture.canvas, ended, self._failed)

            self.run(attention_submission(self.name, form, word, capture), found)

        self.capture(facts, form.settings.source, all_of_it, captured)

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
                layer = layer_result(result.job, image, result.alone, result.origin, None, None)
                layer = replace(layer, name=result.title)
                kept = lambda id: self.events.publish(ResultKept(facts, id, layer))  # noqa: E731
                self._insert(facts, layer, [say("new-layer", layer=layer.name)], kept)

        def gone(error: ClientError) -> None:
            if turn == self._turn:
                missing = error.code in ("image_not_found", "artifact_not_found")
                self.end(Outcome("error", say("result-gone") if missing else str(error), error.code))

        self.session.ask(lambda client: client.download(result.image), came, gone)

    def follow(self, jobs: Sequence[OpenJob]) -> None:
        """Jobs that were sent before a restart, the first one first: their results are kept, their documents
        may be gone."""
        for job in jobs:
            queued = self._queue.add(job.name)
            queued.submission = Submission("", {}, id=job.id, fetch=None, known=True)
            queued.finished = self._found_again(job)
        if not self.busy:
            self._go_on()

    def _found_again(self, job: OpenJob) -> Finished:
        """What an answer to the picture as it was then is about may be gone: it is dropped."""

        def ended(view: JobView, _: Mapping[str, bytes]) -> None:
            event: Event = Changed()
            text = ""
            if job.kind == "edit":
                event, text = ResultsMade(), say("found-again")
            elif job.kind == "learn":
                event, text = ConceptsMade(), say("learned", name=view.result["name"])
            self.events.publish(event)
            self.end(Outcome("done", text) if text else None)

        return ended

    # What is done with answers.

    def _placing(
        self,
        facts: DocumentFacts,
        form: Form,
        origin: Origin,
        source: str,
        live_layer: Optional[LiveLayer] = None,
    ) -> Finished:
        """``live_layer``: the layer that is renewed; which one that is by then, it knows."""
        selection = facts.selection if live_layer is None else live_layer.edit.selected
        selected = selection is not None if live_layer is None else live_layer.edit.selection is not None

        def place(view: JobView, pictures: Mapping[str, bytes]) -> None:
            fidelity = fidelity_text(view.result)
            layer = layer_result(view.id, pictures["layer"], view.result, origin, selection, form)
            layer, key = replace(layer, source=source), "new-layer"
            if live_layer is not None:
                layer, key = replace(layer, updates=live_layer.layer), "layer-updated"
            self.events.publish(ResultsMade())
            told = placed_sentences(say(key, layer=layer.name), view.result, selected)
            placed = lambda id: self.events.publish(LayerPlaced(facts, id, layer, live_layer, form, fidelity))  # noqa: E731
            self._insert(facts, layer, told, placed, original_notices(view.result))

        return place

    def _insert(
        self,
        facts: DocumentFacts,
        layer: LayerResult,
        told: List[Any],
        placed: Callable[[str], None] = lambda _: None,
        original: str = "",
    ) -> None:
        """``told``: sentences, and in ``original`` the backend's own, where they are told in another
        language."""
        self.placing = True
        self._stage("placing", can_cancel=False)

        def inserted(id: str) -> None:
            placed(id)
            noted = self._editor.noted
            first = say("new-layer", layer=layer.name) if noted else told[0]
            text = reduce(in_a_row, [first, *told[1:], noted])
            self.end(Outcome("done", text, about=About(facts.key, id), original=original))

        def refused(reason: str) -> None:
            self.end(Outcome("error", say("not-placed", reason=reason), NOT_PLACED, file=facts.file))

        self._editor.insert(facts.key, layer, self._guarded(inserted), self._guarded(refused))

    def _selected(self, facts: DocumentFacts) -> Optional[About]:
        """What is selected now, if that picture is open still."""
        now = self._editor.document()
        if now is None or now.key != facts.key:
            return None
        return About(facts.key, selection=now.selection, mark=now.mark)
