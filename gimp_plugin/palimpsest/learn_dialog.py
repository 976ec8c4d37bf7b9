# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The window in which a concept is learned."""

from __future__ import annotations

import widgets as ui
from _client.editor import Editor
from _client.learning import STYLE, SUBJECT, Learning, LearnState
from _client.panel import Panel
from _client.wording import say
from gi.repository import Gtk

WIDTH, HEIGHT = 380, 580
LOOK = 96  # px of the word as it looks by now


class LearnDialog(Gtk.Window):
    """Doesn't hold up the window beside it: selections and layers are taken from pictures as they come."""

    def __init__(self, parent: Gtk.Window, panel: Panel, editor: Editor) -> None:
        super().__init__(title=say("learn-title"), transient_for=parent)
        self.set_default_size(WIDTH, HEIGHT)
        self._drawn: LearnState | None = None
        self._build()
        self.learning = Learning(panel, editor, self.draw)
        self.draw(self.learning.state)
        self.connect("destroy", lambda _: self.learning.close())
        self.show_all()
        self.draw(self.learning.state)

    def _build(self) -> None:
        parts = ui.column(self._name_part(), self._picture_part(), self._learn_part())
        parts.set_border_width(10)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(parts)
        self.add(scrolled)

    def _name_part(self) -> Gtk.Widget:
        self._name = Gtk.Entry(placeholder_text=say("name-example"), hexpand=True)
        self._name.connect("changed", lambda entry: self.learning.set(name=entry.get_text()))
        kinds = [(SUBJECT, say("subject"), ""), (STYLE, say("style"), "")]
        self._kind = ui.Choices(kinds, lambda kind: self.learning.set(kind=kind))
        self._noun = Gtk.Entry(placeholder_text=say("noun-example"), hexpand=True)
        self._noun.connect("changed", lambda entry: self.learning.set(noun=entry.get_text()))
        grid = Gtk.Grid(row_spacing=ui.SPACE, column_spacing=ui.SPACE)
        for place, (key, widget) in enumerate(
            (("name", self._name), ("kind", self._kind), ("noun", self._noun))
        ):
            grid.attach(ui.label(say(key)), 0, place, 1, 1)
            grid.attach(widget, 1, place, 1, 1)
        return grid

    def _picture_part(self) -> Gtk.Widget:
        self._examples = ui.tiles()
        adds = Gtk.Box(spacing=4)
        for key, add in (
            ("add-files", self._add_files),
            ("add-selection", lambda: self.learning.add_selection()),
            ("add-layers", lambda: self.learning.add_layers()),
        ):
            adds.pack_start(ui.button(say(key), add, "tight"), False, False, 0)
        return ui.column(ui.label(say("pictures")), self._examples, adds)

    def _learn_part(self) -> Gtk.Widget:
        self._learn = ui.button(say("learn-now"), lambda: self.learning.learn())
        self._learn.get_style_context().add_class("suggested-action")
        self._stop = ui.button(say("stop"), lambda: self.learning.stop())
        self._bar = Gtk.ProgressBar()
        self._look, self._look_label = Gtk.Image(), ui.label(say("how-it-looks"))
        look = ui.row(self._look, self._look_label, stretched=1)
        self._message = ui.label("", wrap=True)
        self._replace = ui.button("", lambda: self.learning.set(replaces=True), "tight")
        self._mean = ui.button(say("picture-is-meant"), lambda: self.learning.mean_it(), "tight")
        parts = (look, self._bar, self._message, self._replace, self._mean)
        return ui.column(ui.row(self._learn, self._stop), *parts)

    def draw(self, state: LearnState) -> None:
        before, self._drawn = self._drawn, state
        self._kind.show_chosen(state.kind)
        if before is None or before.examples != state.examples:
            self._draw_examples(state)
        self._draw_look(state.preview, before is None or before.preview is not state.preview)
        self._learn.set_sensitive(not state.cannot_learn)
        self._stop.set_sensitive(state.progress is not None and state.progress.can_cancel)
        ui.set_shown(self._bar, state.progress is not None)
        if state.progress is not None:
            self._draw_progress(state)
        self._message.set_text(state.message if state.progress is None else state.progress.text)
        self._replace.set_label(say("replace-concept", name=state.name))
        ui.set_shown(self._replace, state.exists and not state.replaces)
        ui.set_shown(self._mean, state.can_mean)

    def _draw_look(self, content: bytes | None, new: bool) -> None:
        if content is not None and new:
            self._look.set_from_pixbuf(ui.pixbuf_of(content, LOOK))
        for part in (self._look, self._look_label):
            ui.set_shown(part, content is not None)

    def _draw_progress(self, state: LearnState) -> None:
        assert state.progress is not None
        if state.progress.fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(state.progress.fraction)

    def _draw_examples(self, state: LearnState) -> None:
        ui.cleared(self._examples)
        for number, example in enumerate(state.examples):
            out = ui.button(say("leave-out"), lambda number=number: self.learning.leave_out(number), "tight")
            parts = [ui.sight(example.image), out]
            if example.problem:
                parts.insert(1, ui.label(example.problem, "problem", "small", wrap=True))
            part = ui.column(*parts)
            part.set_tooltip_text(example.problem or say("picture", n=number + 1, name=example.name))
            self._examples.add(part)
        ui.set_shown(self._examples, bool(state.examples))

    def _add_files(self) -> None:
        chooser = Gtk.FileChooserNative.new(
            say("pictures"), self, Gtk.FileChooserAction.OPEN, say("learn-now"), None
        )
        chooser.set_accept_label(say("add-files"))
        chooser.set_select_multiple(True)
        if chooser.run() == Gtk.ResponseType.ACCEPT:
            self.learning.add_files(chooser.get_filenames())
        chooser.destroy()
