"""The panel of both editors, without a widget: what is filled in, what is shown, what a click does.

A window derives nothing from it. It makes a ``Panel``, calls ``start`` once, ``tick`` from its timer (ten
times a second), the methods below when people do something, and draws every ``PanelState`` it is given.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Set, Tuple

from .catalogue import model_rows
from .completion import Completion, completion
from .connection import (
    Choice,
    check_choice,
    connector,
    read_choice,
    write_choice,
)
from .controls import OPERATIONS, REMOVE, REPLACE, REWEIGHT, SHOWN, Form, Settings
from .editor import DocumentFacts, Editor
from .errands import Errands
from .gallery import Gallery
from .geometry import Bounds
from .habits import notices
from .in_hand import InHand
from .jobview import JobView
from .library import (
    BUILT_IN,
    Concept,
    Model,
    bring_concepts,
    bring_models,
    open_jobs,
)
from .notebook import Notebook
from .orders import RecipeError, form_of, needed, read_recipe
from .outcome import REFUSED, REMEMBERED, Outcome, offer_after
from .panel_state import PanelState, change_line, drawn_controls, incapable, unknown_text
from .preferences import BEGINNING, Preferences
from .presets import Presets
from .protocol import config_folder
from .reopening import Lent, as_reopened
from .results import Result
from .sentences import changes, concepts_in, telling, with_word, words
from .session import Order, Session
from .settings import CONTROLS, SENTENCE
from .sight import sight_text
from .slices import fault
from .starting import Starter
from .status import (
    CONNECT,
    COPY,
    MODELS,
    REMEDY,
    SMALLER,
    START,
    TOKEN,
    Offer,
    Situation,
    cannot_apply,
    cannot_ask,
    cannot_describe,
    cannot_send,
    chosen,
    is_learning,
    offers,
    smaller_size,
    status_of,
)
from .stream import Changed, ConceptsMade, Connected, Event, JobEnded, Placed, ResultsMade
from .vocabulary import Vocabulary, renamed
from .wording import say

POLL_SECONDS = 0.3  # between looks at the document
WINDOW_OFFERS = (CONNECT, TOKEN, COPY, MODELS)  # the window's own: they open a dialog or fill the clipboard


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
        self.choice = read_choice(self.folder)
        self.errands = Errands(name, editor, self.folder)
        self.session = Session(connector(self.folder, self.choice), self.errands)
        self.errands.serve(self.session)
        self.errands.events.subscribe(self._heard)
        self.gallery = Gallery(editor, self.errands, self.session, self._changed, self.refuse)
        self.preferences = Preferences(self.folder, self._begin_with, self._forget)
        self.form = Form(settings=self.preferences.settings)
        self.facts: Optional[DocumentFacts] = None
        self.concepts: Tuple[Concept, ...] = ()
        self.models: Tuple[Model, ...] = ()
        self._editor = editor
        self._show = show
        self._clock = clock
        self._notebook = Notebook(self.folder, self.form.settings)
        self._presets = Presets(self.folder)
        self._vocabulary = Vocabulary(self.folder)
        self._hand: Optional[InHand] = None
        self._lent: Optional[Lent] = None  # by the edit in hand, when that was opened again
        self._applied: Optional[Form] = None
        self._looked_at = float("-inf")
        self._rejoined = False
        self._learning = False  # a word is being learned on the backend, as it last said
        self._starter = Starter(self.folder, clock)
        self._downloading = ""
        self._describing = ""  # the picture that the built-in model is asked about
        self._beyond: Set[str] = set()  # keys of pictures in which it knows nothing
        self.state = self._state()

    # The window's life.

    def start(self) -> None:
        self.session.start()
        self._changed()

    def stop(self) -> None:
        """The window or the editor goes. A running job goes on."""
        self.gallery.discard()
        self._keep()
        self._notebook.save()
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
        except Exception as error:
            traceback.print_exc()
            self.errands.end(Outcome("error", fault(error)))

    # Words and settings.

    def choose_operation(self, operation: str) -> None:
        assert operation in OPERATIONS, operation
        self._fill(replace(self.form, operation=operation))

    def write_first(self, text: str) -> None:
        self._fill(replace(self.form, first=text))

    def write_second(self, text: str) -> None:
        self._fill(self.form.with_second(text))

    def write_sentence(self, text: str) -> None:
        """The whole second sentence in one's own words; empty = as it is made."""
        self._fill(self.form.with_sentence(text))

    def weigh(self, word: str, position: float) -> None:
        """-1 gone … 0 as it is … 1 strong."""
        self._fill(replace(self.form, weights={**self.form.weights, word: position}))

    def set(self, **settings: Any) -> None:
        """Fields of ``controls.Settings``."""
        self._fill(replace(self.form, settings=replace(self.form.settings, **settings)))

    def change(self, control: str, value: Any) -> None:
        """One of the panel's table of controls, by its name; None = automatic."""
        if control == SENTENCE.name:
            self.write_sentence(value)
        else:
            self.set(**{control: value})

    def recommend(self, control: str) -> None:
        """As it was before anybody touched it."""
        self.set(**{control: CONTROLS[control].default})

    def draw_lots(self, control: str) -> None:
        """Another one, any one: of a seed."""
        offered = CONTROLS[control].offered
        assert offered is not None
        self.set(**{control: random.randint(int(offered.least), int(offered.most))})

    def look_at_presets(self) -> None:
        """Before a menu of them is shown: the other editor may have changed them."""
        self._presets_are(self._presets.look())

    def use_preset(self, name: str) -> None:
        self._fill(self._presets.applied(self.form, name))

    def keep_preset(self, name: str) -> None:
        """What is set now, for this operation; one of this name is replaced."""
        self._presets_are(self._presets.keep(self.form, name))

    def rename_preset(self, name: str, new: str) -> None:
        self._presets_are(self._presets.rename(self.form.operation, name, new))

    def delete_preset(self, name: str) -> None:
        self._presets_are(self._presets.remove(self.form.operation, name))

    def _presets_are(self, trouble: str) -> None:
        if trouble:
            self.refuse(trouble)
        self._changed()

    def _begin_with(self, settings: Settings) -> None:
        self._notebook.begin_with(**{name: getattr(settings, name) for name in BEGINNING})

    def _forget(self) -> None:
        self._notebook.forget()
        self._vocabulary.forget()
        self._changed()

    def reset_settings(self) -> None:
        self._fill(replace(self.form, settings=Settings(model=self.form.settings.model)))

    def insert_concept(self, name: str, at: Optional[int] = None) -> None:
        """``<name>`` into the second field, at a place of its text or at its end."""
        text, word = self.form.second, f"<{name}>"
        at = len(text) if at is None else at
        before, after = text[:at], text[at:]
        gap = " " if before and not before.endswith(" ") else ""
        rest = " " if after and not after.startswith(" ") else ""
        self.write_second(before + gap + word + rest + after)

    def rename_concept(self, name: str, new: str, failed: Callable[[str], None]) -> None:
        """The words of the open picture follow. ``failed`` gets the reason why not."""

        def done(_: Any) -> None:
            self._vocabulary.rename(name, new)
            self._fill(renamed(self.form, name, new))
            self.refresh_concepts()

        self.session.ask(lambda client: client.rename_concept(name, new), done, lambda e: failed(str(e)))

    def remove_concept(self, name: str, failed: Callable[[str], None]) -> None:
        """For good. ``failed`` gets the reason why not."""
        self.session.ask(
            lambda client: client.remove_concept(name),
            lambda _: self.refresh_concepts(),
            lambda error: failed(str(error)),
        )

    def replace_word(self, word: str, new: str) -> None:
        """Of the picture's words: ``word`` is to become ``new``. Chooses Replace."""
        sentence = self.form.seconds.get(REPLACE, "").strip() or self.form.first
        found = next((w for w in words(sentence) if w.text == word), None)
        if found is None:  # the second sentence says something else already
            sentence = self.form.first
            found = next((w for w in words(sentence) if w.text == word), None)
        if found is not None and new.strip():
            form = replace(self.form, operation=REPLACE)
            self._fill(form.with_second(with_word(sentence, found, new.strip())))

    def emphasise(self, word: str) -> None:
        """Chooses Emphasise with this word a little stronger."""
        weights = {**self.form.weights, word: self.form.weights.get(word, 0.0) or 0.5}
        self._fill(replace(self.form, operation=REWEIGHT, weights=weights))

    def completion(self, text: str, cursor: int) -> Optional[Completion]:
        """What can be written at that place of a field: words learned for the chosen model, and its own."""
        model = self.state.model
        fitting = [c.name for c in self.state.concepts if model is None or c.family == model.family]
        return completion(text, cursor, fitting, () if model is None else model.words)

    # Doing it.

    def apply(self) -> None:
        """Does nothing but say why when it isn't possible."""
        if self.state.cannot_apply or self.facts is None:
            self.refuse(self.state.cannot_apply, REFUSED)
            return
        self._applied = self._own()
        self._vocabulary.use(concepts_in(self.form.first, self.form.target))
        self.gallery.discard()
        self._keep()
        self._notebook.save()
        self.errands.edit(self.facts, self.form, self._needed(self.facts), self._hand)

    def apply_new(self) -> None:
        """Another layer from what is seen now, beside the one in hand."""
        reason = self._why_not_apply(None)
        if not reason:
            self.new_layer_instead()
            self.apply()
        else:
            self.refuse(reason)

    def remove_selected(self) -> None:
        """Chooses Remove and does it: what goes is selected, and words aren't needed."""
        self.choose_operation(REMOVE)
        self.apply()

    def again(self) -> None:
        """With the last settings; a document without words of its own takes those used last."""
        if not self.form.first.strip() and self._applied is not None:
            self._fill(self._applied)
        self.apply()

    def cancel(self) -> None:
        """What is under way; what waits goes on."""
        self.errands.cancel()

    def cancel_waiting(self, number: int) -> None:
        """One of ``PanelState.waiting``."""
        self.errands.cancel_waiting(number)

    def cancel_all(self) -> None:
        self.errands.cancel_all()

    def remember(self) -> None:
        """Invert the photo now."""
        reason = self.state.cannot_ask or ("" if self.form.first.strip() else say("say-what-it-shows"))
        if self._may(reason) and self.facts is not None:
            self.errands.remember(self.facts, self.form, self._needed(self.facts))

    def describe(self) -> None:
        if self._may(self.state.cannot_describe) and self.facts is not None:
            key = self.facts.key
            self._describing = key if self._uses_built_in else ""
            self.errands.describe(self.facts, self.form, lambda caption: self._described(key, caption))

    def select_word(self, word: str) -> None:
        there = [w.text for w in words(self.form.first)]
        reason = self.state.cannot_ask or ("" if word in there else say("no-word"))
        if self._may(reason) and self.facts is not None:
            self.errands.select_word(self.facts, self.form, word)

    def reopen(self) -> None:
        """The active layer's edit: its words and settings are filled in, Apply changes the layer."""
        recipe = None if self.facts is None else self._editor.recipe(self.facts.key)
        if recipe is None:
            self.refuse(say("no-document") if self.facts is None else say("no-recipe"))
            return
        try:
            made = read_recipe(recipe.text)
        except RecipeError as error:
            self.refuse(say("recipe-unreadable", reason=str(error)))
            return
        self._let_go()
        assert self.facts is not None
        self._hand = InHand(self.facts, recipe.layer, recipe.name, made)
        if not self.errands.busy:
            self.errands.outcome = Outcome("note", say("reopened", layer=recipe.name))
        settings = as_reopened(made.form, self.form.settings, chosen(self.models, made.form.settings.model))
        self._lent = Lent(self.form.settings, settings)
        self._fill(replace(made.form, settings=settings))

    def new_layer_instead(self) -> None:
        """Leave the layer in hand as it is."""
        self._let_go()
        self._changed()

    def use_settings(self, result: Result) -> None:
        """Fill in the words and settings that made this result, and its seed."""
        form = form_of(result.request, {}, {})
        settings = replace(
            form.settings, source=self.form.settings.source, seed=result.seed, variations=1
        )
        self._fill(replace(form, settings=settings))

    def take(self, offer: str) -> bool:
        """Do what a button offers. False: it is the window's own (``WINDOW_OFFERS``)."""
        if offer in WINDOW_OFFERS:
            return False
        if offer == START:
            self.start_backend()
        elif offer == REMEDY and self.facts is not None:
            self._editor.remedy(self.facts.key)
        elif offer == SMALLER:
            self.set(working_size=self._smaller())
            self.apply()
        return True

    # The backend.

    def start_backend(self) -> None:
        """Start the one that is installed here, and go on when it answers."""
        self.errands.outcome = None
        self._starter.begin(self.session, self.refuse)
        self._changed()

    def connect_to(self, choice: Choice) -> str:
        """Use another backend from now on. Returns why it can't be used; empty if it can."""
        reason = check_choice(choice)
        if reason:
            return reason
        try:
            write_choice(self.folder, choice)
        except OSError as error:
            return str(error)
        self.choice = choice
        self._rejoined = False
        self.session.reconnect(connector(self.folder, choice))
        return ""

    def give_token(self, token: str) -> str:
        """Another token for the backend that refused ours. Returns why it can't be used."""
        address = self.choice.address or self.session.state.address
        return self.connect_to(Choice(address, token.strip()))

    def download(self, model: str) -> None:
        """Fetch a model of the catalogue; it is chosen when it is there."""
        if not self._may(say("busy") if self.errands.busy else ""):
            return

        def came(_: Any, __: Any) -> None:
            self.refresh()
            self.errands.end(Outcome("done", say("downloaded", model=model)))
            self.set(model=model)

        self._downloading = model
        order = Order("pull", {"model": model}, fetch=None)
        self.errands.run(order, came)

    def refresh(self) -> None:
        """Ask the backend anew for its words, models and results."""
        self.session.ask(bring_models, lambda found: self._have(models=found))
        self.refresh_concepts()
        self.refresh_results()

    def refresh_concepts(self) -> None:
        known = self.concepts
        self.session.ask(lambda client: bring_concepts(client, known), self._have_concepts)

    def refresh_results(self) -> None:
        self.gallery.refresh()

    # Behind the window.

    def look(self) -> None:
        """At the document, and at the backend that is starting."""
        if self.session.state.connection != "ready":
            self._starter.look()
        facts = self._editor.document()
        if facts != self.facts or (self._hand is not None and not self._hand.settled):
            self._turn_to(facts)
        self.gallery.look()
        if self._starter.active:
            self._watch_start()

    def _turn_to(self, facts: Optional[DocumentFacts]) -> None:
        before, self_key = self.facts, None if facts is None else facts.key
        if before is None or before.key != self_key:
            self._keep()
            self._let_go()
            self.errands.fidelity = ""
            if not self.errands.busy:
                self.errands.outcome = None
            self.form = self.form if facts is None else self._notebook.form(facts)
        if self.errands.outcome is not None and self.errands.outcome.code == REFUSED:
            self.errands.outcome = None  # the reason may be another one by now
        self.facts = facts
        self.gallery.turn_to(facts)
        away = self.errands.placing or self.gallery.looking  # then another layer may be the active one
        if self._hand is not None and not away and not self._hand.follow(facts):
            self._let_go()
        self._changed()

    def _let_go(self) -> None:
        """Nothing is in hand any more; what an edit of before brought along goes with it."""
        self.form, self._hand, self._lent = self._own(), None, None

    def _own(self) -> Form:
        """What is filled in, without what the edit in hand has lent."""
        if self._lent is None:
            return self.form
        return replace(self.form, settings=self._lent.returned(self.form.settings))

    def _placed(self, placed: Placed) -> None:
        """What was just made is in hand, if it is for the picture and the selection that there are now."""
        if placed.renews is not None:
            placed.renews.renewed(placed.id, placed.layer.name)
            return
        made = read_recipe(placed.layer.recipe)
        hand = InHand(placed.facts, placed.id, placed.layer.name, made, just_made=True)
        if hand.follow(self.facts):
            self._let_go()
            self._hand = hand

    def _ended(self, view: JobView) -> None:
        if view.state == "failed" and view.error.get("code") == "image_not_found":
            self._let_go()  # its pictures are gone: the next edit takes the document's
            self._changed()

    def _watch_start(self) -> None:
        reason = self._starter.watch(self.session.state.connection == "ready")
        if reason:
            self.refuse(reason)
        self._changed()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Changed):
            self._changed()
            self._watch_learning()
        elif isinstance(event, ResultsMade):
            self.refresh_results()
        elif isinstance(event, ConceptsMade):
            self.refresh_concepts()
        elif isinstance(event, Connected):
            self._connected()
        elif isinstance(event, Placed):
            self._placed(event)
        elif isinstance(event, JobEnded):
            self._learned_of(event.view)
            self._ended(event.view)

    def _learned_of(self, view: JobView) -> None:
        """What the built-in model doesn't know it says when it is asked to describe."""
        if self._describing and view.error.get("code") == "image_unsupported":
            self._beyond.add(self._describing)
            self._changed()
        self._describing = ""

    def _watch_learning(self) -> None:
        """A word that was learned elsewhere is in the list when that has ended."""
        before, self._learning = self._learning, is_learning(self.session.state.system)
        if before and not self._learning:
            self.refresh_concepts()

    def _connected(self) -> None:
        self.refresh()
        if not self._rejoined:
            self._rejoined = True
            self.session.ask(lambda client: open_jobs(client, self.errands.name), self._rejoin)

    def _rejoin(self, jobs: Sequence[Tuple[str, str]]) -> None:
        if not self.errands.busy:
            self.errands.follow(jobs)

    def _have(self, **lists: Any) -> None:
        for name, found in lists.items():
            setattr(self, name, found)
        self._changed()

    def _have_concepts(self, found: Tuple[Concept, ...]) -> None:
        """What was learned while the panel was there is at hand first."""
        known = {concept.name for concept in self.concepts}
        new = [concept.name for concept in found if concept.name not in known]
        if known:
            self._vocabulary.use(new)
        self._have(concepts=found)

    def _described(self, key: str, caption: str) -> None:
        if self.facts is not None and self.facts.key == key:
            self.write_first(caption)

    def _fill(self, form: Form) -> None:
        if form == self.form:
            return
        self.form = form
        if not self.errands.busy and self.errands.outcome is not None and self.errands.outcome.kind != "note":
            self.errands.outcome = None
        self._changed()

    def _keep(self) -> None:
        if self.facts is not None:
            self._notebook.keep(self.facts, self._own())

    def _may(self, reason: str) -> bool:
        if reason:
            self.refuse(reason)
        return not reason

    def refuse(self, reason: str, code: str = "") -> None:
        if self.errands.busy:
            return
        self.errands.outcome = Outcome("error", reason, code) if reason else None
        self._changed()

    def _needed(self, facts: DocumentFacts) -> Optional[Bounds]:
        model = chosen(self.models, self.form.settings.model)
        if model is None:
            return None
        return needed(facts, self.form.settings, model.native_size, model.granularity)

    def _smaller(self) -> int:
        model = chosen(self.models, self.form.settings.model)
        return smaller_size(model, self.form.settings.working_size)

    def _changed(self) -> None:
        state = self._state()
        if state != self.state:
            self.state = state
            self._show(state)

    def _state(self) -> PanelState:
        form, errands = self.form, self.errands
        model = chosen(self.models, form.settings.model)
        now = self._situation(model)
        found = changes(form.first, form.target) if form.target else ()
        names, known = [concept.name for concept in self.concepts], () if model is None else model.words
        remembered = errands.outcome is not None and errands.outcome.code == REMEMBERED
        heard = [tuple(notices(text, names, known)) for text in (form.first, form.second)]
        return PanelState(
            status=now.status,
            form=form,
            document=self.facts,
            shown=SHOWN[form.operation],
            controls=drawn_controls(form, self.models, model),
            presets=self._presets.names(form.operation),
            preset=self._presets.chosen(form),
            changes=found,
            changes_text=change_line(form, found),
            notices=(heard[0], heard[1]),
            unknown_text=unknown_text(heard),
            words=tuple(telling(form.first)),
            sight=self._sight(model),
            catalogue=model_rows(self.models, self.session.state.system),
            downloading=self._downloading if errands.busy else "",
            cannot_apply=self._why_not_apply(self._hand),
            cannot_ask=cannot_ask(now, form),
            cannot_describe=cannot_describe(now, form),
            cannot_learn=cannot_send(now, form),
            can_reopen=self.facts is not None and self.facts.has_recipe and self._hand is None,
            can_remember=not (cannot_ask(now, form) or errands.fidelity) and bool(form.first.strip()),
            cannot_operate=incapable(model),
            updating="" if self._hand is None else self._hand.name,
            concepts=self._vocabulary.ordered(self.concepts),
            models=self.models,
            model=model,
            progress=errands.progress,
            waiting=errands.waiting,
            preview=errands.preview_picture,
            outcome=errands.outcome,
            offers=self._offers(),
            fidelity="" if remembered else errands.fidelity,
            strip=self.gallery.strip,
        )

    def _why_not_apply(self, hand: Optional[InHand]) -> str:
        """While something is under way an edit can be asked for too: it waits its turn."""
        if self.errands.full:
            return say("queue-full", n=len(self.errands.waiting))
        now = replace(self._situation(chosen(self.models, self.form.settings.model)), busy=False)
        return cannot_apply(now, self.form, hand is not None and hand.made.selection is not None)
    def _sight(self, model: Optional[Model]) -> str:
        """What is to be known before Apply."""
        if self._hand is not None or self.facts is None or model is None:
            return ""
        beyond = model.name == BUILT_IN and self.facts.key in self._beyond
        told = [say("beyond-picture")] if beyond else []
        return "\n".join([*told, *filter(None, [sight_text(model, self.facts, self.form)])])

    def _situation(self, model: Optional[Model]) -> Situation:
        session = self.session.state
        starter, remote = self._starter, bool(self.choice.address)
        status = status_of(session, starter.active, starter.possible, remote, self.form.settings.model, model)
        return Situation(session, status, self.errands.busy, self.facts, self.models, self.concepts)

    def _offers(self) -> Tuple[Offer, ...]:
        beyond = self.facts is not None and self.facts.key in self._beyond and self._uses_built_in
        if self.errands.outcome is not None:
            after = offer_after(self.errands.outcome, self._smaller())
            return after or (offers(MODELS) if beyond and self.errands.outcome.kind == "error" else ())
        if self.facts is not None and self.facts.remedy:
            return (Offer(REMEDY, self.facts.remedy),)
        return offers(MODELS) if beyond else ()

    @property
    def _uses_built_in(self) -> bool:
        return self.form.settings.model == BUILT_IN
