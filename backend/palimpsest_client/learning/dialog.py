"""The dialog in which a concept is learned, without a widget.

There is one ``Learning`` for a panel, for as long as it lives: what was filled in, a learning under way and
its end stay when the window is closed. A window calls ``show_to`` when it opens, the methods below when
people do something, draws every ``LearnState`` it is given, and calls ``close`` when it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Dict, Optional, Tuple

from ..editor.editor import Editor
from ..http.job_view import JobView
from ..panel.outcome import Outcome, outcome_of
from ..panel.panel import Panel
from ..panel.queue import Finished
from ..panel.status import Progress
from ..panel.stream import BackendChanged, ConceptsMade, Event, JobEnded
from ..text.wording import error_text, original_text, say
from .examples import (
    Example,
    StoredExamples,
    draw_submission,
    found_note,
    judged,
    lacking_to_learn,
    learn_submission,
    name_note,
    proposed_name,
    sentence_for,
    sound,
    with_found,
)
from .pace_watch import PaceWatch
from .picture_reader import PictureReader
from .state import MORE, NEW, LearnState

GOOD = 5
LEARNING = "learning"  # JobView.phase


class Learning:
    """Makes one state after the other; ``show_to`` says who draws them."""

    def __init__(self, panel: Panel, editor: Editor) -> None:
        self.state = LearnState()
        self._panel = panel
        self._show: Optional[Callable[[LearnState], None]] = None
        self._accept_outliers = False
        self._job = ""  # id of our learning while it is under way
        self._drawing = ""  # the same of our test sentence
        self._unseen = False  # a word was learned and isn't drawn yet
        self._last_request: Optional[Tuple[Dict[str, Any], Tuple[Example, ...]]] = None  # the last learning
        self._steps_left = 0  # steps of it that were left when it was stopped and kept; 0 = it wasn't
        self._pace = PaceWatch(panel.session, self._change)
        begun = lambda: self._change(outcome=None)  # noqa: E731
        self.pictures = PictureReader(panel, editor, begun, self._came, self._refuse)
        panel.jobs.events.subscribe(self._on_event)
        self._change()

    def show_to(self, show: Callable[[LearnState], None]) -> None:
        self._show = show
        self._pace.forget()
        self._change()
        show(self.state)
        self._draw_unasked()

    def close(self) -> None:
        """The window goes; all that is here stays, and a learning under way goes on."""
        self._show = None

    def clear(self) -> None:
        """Begin anew."""
        self._accept_outliers, self._last_request, self._steps_left = False, None, 0
        kept = {"progress": self.state.progress, "learns": self.state.learns}
        self.state = replace(LearnState(), **kept)  # type: ignore[arg-type]
        self._change(outcome=None)

    def set(self, **fields: Any) -> None:
        """name, kind, noun, mode, chosen, sentence."""
        if "name" in fields:
            typed = fields["name"].strip("<>")
            fields["field"] = proposed_name(typed)
            fields["name"] = fields["field"].rstrip("-_")
            fields["note"] = name_note(typed, fields["name"], bool(self.state.note))
            if fields["name"] != self.state.name:
                fields.update(mode=NEW, learned="", drawn=None, found="")
        wanted = fields.get("mode") == MORE and not self.state.examples
        self._change(outcome=None, **fields)
        if wanted:
            name = self.state.name
            self.pictures.bring_kept(name, lambda kept: self._kept_came(name, kept))

    def leave_out(self, number: int) -> None:
        """``number`` counts from 0."""
        examples = list(self.state.examples)
        del examples[number]
        self._change(examples=sound(examples), outcome=None)

    def accept_outliers(self) -> None:
        """Learn although one picture seems not to fit."""
        self._accept_outliers = True
        self.learn()

    # Learning.

    def learn(self) -> None:
        """Does nothing but say why when it isn't possible."""
        if self.state.cannot_learn:
            self._refuse(self.state.cannot_learn)
            return
        request = self._request()
        examples = tuple(replace(example, found=None) for example in sound(self.state.examples))
        self._change(examples=examples, found="", outcome=None, preview=None, drawn=None)
        self._last_request = request, self.state.examples
        self._run(request, self._learned)

    def stop(self) -> None:
        """What was learned so far is kept as a concept."""
        if (self._job or self._drawing) and self._is_followed:
            self._panel.jobs.cancel()

    def _request(self) -> Dict[str, Any]:
        state = self.state
        if self._last_request is not None and self._resumes:
            return {**self._last_request[0], "replace": True}
        request: Dict[str, Any] = {
            "name": state.name,
            "kind": state.kind,
            "noun": state.noun.strip(),
            "model": self._model,
            "replace": state.mode != NEW,
            "accept_outliers": self._accept_outliers,
        }
        if state.detail:
            request["detail"] = True
        return {**request, "start": state.name} if state.mode == MORE else request

    @property
    def _model(self) -> str:
        return self._panel.form.settings.model

    @property
    def _resumes(self) -> bool:
        """Whether the run that was stopped is taken up again, and ends as if it had never been stopped."""
        if self._steps_left == 0 or self._last_request is None or self.state.mode != MORE:
            return False
        (request, examples), state = self._last_request, self.state
        asked = request["name"], request["kind"], request["noun"], request["model"]
        same = asked == (state.name, state.kind, state.noun.strip(), self._model)
        same = same and request.get("detail", False) == state.detail
        given = [example.given for example in examples] == [example.given for example in state.examples]
        return same and given and "start" not in request

    def _run(self, request: Mapping[str, Any], then: Finished) -> None:
        assert self._last_request is not None
        submission = learn_submission(self._panel.jobs.name, request, self._last_request[1])
        self._job = submission.id
        self._panel.jobs.run(submission, then)

    def _learned(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        self._steps_left, self._accept_outliers = 0, False
        self._pace.forget()
        better = view.result.get("start") is None or view.result.get("best_step") != 0
        self._concept_made(view, pictures, "learned" if better else "not-better")

    def _kept(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        """The run that was stopped: the best of it is a concept now."""
        self._concept_made(view, pictures, "learning-kept", n=view.result["steps"])

    def _concept_made(self, view: JobView, pictures: Mapping[str, bytes], text: str, **values: Any) -> None:
        self._job, name = "", view.result["name"]
        done = Outcome("done", say(text, name=name, **values))
        sent = () if self._last_request is None else self._last_request[1]
        examples, found = with_found(self.state.examples, sent, pictures), found_note(view.result)
        self._panel.jobs.events.publish(ConceptsMade())
        self._panel.jobs.end(done)
        sentence = self.state.sentence
        if f"<{name}>" not in sentence:
            sentence = sentence_for(name, self.state.kind, self._words)
        self._unseen = True
        shown = {"outcome": done, "examples": examples, "found": found, "sentence": sentence, "drawn": None}
        self._change(learned=name, mode=MORE, **shown)
        self._draw_unasked()

    def _forget_backend(self) -> None:
        """What was learned and seen is at another backend from now on. What was filled in stays."""
        self._job, self._drawing, self._unseen = "", "", False
        self._last_request, self._steps_left = None, 0
        self._pace.forget()
        self._pace.known = None
        self._change(mode=NEW, learned="", found="", drawn=None, preview=None, outcome=None)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BackendChanged):
            self._forget_backend()
        if isinstance(event, JobEnded) and event.view.state != "finished":
            if event.view.id == self._job:
                self._job = ""
                self._ended(event.view)
            elif event.view.id == self._drawing:
                self._drawing = ""
                self._not_drawn(event.view)
        self._change()
        self._draw_unasked()

    def _ended(self, job: JobView) -> None:
        """Not learned: stopped, or refused with the picture that is the reason."""
        if (
            job.state == "cancelled"
            and self._last_request is not None
            and job.phase == LEARNING
            and job.index > 0
        ):
            self._steps_left = job.total - job.index
            self._change(outcome=None)
            self._run({**self._last_request[0], "finish": True}, self._kept)
            return
        self._accept_outliers = False
        if job.state == "cancelled":
            self._change(outcome=Outcome("note", say("learning-stopped")))
            return
        found = job.error.get("details", {}).get("pictures", [])
        text = error_text(job.error, "message") if found else job.text()
        outcome = Outcome("error", text, str(job.error.get("code", "")), original=original_text(job.error))
        self._change(examples=judged(self.state.examples, found), outcome=outcome)

    # Seeing the word in a sentence.

    def draw(self) -> None:
        """A small picture of the sentence, from words alone."""
        if self.state.cannot_draw:
            self._refuse(self.state.cannot_draw)
            return
        submission = draw_submission(self._panel.jobs.name, self.state.sentence.strip(), self._model)
        self._unseen, self._drawing = False, submission.id
        self._panel.jobs.run(submission, self._drew)

    def _draw_unasked(self) -> None:
        """Once, for whoever is there to see it, and when what waits has been done."""
        if self._unseen and self._show is not None and self.state.learned and not self.state.cannot_draw:
            self.draw()

    def _drew(self, _: JobView, pictures: Mapping[str, bytes]) -> None:
        self._drawing = ""
        self._panel.jobs.end(self.state.outcome)
        self._change(drawn=pictures["picture"])

    def _not_drawn(self, job: JobView) -> None:
        if job.state == "failed":
            self._change(outcome=outcome_of(job))

    @property
    def _words(self) -> Tuple[str, ...]:
        model = self._panel.backend.model(self._model)
        return () if model is None else model.words

    # Pictures on their way.

    def _came(self, example: Example) -> None:
        if any(example.image == other.image for other in self.state.examples):
            self._refuse(say("same-picture", name=example.name))
        else:
            self._change(examples=(*self.state.examples, example))

    def _kept_came(self, name: str, kept: StoredExamples) -> None:
        """What the concept was learned from, as far as the backend has it still."""
        if self.state.name != name or self.state.examples:
            self._change()
            return
        outcome = Outcome("note", kept.note(name)) if kept.note(name) else None
        noun = self.state.noun if self.state.noun.strip() else kept.noun
        self._change(examples=kept.examples, found=kept.found, noun=noun, kind=kept.kind, outcome=outcome)

    # What is shown.

    def _refuse(self, reason: str) -> None:
        self._change(outcome=Outcome("error", reason))

    def _change(self, **fields: Any) -> None:
        state = replace(self.state, **fields)
        same = [concept for concept in self._panel.backend.concepts if concept.name == state.name]
        known, detailed = bool(same), any(concept.detail for concept in same)
        state = replace(state, only_detail=detailed and state.mode == MORE)
        seen = self._panel.jobs.preview_picture if self._is_followed else None
        if self._job and seen is not None:
            state = replace(state, preview=seen)
        if self._drawing and seen is not None:
            state = replace(state, drawn=seen)
        self.state, before = state, self.state
        if self._show is not None:
            self._pace.ask(self._model)
        reason, taken = self._panel.state.cannot_learn, known and state.mode == NEW
        lacking = lacking_to_learn(state.name, state.noun.strip(), len(state.examples), taken)
        self.state = replace(
            state,
            exists=known or (bool(state.name) and state.learned == state.name),
            cannot_learn=reason or lacking,
            cannot_draw=reason or ("" if state.sentence.strip() else say("say-sentence")),
            hint=say("many") if len(state.examples) > GOOD else "",
            cost=self._cost(),
            learns=bool(self._job),
            progress=self._progress(),
        )
        if self.state != before and self._show is not None:
            self._show(self.state)

    @property
    def _is_followed(self) -> bool:
        """Whether the panel shows our job, and not one that came between."""
        job = self._panel.session.state.job
        return job is not None and job.id in (self._job, self._drawing)

    def _progress(self) -> Optional[Progress]:
        if self._job or self._drawing:
            before = self.state.progress
            return self._panel.jobs.progress if self._is_followed or before is None else before
        return Progress(say("reading"), None, False) if self.pictures.reading else None

    def _cost(self) -> str:
        """Most steps, and their time where this machine's pace is known; empty where even they aren't."""
        model = self._panel.backend.model(self._model)
        detail = self.state.detail
        whole = 0 if model is None else model.detail_steps if detail else model.learning_steps
        return self._pace.cost(self._steps_left if self._resumes else whole, detail)
