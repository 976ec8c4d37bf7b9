"""The panel of both editors, without a widget: what is filled in, what is shown, what a click does.

A window derives nothing from it. It makes a ``Panel``, calls ``start`` once, ``tick`` from its timer (ten
times a second), the methods below when people do something, and draws every ``PanelState`` it is given.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Set, Tuple

from ..editor.editor import DocumentFacts, Editor
from ..fields.controls import Form, Settings
from ..fields.presets import Presets
from ..folders import config_folder
from ..http.job_view import JobView
from ..text.sentences import concepts_in, words
from ..text.wording import fault, say
from .backend import Backend
from .completion import Completion, completion
from .derived import chosen_model, smaller, state_of, uses_built_in, why_not_apply
from .doubts import UncertainWords
from .draft import Draft
from .gallery import Gallery
from .jobs import PanelJobs
from .library import crop_by
from .live_edit import LiveEdit
from .live_layer import LiveLayer
from .outcome import REFUSED, REMEMBERED, REOPENED, Outcome
from .preferences import BEGINNING, Preferences
from .preview_jobs import PreviewInputs, PreviewJobs
from .reason import DOCUMENT, NONE, Reason, because
from .remembered_photos import RememberedPhotos
from .requests import Crop, RecipeError, form_of, read_recipe
from .results import Result
from .saved_forms import SavedForms
from .state import PanelState
from .status import CONNECT, COPY, MODELS, REMEDY, SETUP, SMALLER, START, TOKEN
from .stream import (
    BackendChanged,
    Changed,
    ConceptRenamed,
    ConceptsMade,
    Connected,
    Event,
    JobEnded,
    LayerPlaced,
    ModelsMade,
    ResultKept,
    ResultsMade,
)
from .vocabulary import renamed

POLL_SECONDS = 0.3  # between looks at the document
WINDOW_OFFERS = (CONNECT, TOKEN, COPY, MODELS, SETUP)  # its own: they open a dialog or fill the clipboard


class Panel:
    """``name``: "krita" or "gimp". ``show`` gets every new state, on the editor's thread."""

    def __init__(
        self,
        name: str,
        editor: Editor,
        show: Callable[[PanelState], None],
        folder: Optional[Path] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = config_folder() if folder is None else folder
        self.jobs = PanelJobs(name, editor, self.folder)
        self.backend = Backend(self.folder, self.jobs, self._changed, self.refuse, clock)
        self.session = self.backend.session
        self.jobs.events.subscribe(self._on_event)
        self.gallery = Gallery(editor, self.jobs, self.session, self._changed, self.refuse)
        self.preferences = Preferences(self.folder, self._begin_with, self._forget)
        form = Form(settings=self.preferences.settings)
        self.draft = Draft(form, Presets(self.folder), self._filled, self._presets_are)
        self.live_edit = LiveEdit()
        self.facts: Optional[DocumentFacts] = None
        self.beyond: Set[str] = set()  # keys of pictures in which the built-in model knows nothing
        self.uncertain_words = UncertainWords()
        self.previews = PreviewJobs(self.session, self._changed, clock)
        self.jobs.events.subscribe(self.previews.on_event)
        self.remembered_photos = RememberedPhotos(editor, self.session, self._changed, clock)
        self.jobs.events.subscribe(self.remembered_photos.on_event)
        self._editor = editor
        self._show = show
        self._clock = clock
        self._saved_forms = SavedForms(self.folder, form.settings, editor)
        self._applied: Optional[Form] = None
        self._looked_at = float("-inf")
        self._fetching: Set[str] = set()  # names of models that are chosen when they are there
        self._describing = ""  # the picture that the built-in model is asked about
        self.state = state_of(self)

    # The window's life.

    def start(self) -> None:
        self.session.start()
        self._changed()

    def stop(self) -> None:
        """The window or the editor goes. A running job goes on, a setup when it is asked for again."""
        self.gallery.discard()
        self.previews.stop()
        self._keep()
        self._saved_forms.save()
        self.backend.setup.stop()
        self.session.stop()

    def tick(self) -> None:
        """Take in what happened. Cheap: call it ten times a second.

        A fault of ours ends what is under way with a sentence, and never the editor's timer.
        """
        try:
            self.session.drain()
            now = self._clock()
            if now - self._looked_at >= POLL_SECONDS:
                self._looked_at = now
                self.look()
            self._look_at_previews()
        except Exception as error:
            traceback.print_exc()
            self.jobs.end(Outcome("error", fault(error)))

    def completion(self, text: str, cursor: int) -> Optional[Completion]:
        """What can be written at that place of a field: words learned for the chosen model, and its own."""
        model = self.state.model
        fitting = [c.name for c in self.state.concepts if model is None or c.family == model.family]
        return completion(text, cursor, fitting, () if model is None else model.words)

    # Doing it.

    def apply(self) -> None:
        """Does nothing but say why when it isn't possible."""
        self.look()
        if self.state.cannot_apply or self.facts is None:
            self.refuse(self.state.cannot_apply, REFUSED)
            return
        live_layer = self.live_layer
        if live_layer is None:
            self._let_go()
        self._applied = self.live_edit.without_pinned(self.form)
        self.previews.stop()
        self.backend.downloads.read()
        self.backend.vocabulary.use(concepts_in(self.form.source_prompt, self.form.target_prompt))
        self.gallery.discard()
        self._keep()
        self._saved_forms.save()
        self.jobs.edit(self.facts, self.form, self._crop, live_layer)

    def apply_new(self) -> None:
        """Another layer from what is seen now, beside the one in hand."""
        reason = why_not_apply(self, None)
        if not reason:
            self.new_layer_instead()
            self.apply()
        else:
            self.refuse(reason)

    def again(self) -> None:
        """With the last settings; a document without words of its own takes those used last."""
        if not self.form.source_prompt.strip() and self._applied is not None:
            self.draft.fill(self._applied)
        self.apply()

    def cancel(self) -> None:
        """What is under way; what waits goes on."""
        self.jobs.cancel()

    def cancel_waiting(self, number: int) -> None:
        """One of ``PanelState.waiting``."""
        self.jobs.cancel_waiting(number)

    def cancel_all(self) -> None:
        self.jobs.cancel_all()

    def remember(self) -> None:
        """Invert the photo now."""
        reason = self.state.cannot_ask or (
            NONE if self.form.source_prompt.strip() else because("say-what-it-shows")
        )
        if self._may(reason) and self.facts is not None:
            self.jobs.remember(self.facts, self.form, self._crop)

    def describe(self) -> None:
        if self._may(self.state.cannot_describe) and self.facts is not None:
            key = self.facts.key
            self._describing = key if uses_built_in(self) else ""
            self.jobs.describe(self.facts, self.form, lambda result: self._described(key, result))

    def select_word(self, word: str) -> None:
        there = [w.text for w in words(self.form.source_prompt)]
        reason = self.state.cannot_ask or (NONE if word in there else because("no-word"))
        if self._may(reason) and self.facts is not None:
            self.jobs.select_word(self.facts, self.form, word)

    def reopen(self) -> None:
        """The active layer's edit: its words and settings are filled in, Apply changes the layer."""
        recipe = None if self.facts is None else self._editor.recipe(self.facts.key)
        if recipe is None:
            self.refuse(because("no-document" if self.facts is None else "no-recipe"))
            return
        try:
            edit = read_recipe(recipe.text)
        except RecipeError as error:
            self.refuse(because("recipe-unreadable", reason=str(error)))
            return
        assert self.facts is not None
        model = self.backend.model(edit.form.settings.model)
        form = self.live_edit.reopen(self.facts, recipe, edit, self.form, model)
        if not self.jobs.busy:
            self.jobs.outcome = Outcome("note", say("reopened", layer=recipe.name), REOPENED)
        self.draft.fill(form)
        self.previews.reopened(form)
        self._changed()

    def new_layer_instead(self) -> None:
        """Leave the layer in hand as it is."""
        self._let_go()
        self._changed()

    def use_settings(self, result: Result) -> None:
        """Fill in the words and settings that made this result, and its seed."""
        form = form_of(result.request, {}, {})
        settings = replace(form.settings, source=self.form.settings.source, seed=result.seed, variations=1)
        self.draft.fill(replace(self.form.with_words_of(form), settings=settings))

    def take(self, offer: str) -> bool:
        """Do what a button offers. False: it is the window's own (``WINDOW_OFFERS``)."""
        if offer in WINDOW_OFFERS:
            return False
        if offer == START:
            self.backend.start()
        elif offer == REMEDY and self.facts is not None:
            self._editor.remedy(self.facts.key)
        elif offer == SMALLER:
            self.draft.set(working_size=smaller(self))
            self.apply()
        return True

    def actions(self) -> List[Tuple[str, str, Callable[[], None]]]:
        """What a menu of the editor's can offer without a question: name, text, and what does it."""
        return [
            ("again", say("again"), self.again),
            ("cancel", say("cancel"), self.cancel),
            ("describe", say("describe-action"), self.describe),
            ("remember", say("remember"), self.remember),
            ("reopen", say("reopen"), self.reopen),
        ]

    # The backend.

    def download(self, model: str) -> None:
        """Fetch a model of the catalogue, beside everything else. It is chosen when it is there, unless an
        edit is under way or in hand."""
        if self._may(self.state.cannot_download):
            self._fetching.add(model)
            self.backend.downloads.begin(model)

    def cancel_download(self, job: str) -> None:
        """One of ``PanelState.downloads``, whoever began it."""
        self.backend.downloads.cancel(job)

    def refresh(self) -> None:
        """Ask the backend anew for its words, models and results."""
        self.backend.refresh()
        self.gallery.refresh()

    def rename_concept(self, name: str, new: str, failed: Callable[[str], None]) -> None:
        """The words of the open picture follow. ``failed`` gets the reason why not."""
        self.backend.rename_concept(name, new, failed)

    # Behind the window.

    @property
    def form(self) -> Form:
        """What is filled in."""
        return self.draft.form

    @property
    def live_layer(self) -> Optional[LiveLayer]:
        """The layer that Update renews; None = Apply makes another."""
        return self.live_edit.renewed_by(self.form)

    @property
    def presets(self) -> Presets:
        return self.draft.presets

    def look(self) -> None:
        """At the document, and at the backend that is starting."""
        facts = self._editor.document()
        if facts != self.facts or not self.live_edit.seen_active:
            self._turn_to(facts)
        if not self._away and self.live_edit.live_layer is None:
            self._look_at_what_was_undone(facts)
        self.jobs.look(facts)
        self.gallery.look()
        if not self._away:
            self.remembered_photos.look(facts, self.form)
        self._forget_outcome()
        self.backend.look()

    def _look_at_previews(self) -> None:
        busy = self.jobs.busy or bool(self.jobs.waiting)
        base = self.remembered_photos.base(self.facts, self.form, self.live_layer)
        cannot, live = self.state.cannot_apply, self.preferences.live
        self.previews.look(PreviewInputs(self.form, base, cannot, busy, live))

    def _turn_to(self, facts: Optional[DocumentFacts]) -> None:
        before, key = self.facts, None if facts is None else facts.key
        if before is None or before.key != key:
            self._keep()
            self._let_go()
            outcome = self.jobs.outcome
            if not self.jobs.busy and (outcome is None or not outcome.asks_for_another_than(facts)):
                self.jobs.outcome = None
            self.draft.form = self.form if facts is None else self._saved_forms.form(facts)
        outcome = self.jobs.outcome
        if outcome is not None and (outcome.code == REFUSED or outcome.reason == DOCUMENT):
            self.jobs.outcome = None  # the reason may be another one by now
        self.facts = facts
        self.gallery.turn_to(facts)
        if not self._away and not self.live_edit.follows(facts):
            self.draft.form = self.live_edit.suspend(self.form)
            self._forget_reopened()
        self._changed()

    def _look_at_what_was_undone(self, facts: Optional[DocumentFacts]) -> None:
        self.draft.form = self.live_edit.resume(facts, self._editor, self.form)
        if self.live_edit.live_layer is not None:
            self._changed()

    @property
    def _away(self) -> bool:
        """Whether another layer may be the active one, and more be seen than the picture: a result that is
        placed or looked at."""
        return self.jobs.placing or self.gallery.looking

    def _forget_outcome(self) -> None:
        """That the photo is remembered, where another is open, selected, seen or described by now."""
        outcome, known = (
            self.jobs.outcome,
            self.remembered_photos.fidelity(self.facts, self.form, self.live_layer),
        )
        if outcome is not None and outcome.code == REMEMBERED and not known:
            self.jobs.outcome = None
            self._changed()

    def _let_go(self) -> None:
        self.draft.form = self.live_edit.release(self.form)
        self._forget_reopened()

    def _forget_reopened(self) -> None:
        if self.jobs.outcome is not None and self.jobs.outcome.code == REOPENED:
            self.jobs.outcome = None

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Changed):
            self._changed()
            self.backend.watch()
        elif isinstance(event, ResultsMade):
            self.gallery.refresh()
        elif isinstance(event, ConceptsMade):
            self.backend.refresh_concepts()
        elif isinstance(event, ConceptRenamed):
            self.draft.fill(renamed(self.form, event.name, event.new))
        elif isinstance(event, ModelsMade):
            self.backend.refresh_models(lambda: self._choose_fetched(event.name))
        elif isinstance(event, Connected):
            self.backend.connected()
            self.gallery.refresh()
        elif isinstance(event, BackendChanged):
            self._let_go()
            self._describing = ""
            self._fetching.clear()
            self.beyond.clear()
            self.gallery.forget()
            self.jobs.leave()
        elif isinstance(event, LayerPlaced):
            self.draft.form = self.live_edit.layer_placed(event, self.facts, self.form)
        elif isinstance(event, ResultKept):
            self._kept(event)
        elif isinstance(event, JobEnded):
            self._ended(event.view)

    def _kept(self, event: ResultKept) -> None:
        self.draft.form = self.live_edit.result_kept(event, self.facts, self.form)
        if self.live_layer is not None and self.live_layer.layer == event.id:
            self.previews.reopened(self.form)

    def _choose_fetched(self, name: str) -> None:
        """One that edits; what only describes is in no list."""
        quiet = not self.jobs.busy and self.live_layer is None
        if name in self._fetching and quiet and self.backend.model(name) is not None:
            self.draft.set(model=name)
        self._fetching.discard(name)

    def _ended(self, view: JobView) -> None:
        code = view.error.get("code")
        if self._describing and code == "image_unsupported":
            self.beyond.add(self._describing)
            self._changed()
        self._describing = ""
        if view.state == "failed" and code == "image_not_found":
            self._let_go()  # its pictures are gone: the next edit takes the document's
            self._changed()

    def _described(self, key: str, result: Mapping[str, Any]) -> None:
        if self.facts is not None and self.facts.key == key:
            self.uncertain_words.proposed(key, result)
            self.draft.write_source_prompt(result["caption"])
            self._changed()  # the same sentence may be proposed again, less surely

    def _filled(self) -> None:
        """Something else is filled in: what came of the last job is about what was."""
        outcome = self.jobs.outcome
        if not self.jobs.busy and outcome is not None and outcome.kind != "note":
            self.jobs.outcome = None
        self._changed()

    def _presets_are(self, trouble: str) -> None:
        if trouble:
            self.refuse(trouble)
        self._changed()

    def _keep(self) -> None:
        if self.facts is not None:
            self._saved_forms.keep(self.facts, self.live_edit.without_pinned(self.form))

    def _begin_with(self, settings: Settings) -> None:
        self._saved_forms.begin_with(**{name: getattr(settings, name) for name in BEGINNING})

    def _forget(self) -> None:
        self._saved_forms.forget()
        self.backend.vocabulary.forget()
        self._changed()

    def _may(self, reason: Reason) -> bool:
        if reason:
            self.refuse(reason)
        return not reason

    def refuse(self, reason: str, code: str = "") -> None:
        """Said while something is under way, too, beside how far that is."""
        if self.jobs.busy and not reason:
            return
        known = reason.code if isinstance(reason, Reason) else ""
        self.jobs.outcome = Outcome("error", reason, code, reason=known) if reason else None
        self._changed()

    @property
    def _crop(self) -> Crop:
        return crop_by(self.form.settings, chosen_model(self))

    def _changed(self) -> None:
        state = state_of(self)
        if state != self.state:
            self.state = state
            self._show(state)
