# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The Palimpsest window: a process of its own beside GIMP, open across edits and pictures.

It draws what the panel's state says and tells the panel what people do; it decides nothing itself. An
open window registers a temporary procedure through which menu items reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
import advanced  # noqa: E402
import host  # noqa: E402
import widgets as ui  # noqa: E402
from _client.controls import OPERATIONS, REWEIGHT, growth  # noqa: E402
from _client.limits import MOST_FEATHER, MOST_GROWTH, VARIATIONS  # noqa: E402
from _client.panel import Panel  # noqa: E402
from _client.panel_state import PanelState  # noqa: E402
from _client.procedures import BY_NAME, PREFIX, WINDOW_COMMAND  # noqa: E402
from _client.status import COPY, TOKEN, Offer  # noqa: E402
from _client.wording import say  # noqa: E402
from gi.repository import Gdk, GimpUi, GLib, Gtk  # noqa: E402
from learn_dialog import LearnDialog  # noqa: E402
from server_dialog import ServerDialog  # noqa: E402

WIDTH, HEIGHT = 340, 760
TICK = 100  # ms
PREVIEW = 200  # px


def open_window(plugin: Any, command: str) -> None:
    """Returns when the window was closed. ``command``: see ``Window.obey``."""
    GimpUi.init("palimpsest")
    ui.use_style()
    loop = GLib.MainLoop()
    window = Window(host.GimpEditor())
    window.connect("destroy", lambda _: loop.quit())
    host.listen(plugin, WINDOW_COMMAND, window.obey)
    window.obey(command)
    loop.run()


class Window(Gtk.Window):
    def __init__(self, editor: host.GimpEditor) -> None:
        super().__init__(title="Palimpsest")
        self.set_role("palimpsest")
        self.set_default_size(WIDTH, HEIGHT)
        self._editor = editor
        self._drawn: PanelState | None = None
        self._learning: LearnDialog | None = None
        self.panel = Panel("gimp", editor, self.draw)
        self._build()
        self.connect("destroy", lambda _: self._end())
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self.show_all()
        self.draw(self.panel.state)
        self._first.focus()
        self.panel.start()
        self._ticking = GLib.timeout_add(TICK, self._tick)

    def obey(self, command: str) -> None:
        """Raise the window; "replace 3" also turns it to picture 3 and does what the menu item says."""
        self.present()
        what, _, picture = command.partition(" ")
        if what:
            self._editor.choose(picture)
            self.panel.look()
            self._do(what)

    # Parts, from top to bottom.

    def _build(self) -> None:
        self._parts = ui.column(
            self._status_part(),
            self._document_part(),
            self._operation_part(),
            self._sentence_part(),
            self._concept_part(),
            self._slider_part(),
            self._advanced_part(),
            self._apply_part(),
            self._progress_part(),
            self._result_part(),
        )
        self._parts.set_border_width(10)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(self._parts)
        self.add(scrolled)

    def _status_part(self) -> Gtk.Widget:
        self._dot = ui.label("●")
        self._dot.set_valign(Gtk.Align.START)
        self._status = ui.label(wrap=True)
        gear = ui.button("⚙", self._ask_server, "tight", tip=say("settings"))
        gear.set_valign(Gtk.Align.START)
        self._offers = ui.tiles()
        return ui.column(ui.row(self._dot, self._status, gear, stretched=1), self._offers)

    def _document_part(self) -> Gtk.Widget:
        self._documents = ui.Choice(self._choose_document)
        return self._documents

    def _operation_part(self) -> Gtk.Widget:
        entries = [(key, say(key), say("tip-" + key)) for key in OPERATIONS]
        self._operations = ui.Choices(entries, lambda key: self.panel.choose_operation(key))
        return self._operations

    def _sentence_part(self) -> Gtk.Widget:
        self._first = ui.Field(lambda text: self.panel.write_first(text))
        self._first.name(say("first"))
        self._words = ui.button(say("words") + " ▾", self._show_words, "tight", tip=say("tip-words"))
        self._describe = ui.button(say("describe"), lambda: self.panel.describe(), "tight")
        self._second_label = ui.label()
        self._second = ui.Field(lambda text: self.panel.write_second(text))
        self._changes = ui.label("", "quiet", wrap=True)
        self._seconds = ui.column(self._second_label, self._second, self._changes)
        self._weights = ui.column()
        self._weight_of: dict[str, ui.Slider] = {}
        head = ui.row(ui.label(say("first")), self._words, self._describe)
        return ui.column(head, self._first, self._seconds, self._weights)

    def _concept_part(self) -> Gtk.Widget:
        learn = ui.button("+ " + say("learn"), self._learn, "tight")
        self._concepts = ui.tiles()
        self._no_concepts = ui.label(say("no-concepts"), "quiet", wrap=True)
        return ui.column(ui.row(ui.label(say("concepts")), learn), self._concepts, self._no_concepts)

    def _slider_part(self) -> Gtk.Widget:
        self._structure = self._slider("structure", ("free", "exact"))
        self._strength = self._slider("strength", ("gentle", "strong"))
        set_ = self.panel.set
        tip = say("tip-grow")
        self._grow = self._pixels(say("grow"), tip, MOST_GROWTH, lambda at: set_(grow=round(at)))
        tip = say("tip-feather")
        self._feather = self._pixels(say("feather"), tip, MOST_FEATHER, lambda at: set_(feather=round(at)))
        return ui.column(self._structure, self._strength, self._grow, self._feather)

    def _pixels(self, name: str, tip: str, most: int, changed: Callable[[float], None]) -> ui.Slider:
        def told(value: float) -> str:
            return say("pixels", n=round(value))

        return ui.Slider(name, ("", ""), (0, most), changed, told, tip, digits=0)

    def _slider(self, name: str, ends: tuple[str, str]) -> ui.Slider:
        words = (say(ends[0]), say(ends[1]))
        return ui.Slider(
            say(name), words, (0, 1), lambda value: self.panel.set(**{name: value}), tip=say("tip-" + name)
        )

    def _advanced_part(self) -> Gtk.Widget:
        self._advanced = advanced.Advanced(self.panel)
        expander = Gtk.Expander(label=say("advanced"))
        expander.add(self._advanced)
        return expander

    def _apply_part(self) -> Gtk.Widget:
        self._apply = ui.button(say("apply"), lambda: self.panel.apply())
        self._apply.get_style_context().add_class("suggested-action")
        vary = lambda value: self.panel.set(variations=round(value))  # noqa: E731
        self._variations = ui.Number(VARIATIONS, vary)
        self._updating = ui.label("", "quiet", wrap=True)
        instead = ui.button(say("new-layer-instead"), lambda: self.panel.new_layer_instead(), "tight")
        self._update_row = ui.row(self._updating, instead)
        return ui.column(
            self._update_row, ui.row(self._apply, ui.label(say("variations")), self._variations)
        )

    def _progress_part(self) -> Gtk.Widget:
        self._bar = Gtk.ProgressBar(valign=Gtk.Align.CENTER)
        self._cancel = ui.button(say("cancel"), lambda: self.panel.cancel(), "tight")
        self._doing = ui.label("", wrap=True)
        self._progress = ui.column(ui.row(self._bar, self._cancel), self._doing)
        self._preview = Gtk.Image(tooltip_text=say("preview"))
        self._message = ui.label("", wrap=True)
        self._message.set_selectable(True)
        self._message.set_can_focus(False)
        self._helps = ui.tiles()
        return ui.column(self._progress, self._preview, self._message, self._helps)

    def _result_part(self) -> Gtk.Widget:
        self._remember = ui.button(say("remember"), lambda: self.panel.remember(), "tight")
        self._remember.set_tooltip_text(say("tip-remember"))
        self._fidelity = ui.label("", "quiet", wrap=True)
        self._results = ui.tiles()
        self._no_results = ui.label(say("no-results"), "quiet", wrap=True)
        self._remember.set_halign(Gtk.Align.END)
        title = ui.label(say("results"))
        return ui.column(self._fidelity, self._remember, title, self._no_results, self._results)

    # What the state says.

    def draw(self, state: PanelState) -> None:
        before, self._drawn = self._drawn, state
        self._draw_status(state)
        self._draw_words(state)
        self._draw_settings(state)
        self._draw_work(state)
        if before is None or before.preview is not state.preview:
            self._draw_preview(state.preview)
        if before is None or before.concepts != state.concepts:
            self._draw_concepts(state)
        if before is None or before.results != state.results:
            self._draw_results(state)

    def _draw_status(self, state: PanelState) -> None:
        context = self._dot.get_style_context()
        for kind in ("ready", "busy", "trouble"):
            context.remove_class("palimpsest-" + kind)
        context.add_class("palimpsest-" + state.status.kind)
        self._status.set_text(state.status.text)
        self._draw_offers(self._offers, state.status.offers)
        self._draw_documents(state)

    def _draw_documents(self, state: PanelState) -> None:
        """Also when the panel has nothing new: a picture may be opened beside the one that is chosen."""
        documents = self._editor.documents()
        key = "" if state.document is None else state.document.key
        self._documents.show_entries(documents, key)
        ui.set_shown(self._documents, len(documents) > 1)

    def _draw_offers(self, box: Gtk.FlowBox, offers: tuple[Offer, ...]) -> None:
        ui.cleared(box)
        for offer in offers:
            box.add(ui.button(offer.text, lambda key=offer.key: self._take(key), "tight"))
        ui.set_shown(box, bool(offers))

    def _draw_words(self, state: PanelState) -> None:
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
        changes = state.changes_text if "changes" in state.shown else ""
        self._changes.set_text("\n".join(line for line in (changes, state.unknown_text) if line))
        ui.set_shown(self._changes, bool(self._changes.get_text()))
        self._draw_weights(state)

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
            slider.show_value(state.form.weights.get(word, 0.0))

    def _weight(self, word: str) -> ui.Slider:
        ends = (say("word-gone"), say("strong"))
        return ui.Slider(word, ends, (-1, 1), lambda value: self.panel.weigh(word, value))

    def _draw_settings(self, state: PanelState) -> None:
        settings = state.form.settings
        self._structure.show_value(settings.structure)
        self._strength.show_value(settings.strength)
        self._grow.show_value(growth(state.form.operation, settings))
        self._feather.show_value(settings.feather)
        for name, slider in (("structure", self._structure), ("strength", self._strength)):
            ui.set_shown(slider, name in state.shown)
        self._variations.show_value(settings.variations)
        self._advanced.draw(state)

    def _draw_work(self, state: PanelState) -> None:
        self._apply.set_sensitive(not state.cannot_apply)
        self._apply.set_label(say("update") if state.updating else say("apply"))
        self._updating.set_text(say("updating", layer=state.updating) if state.updating else "")
        ui.set_shown(self._update_row, bool(state.updating))
        ui.set_shown(self._progress, state.progress is not None)
        if state.progress is not None:
            self._doing.set_text(state.progress.text)
            self._cancel.set_sensitive(state.progress.can_cancel)
            self._show_fraction(state.progress.fraction)
        message = "" if state.progress is not None else state.message
        self._message.set_text(message)
        ui.set_shown(self._message, bool(message))
        self._draw_offers(self._helps, () if state.progress is not None else state.offers)
        self._remember.set_sensitive(not state.cannot_ask)
        self._fidelity.set_text(state.fidelity if state.fidelity not in message else "")
        ui.set_shown(self._fidelity, bool(self._fidelity.get_text()))

    def _show_fraction(self, fraction: float | None) -> None:
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)

    def _draw_preview(self, content: bytes | None) -> None:
        pixbuf = ui.pixbuf_of(content, PREVIEW)
        if pixbuf is not None:
            self._preview.set_from_pixbuf(pixbuf)
        ui.set_shown(self._preview, pixbuf is not None)

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

    def _draw_results(self, state: PanelState) -> None:
        ui.cleared(self._results)
        for result in state.results:
            width, height = result.bounds.width, result.bounds.height
            made = Gtk.Button(image=ui.sight(result.thumbnail), always_show_image=True)
            made.set_tooltip_text(say("tip-result", name=result.name, width=width, height=height))
            made.connect("clicked", lambda _, result=result: self.panel.reapply(result))
            self._results.add(made)
        ui.set_shown(self._results, bool(state.results))
        ui.set_shown(self._no_results, not state.results)

    # What people do that needs more than the panel.

    def _choose_document(self, key: str) -> None:
        self._editor.choose(key)

    def _use_concept(self, name: str) -> None:
        assert self._drawn is not None
        if self._drawn.form.operation == REWEIGHT:
            return
        self.panel.insert_concept(name, self._second.cursor)

    def _show_words(self) -> None:
        """A menu of the picture's words, each with what can be done with it."""
        menu = Gtk.Menu()
        for word in self.panel.state.words:
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
            ("word-emphasise", self.panel.emphasise),
            ("word-select", self.panel.select_word),
        ):
            item = Gtk.MenuItem(label=say(key, word=word))
            item.connect("activate", lambda _, act=act: act(word))
            menu.append(item)
        return menu

    def _replace_word(self, word: str) -> None:
        new = ui.asked_for_text(self, say("replace"), say("new-word", word=word))
        if new:
            self.panel.replace_word(word, new)

    def _take(self, offer: str) -> None:
        if self.panel.take(offer):
            return
        if offer == COPY:
            Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(say("update-command"), -1)
        elif offer == TOKEN:
            self._ask_token()
        else:  # connect, or see which models there are
            self._ask_server()

    def _ask_token(self) -> None:
        token = ui.asked_for_text(self, say("server-title"), f"{say('token')}: {say('token-hint')}")
        if token:
            self._say(self.panel.give_token(token))

    def _ask_server(self) -> None:
        ServerDialog(self, self.panel)

    def _learn(self) -> None:
        """One at a time."""
        if self._learning is None:
            self._learning = LearnDialog(self, self.panel, self._editor)
            self._learning.connect("destroy", self._learned)
        self._learning.present()

    def _learned(self, _: Gtk.Window) -> None:
        self._learning = None

    def _say(self, reason: str) -> None:
        if reason:
            self.panel.refuse(reason)

    # Its life.

    def _tick(self) -> bool:
        self.panel.tick()
        state = self.panel.state
        self._draw_documents(state)
        if state.progress is not None and state.progress.fraction is None:
            self._bar.pulse()
        return GLib.SOURCE_CONTINUE

    def _do(self, what: str) -> None:
        """A menu item of this name, for the picture that the panel has turned to."""
        operation = BY_NAME[PREFIX + what].operation
        if operation:
            self.panel.choose_operation(operation)
            self._first.focus()
        elif what == "word-to-selection":
            word = ui.asked_for_text(self, say("select-action"), say("choose-word"))
            if word:
                self.panel.select_word(word)
        else:
            OTHERS[what](self)

    def _pressed(self, event: Gdk.EventKey) -> bool:
        """Wherever the cursor is: Control and Return apply, Escape cancels, Control and W close."""
        control = event.state & Gdk.ModifierType.CONTROL_MASK
        if control and event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter):
            self.panel.apply()
            return True
        if control and event.keyval == Gdk.KEY_w:
            self.destroy()
            return True
        if event.keyval == Gdk.KEY_Escape and self.panel.state.progress is not None:
            self.panel.cancel()
            return True
        return False

    def _end(self) -> None:
        GLib.source_remove(self._ticking)
        self.panel.stop()


OTHERS = {
    "learn-concept": Window._learn,
    "remember-photo": lambda window: window.panel.remember(),
    "reopen-edit": lambda window: window.panel.reopen(),
    "server": Window._ask_server,
}
