# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What is done, in words: the operation, both sentences, the picture's words and the concepts."""

from __future__ import annotations

from collections.abc import Callable

import widgets as ui
from _client.controls import OPERATIONS, REWEIGHT, drawn_weight
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.settings import WEIGHT
from _client.wording import say
from gi.repository import Gdk, Gtk
from inputs import Slider
from word_help import Completing, show_hints


class WordsPart(Gtk.Box):
    """``learn`` opens the dialog in which a concept is learned."""

    def __init__(self, panel: Panel, learn: Callable[[], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel = panel
        entries = [(key, say(key), say("tip-" + key)) for key in OPERATIONS]
        self._operations = ui.Choices(entries, panel.choose_operation)
        for part in (self._operations, self._sentence_part(), self._concept_part(learn)):
            self.pack_start(part, False, False, 0)

    def focus(self) -> None:
        self._first.focus()

    def _sentence_part(self) -> Gtk.Widget:
        self._first = ui.Field(self._panel.write_first)
        self._first.name(say("first"))
        self._words = ui.button(say("words") + " ▾", self._show_words, "tight", tip=say("tip-words"))
        self._describe = ui.button(say("describe"), self._panel.describe, "tight")
        self._second_label = ui.label()
        self._second = ui.Field(self._panel.write_second)
        for place, field in enumerate((self._first, self._second)):
            Completing(field.view, self._panel.completion)
            show_hints(field.view, lambda place=place: self._panel.state.notices[place])
        self._changes = ui.label("", "quiet", wrap=True)
        self._seconds = ui.column(self._second_label, self._second, self._changes)
        self._weights = ui.column()
        self._weight_of: dict[str, Slider] = {}
        head = ui.row(ui.label(say("first")), self._words, self._describe)
        return ui.column(head, self._first, self._seconds, self._weights)

    def _concept_part(self, learn: Callable[[], None]) -> Gtk.Widget:
        self._concepts = ui.tiles()
        self._no_concepts = ui.label(say("no-concepts"), "quiet", wrap=True)
        head = ui.row(ui.label(say("concepts")), ui.button("+ " + say("learn"), learn, "tight"))
        return ui.column(head, self._concepts, self._no_concepts)

    # What the state says.

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        form = state.form
        self._operations.show_chosen(form.operation)
        for key, made in self._operations.buttons.items():
            reason = state.cannot_operate.get(key, "")
            made.set_sensitive(not reason)
            made.set_tooltip_text(reason or say("tip-" + key))
        self._first.show_text(form.first, say("first-example"))
        self._words.set_sensitive(bool(state.words))
        self._describe.set_sensitive(not state.cannot_describe)
        self._describe.set_tooltip_text(state.cannot_describe or say("tip-describe"))
        ui.set_shown(self._seconds, "second" in state.shown)
        if "second" in state.shown:
            self._second_label.set_text(say("second-" + form.operation))
            self._second.name(say("second-" + form.operation))
            self._second.show_text(form.second, say("example-" + form.operation))
        self._changes.set_text("\n".join(line for line in (state.changes_text, state.unknown_text) if line))
        ui.set_shown(self._changes, bool(self._changes.get_text()))
        self._draw_weights(state)
        if before is None or before.concepts != state.concepts:
            self._draw_concepts(state)

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
        weigh = self._panel.weigh
        return Slider(WEIGHT, lambda at: weigh(word, at), lambda: weigh(word, WEIGHT.default), word)

    def _draw_concepts(self, state: PanelState) -> None:
        ui.cleared(self._concepts)
        for concept in state.concepts:
            tip = say("tip-concept", name=concept.name, kind=concept.kind, noun=concept.noun)
            use = lambda name=concept.name: self._use_concept(name)  # noqa: E731
            made = ui.button(concept.name, use, "tight", tip=tip)
            if concept.thumbnail:
                made.set_image(ui.sight(concept.thumbnail, 24))
                made.set_always_show_image(True)
            self._concepts.add(made)
        ui.set_shown(self._concepts, bool(state.concepts))
        ui.set_shown(self._no_concepts, not state.concepts)

    # What people do.

    def _use_concept(self, name: str) -> None:
        if self._panel.state.form.operation != REWEIGHT:
            self._panel.insert_concept(name, self._second.cursor)

    def _show_words(self) -> None:
        """A menu of the picture's words, each with what can be done with it."""
        menu = Gtk.Menu()
        for word in self._panel.state.words:
            item = Gtk.MenuItem(label=word)
            item.set_submenu(self._word_menu(word))
            menu.append(item)
        menu.show_all()
        menu.attach_to_widget(self._words, None)
        south, north = Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST
        menu.popup_at_widget(self._words, south, north, None)

    def _word_menu(self, word: str) -> Gtk.Menu:
        menu = Gtk.Menu()
        for key, act in (
            ("word-replace", self._replace_word),
            ("word-emphasise", self._panel.emphasise),
            ("word-select", self._panel.select_word),
        ):
            item = Gtk.MenuItem(label=say(key, word=word))
            item.connect("activate", lambda _, act=act: act(word))
            menu.append(item)
        return menu

    def _replace_word(self, word: str) -> None:
        new = ui.asked_for_text(self.get_toplevel(), say("replace"), say("new-word", word=word))
        if new:
            self._panel.replace_word(word, new)
