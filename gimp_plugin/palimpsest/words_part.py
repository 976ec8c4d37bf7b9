# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What is done, in words: the operation, both sentences, the picture's words and the concepts."""

from __future__ import annotations

from collections.abc import Callable

import widgets as ui
from _client.controls import OPERATIONS, drawn_weight
from _client.library import Concept
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.sentences import spans
from _client.settings import WEIGHT
from _client.windows import Windows
from _client.wording import say
from gi.repository import Gdk, GLib, Gtk, Pango
from inputs import Slider
from word_help import Completing, show_hints

CONCEPT = 22  # px
LETTERS = 18  # of a concept's name on its button, at most


class WordsPart(Gtk.Box):
    """``windows``: those beside this one; ``entered`` is what Return does."""

    def __init__(self, panel: Panel, windows: Windows, entered: Callable[[], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel, self._windows, self._entered = panel, windows, entered
        entries = [(key, say(key), say("tip-" + key)) for key in OPERATIONS]
        self._operations = ui.Choices(entries, panel.draft.choose_operation, icons=True)
        for part in (self._operations, self._sentence_part(), self._concept_part()):
            self.pack_start(part, False, False, 0)

    def focus(self) -> None:
        """What is still to be filled in: the first sentence, the second, or the first word's weight."""
        shown = self._panel.state.shown
        if not self._panel.form.first.strip() or not ({"second", "weights"} & shown):
            self._first.focus()
        elif "second" in shown:
            self._second.focus()
        elif self._weight_of:
            next(iter(self._weight_of.values())).scale.grab_focus()

    def focus_field(self, number: int) -> None:
        (self._first, self._second)[number].focus()

    def choose(self, number: int) -> None:
        """The operation at this place, if the model can do it."""
        made = self._operations.buttons[OPERATIONS[number]]
        if made.get_sensitive():
            made.set_active(True)
            self.focus()

    def _sentence_part(self) -> Gtk.Widget:
        self._describe = ui.icon_button("describe", say("describe"), self._propose)
        self._first = ui.Field(self._panel.draft.write_first, self._entered, self._describe)
        self._first.name(say("first"))
        self._words = ui.label("", wrap=True)
        self._words.set_tooltip_text(say("tip-words"))
        self._words.connect("activate-link", lambda _, word: self._show_menu(word))
        self._second_label = ui.label()
        self._second = ui.Field(self._panel.draft.write_second, self._entered)
        for place, field in enumerate((self._first, self._second)):
            Completing(field.view, self._panel.completion)
            show_hints(field.view, lambda place=place: self._panel.state.hints[place])
        self._seconds = ui.column(self._second_label, self._second)
        self._changes, self._unknown = ui.label("", wrap=True), ui.label("", "quiet", wrap=True)
        self._weights = ui.column()
        self._weight_of: dict[str, Slider] = {}
        fields = (ui.label(say("first")), self._first, self._words, self._seconds)
        return ui.column(*fields, self._changes, self._unknown, self._weights)

    def _concept_part(self) -> Gtk.Widget:
        self._concepts = ui.Flow(one_row=True)
        self._concepts.get_accessible().set_name(say("concepts"))
        self._no_concepts = ui.label(say("no-concepts"), "quiet", wrap=True)
        here = ui.column(self._concepts, self._no_concepts)
        new = ui.button("+", self._windows.learn, "tight", tip=say("learn-action"))
        new.get_accessible().set_name(say("learn-action"))
        self._all_button = ui.button(say("all"), self._windows.concepts, "tight", tip=say("tip-all"))
        for made in (new, self._all_button):
            made.set_valign(Gtk.Align.START)
        return ui.row(here, new, self._all_button)

    # What the state says.

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        self._draw_operations(state)
        self._draw_sentences(state)
        self._draw_weights(state)
        if before is None or before.words != state.words:
            self._words.set_markup("  ·  ".join(link(word) for word in state.words))
            ui.set_shown(self._words, bool(state.words))
        if before is None or (before.concepts, before.model) != (state.concepts, state.model):
            self._concepts.fill([self._concept(concept, state) for concept in state.concepts])
            ui.set_shown(self._no_concepts, not state.concepts)
            ui.set_shown(self._all_button, bool(state.concepts))

    def _draw_operations(self, state: PanelState) -> None:
        self._operations.show_chosen(state.form.operation)
        for key, made in self._operations.buttons.items():
            reason = state.cannot_operate.get(key, "")
            made.set_sensitive(not reason)
            made.set_tooltip_text(reason or "{}: {}".format(say(key), say("tip-" + key)))

    def _draw_sentences(self, state: PanelState) -> None:
        form = state.form
        self._first.show_text(form.first, say("first-example"))
        self._describe.set_sensitive(not state.cannot_describe)
        self._describe.set_tooltip_text(state.cannot_describe or say("tip-describe"))
        ui.set_shown(self._seconds, "second" in state.shown)
        if "second" in state.shown:
            self._second_label.set_text(say("second-" + form.operation))
            self._second.name(say("second-" + form.operation))
            self._second.show_text(form.second, say("example-" + form.operation))
        marked = state.changes if "changes" in state.shown else ()
        self._first.mark(spans(marked, "source"), state.unknown[0], state.doubtful)
        self._second.mark(spans(marked, "target"), state.unknown[1])
        for told, text in ((self._changes, state.changes_text), (self._unknown, state.unknown_text)):
            told.set_text(text)
            ui.set_shown(told, bool(text))

    def _draw_weights(self, state: PanelState) -> None:
        """One slider for each word; those that are there already stay, so that one can be dragged."""
        ui.set_shown(self._weights, "weights" in state.shown)
        if "weights" not in state.shown:
            return
        if not self._weights.get_children() or tuple(self._weight_of) != state.words:
            ui.cleared(self._weights).add(ui.label(say("weights" if state.words else "no-words"), wrap=True))
            self._weight_of = {word: self._weight(word) for word in state.words}
            for slider in self._weight_of.values():
                self._weights.add(slider)
            self._weights.show_all()
        for word, slider in self._weight_of.items():
            slider.put(drawn_weight(state.form.weights.get(word, 0.0)))

    def _weight(self, word: str) -> Slider:
        weigh = self._panel.draft.weigh
        return Slider(WEIGHT, lambda at: weigh(word, at), lambda: weigh(word, WEIGHT.default), word)

    def _concept(self, concept: Concept, state: PanelState) -> Gtk.Widget:
        refusal, use = state.foreign(concept), self.use_concept
        made = ui.button(concept.name, lambda: use(concept.name), "tight", tip=refusal or concept.tip)
        made.set_sensitive(not refusal)
        name = made.get_child()
        name.set_ellipsize(Pango.EllipsizeMode.END)
        name.set_max_width_chars(LETTERS)
        if concept.thumbnail:
            made.remove(name)
            made.add(ui.row(ui.sight(concept.thumbnail, CONCEPT), name, stretched=1))
            made.get_accessible().set_name(concept.name)
        return made

    # What people do.

    def _propose(self) -> None:
        """The keyboard waits where the sentence will be: the button can't be pressed meanwhile."""
        self._panel.describe()
        self._first.view.grab_focus()

    def use_concept(self, name: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        if "second" in self._panel.state.shown:
            self._second.delete_selected()
            self._panel.draft.insert_concept(name, self._second.cursor)

    def _show_menu(self, word: str) -> bool:
        """What can be done with a word of the picture."""
        menu = Gtk.Menu()
        for key, act in (
            ("word-replace", self._replace_word),
            ("word-emphasise", self._panel.draft.emphasise),
            ("word-select", self._panel.select_word),
        ):
            item = Gtk.MenuItem(label=say(key, word=word))
            item.connect("activate", lambda _, act=act: act(word))
            menu.append(item)
        menu.show_all()
        menu.attach_to_widget(self._words, None)
        menu.popup_at_widget(self._words, Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST, None)
        return True

    def _replace_word(self, word: str) -> None:
        new = ui.asked_for_text(self.get_toplevel(), say("replace"), say("new-word", word=word))
        if new:
            self._panel.draft.replace_word(word, new)


def link(word: str) -> str:
    shown = GLib.markup_escape_text(word)
    return f'<a href="{shown}">{shown}</a>'
