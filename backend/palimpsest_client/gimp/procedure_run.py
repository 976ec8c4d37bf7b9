"""One job from beginning to end under the editor's own progress bar: a procedure of GIMP without a window.

The bar's Cancel ends this process at once and without a word, so jobs are sent such that the backend cancels
them when nobody has asked for them for a few seconds.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, NamedTuple

from ..editor.editor import CANVAS, Capture, DocumentFacts, Editor
from ..editor.geometry import Bounds
from ..editor.picture_file import PictureFile
from ..editor.slices import WorkError
from ..fields.controls import Form
from ..folders import config_folder
from ..http.connection import connector, read_choice
from ..http.problems import require_protocol
from ..http.protocol import ClientError
from ..http.session import Session, SessionState
from ..learning.examples import Example, lacking_to_learn, learn_submission, with_surroundings
from ..panel.jobs import PanelJobs
from ..panel.library import bring_concepts, bring_models, crop_by
from ..panel.outcome import Outcome
from ..panel.requests import Crop
from ..panel.status import Situation, Status, cannot_apply, cannot_ask, chosen
from ..text.wording import fault, say

UNATTENDED_SECONDS = 10.0  # of silence, after which the backend cancels the job
PATIENCE_SECONDS = 60.0  # how long a backend that stopped is waited for

Turning = Callable[[Callable[[], bool]], None]
"""Calls what it is given about twenty times a second, on the editor's thread, until that says False."""


class Bar:
    """The editor's own."""

    def show(self, text: str, fraction: float | None) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class PlacingEditor(Editor):
    """An editor that tells which layer it made last."""

    last_layer: Any = None


class CancelledError(Exception):
    """Somebody cancelled the job, not through the editor."""


class Backend(NamedTuple):
    """The one that was chosen, and what it has."""

    connect: Callable[[], Any]
    models: Any
    concepts: Any

    def refusal(self, facts: DocumentFacts | None, form: Form, edits: bool) -> str:
        """Why that can't be done with the picture; empty if it can."""
        session = SessionState("ready")
        now = Situation(session, Status("ready", ""), False, facts, self.models, self.concepts)
        if edits:
            return cannot_apply(now, form)
        return cannot_ask(now, form) or ("" if form.source_prompt else say("say-what-it-shows"))


def find_backend() -> Backend:
    """Raises WorkError when it isn't there."""
    folder = config_folder()
    connect = connector(folder, read_choice(folder))
    try:
        client = connect()
        require_protocol(client.health())
        return Backend(connect, bring_models(client), bring_concepts(client, ()))
    except ClientError as error:
        raise WorkError(str(error)) from error


class ProcedureRun:
    """Raises WorkError when the backend isn't there, before anything is read."""

    def __init__(self, editor: PlacingEditor, bar: Bar, turning: Turning) -> None:
        self._backend = find_backend()
        self._editor, self._bar, self._turning = editor, bar, turning
        self._jobs = PanelJobs("gimp", editor)
        self._jobs.unattended_seconds = UNATTENDED_SECONDS
        self._session = Session(self._backend.connect, self._jobs)
        self._jobs.attach(self._session)
        self._gone_since: float | None = None
        self._shown: tuple[str, float | None] | None = None  # by the bar
        self._session.start()

    def close(self) -> None:
        self._session.stop()

    def edit(self, form: Form) -> Any:
        """The new layer."""
        facts = self._facts()
        self._require(self._backend.refusal(facts, form, edits=True))
        self._run(lambda: self._jobs.edit(facts, form, self._crop(form)))
        return self._editor.last_layer

    def remember(self, form: Form) -> float:
        """How well the photo is reproduced, in dB."""
        facts = self._facts()
        self._require(self._backend.refusal(facts, form, edits=False))
        self._run(lambda: self._jobs.remember(facts, form, self._crop(form)))
        return self._result()["reconstruction_psnr"]

    def select_word(self, form: Form, word: str) -> float:
        """The selected share of the picture."""
        facts = self._facts()
        self._require(self._backend.refusal(facts, form, edits=False))
        self._run(lambda: self._jobs.select_word(facts, form, word))
        return self._result()["selected"]

    def learn(self, values: Mapping[str, Any]) -> str:
        """The new word, from files, chosen layers and the selection."""
        name, noun = values["name"].strip().strip("<>"), values["noun"].strip()
        taken = not values["replace"] and any(concept.name == name for concept in self._backend.concepts)
        examples = [Example(path, Path(path).read_bytes()) for path in values["files"]]
        for wanted in self._wanted(values):
            capture = self._capture(*wanted)
            examples.append(Example("", capture.image, capture.selection))
        self._require(lacking_to_learn(name, noun, len(examples), taken))
        request = {key: values[key] for key in ("kind", "seed", "model", "replace")}
        request.update(name=name, noun=noun, steps=values["steps"] or None)
        request["accept_outliers"] = values["accept-outliers"]
        submission = learn_submission(self._jobs.name, request, examples)
        learned = Outcome("done", say("learned", name=name))
        self._run(lambda: self._jobs.run(submission, lambda _, __: self._jobs.end(learned)))
        return f"<{name}>"

    def _wanted(self, values: Mapping[str, Any]) -> list[tuple[str, Bounds | None]]:
        """Which parts of the picture are examples: what ``Editor.capture`` takes."""
        facts = self._facts()
        wanted: list[tuple[str, Bounds | None]] = []
        if values["layers"]:
            wanted += [(layer.source, None) for layer in self._editor.layers(facts.key) if layer.selected]
            self._require("" if wanted else say("no-layers"))
        if values["selection"]:
            if facts.selection is None:
                raise WorkError(say("nothing-selected"))
            wanted.append((CANVAS, with_surroundings(facts, facts.selection)))
        return wanted

    def _capture(self, source: str, crop: Bounds | None) -> Capture:
        found: list[Capture] = []

        def came(_: DocumentFacts, capture: Capture) -> None:
            found.append(capture)
            self._jobs.end(Outcome("done", ""))

        facts = self._facts()
        self._run(lambda: self._jobs.capture(facts, source, lambda _: crop, came, PictureFile()))
        return found[0]

    def _facts(self) -> DocumentFacts:
        facts = self._editor.document()
        if facts is None:
            raise WorkError(say("no-document"))
        return facts

    def _crop(self, form: Form) -> Crop:
        return crop_by(form.settings, chosen(self._backend.models, form.settings.model))

    def _result(self) -> Any:
        job = self._session.state.job
        assert job is not None
        return job.result

    def _require(self, reason: str) -> None:
        if reason:
            raise WorkError(reason)

    def _run(self, begin: Callable[[], None]) -> None:
        """Until the job has ended. Raises WorkError, CancelledError."""
        begin()
        self._turning(self._turn)
        self._judge(self._jobs.outcome)

    def _turn(self) -> bool:
        """Whether the job goes on."""
        try:
            self._session.drain()
            self._watch()
        except Exception as error:  # whoever turns would stop, and the procedure would never end
            traceback.print_exc()
            self._jobs.end(Outcome("error", fault(error)))
        progress = self._jobs.progress
        if progress is None:
            return False
        gone = self._gone_since is not None
        shown = say("gone") if gone else progress.text, progress.fraction
        if shown != self._shown:
            self._shown = shown
            self._bar.show(*shown)
        return True

    def _watch(self) -> None:
        """A backend that stopped is waited for, but not forever."""
        if self._session.state.connection != "gone":
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = time.monotonic()
        elif time.monotonic() - self._gone_since > PATIENCE_SECONDS and self._jobs.busy:
            self._jobs.end(Outcome("error", say("gone")))

    def _judge(self, outcome: Outcome | None) -> None:
        assert outcome is not None
        if outcome.kind == "error":
            raise WorkError(outcome.text)
        if outcome.kind == "note":
            raise CancelledError(outcome.text)
