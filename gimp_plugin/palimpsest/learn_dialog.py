# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The window in which a concept is learned. Pictures scroll; what is below them keeps its place."""

from __future__ import annotations

import widgets as ui
from _client.learn_state import MORE, NEW, REPLACE, LearnState
from _client.learning import Learning
from _client.lessons import STYLE, SUBJECT, Example
from _client.masks import veil
from _client.session import Session
from _client.wording import say
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk

WIDTH, HEIGHT = 400, 640
SIDE, LOOK = 88, 96  # px of a picture, and of the looks at the word
SQUARE, LIGHT, GREY = 8, 0xFFFFFFFF, 0xFFBEBEBE  # chequers under what is transparent
PROBLEM = 180  # px of the sentence beside a picture
LINES = 3  # of a message: room is kept, so that no button moves
STYLE_SHEET = b"""
.palimpsest-odd { border: 2px solid #b3372b; padding: 2px; }
.palimpsest-badge { background: #b3372b; color: white; font-weight: bold; border-radius: 9px;
                    min-width: 18px; min-height: 18px; }
"""


class LearnDialog(Gtk.Window):
    """Doesn't hold up the window beside it: selections and layers are taken from pictures as they come."""

    def __init__(self, parent: Gtk.Window, learning: Learning, session: Session) -> None:
        super().__init__(title=say("learn-title"), transient_for=parent)
        self.set_default_size(WIDTH, HEIGHT)
        use_style()
        self.learning = learning
        self._session = session
        self._drawn: LearnState | None = None
        self._sights: dict[tuple, GdkPixbuf.Pixbuf | None] = {}  # None while it is made
        self._gone = False
        self._build()
        self.connect("destroy", lambda _: self._end())
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self.show_all()
        learning.show_to(self.draw)

    def _end(self) -> None:
        self._gone = True
        self.learning.close()

    def _pressed(self, event: Gdk.EventKey) -> bool:
        """Escape and Control and W close; a learning goes on."""
        control = event.state & Gdk.ModifierType.CONTROL_MASK
        closes = event.keyval == Gdk.KEY_Escape or (control and event.keyval == Gdk.KEY_w)
        if closes:
            self.destroy()
        return bool(closes)

    def _build(self) -> None:
        shelf = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        self._examples = ui.column()
        shelf.add(self._examples)
        parts = ui.column(self._name_part(), self._picture_head())
        parts.pack_start(shelf, True, True, 0)
        for part in (self._adders(), self._look_part(), self._learn_part()):
            parts.pack_start(part, False, False, 0)
        parts.set_border_width(10)
        self.add(parts)
        self._learn.set_can_default(True)
        self._learn.grab_default()

    def _name_part(self) -> Gtk.Widget:
        self._name = self._entry("name", "name-example", lambda text: self.learning.set(name=text))
        self._note = ui.label("", "quiet", "small", wrap=True)
        taken = [(NEW, "", ""), (MORE, say("learn-more"), ""), (REPLACE, say("learn-anew"), "")]
        self._taken = ui.Choices(taken, lambda mode: self.learning.set(mode=mode))
        self._taken.buttons[NEW].set_no_show_all(True)  # what is chosen while neither is
        kinds = [(SUBJECT, say("subject"), ""), (STYLE, say("style"), "")]
        self._kind = ui.Choices(kinds, lambda kind: self.learning.set(kind=kind))
        self._noun = self._entry("noun", "noun-example", lambda text: self.learning.set(noun=text))
        grid = Gtk.Grid(row_spacing=ui.SPACE, column_spacing=ui.SPACE)
        rows = (("name", self._name), ("", self._note), ("", self._taken), ("kind", self._kind))
        for place, (key, widget) in enumerate((*rows, ("noun", self._noun))):
            if key:
                grid.attach(ui.label(say(key)), 0, place, 1, 1)
            grid.attach(widget, 1, place, 1, 1)
        return grid

    def _entry(self, key: str, example: str, told) -> Entry:
        made = Entry(told)
        made.set_placeholder_text(say(example))
        made.set_hexpand(True)
        made.get_accessible().set_name(say(key))
        made.set_activates_default(True)
        return made

    def _picture_head(self) -> Gtk.Widget:
        self._good_set = ui.label("", "quiet", "small", wrap=True)
        clear = ui.button(say("clear"), lambda: self.learning.clear(), "tight")
        return ui.column(ui.row(ui.label(say("pictures")), clear), self._good_set)

    def _adders(self) -> Gtk.Widget:
        adds = Gtk.Box(spacing=4)
        for key, add in (
            ("add-files", self._add_files),
            ("add-selection", lambda: self.learning.pictures.add_selection()),
            ("add-layers", lambda: self.learning.pictures.add_layers()),
        ):
            adds.pack_start(ui.button(say(key), add, "tight"), False, False, 0)
        return adds

    def _look_part(self) -> Gtk.Widget:
        self._preview, self._sketch = Gtk.Image(), Gtk.Image()
        self._previews = self._look(self._preview, say("how-it-looks"))
        self._sketches = self._look(self._sketch, say("test-sentence"))
        self._sentence = Entry(lambda text: self.learning.set(sentence=text))
        self._sentence.get_accessible().set_name(say("test-sentence"))
        self._sentence.connect("activate", lambda _: self.learning.draw())
        self._draw_it = ui.button(say("draw"), lambda: self.learning.draw(), "tight")
        self._sentences = ui.row(self._sentence, self._draw_it)
        return ui.column(ui.row(self._previews, self._sketches, stretched=None), self._sentences)

    def _look(self, image: Gtk.Image, name: str) -> Gtk.Widget:
        image.get_accessible().set_name(name)
        return ui.column(image, ui.label(name, "quiet", "small"))

    def _learn_part(self) -> Gtk.Widget:
        self._message = ui.label("", wrap=True)
        self._message.set_yalign(0.0)
        self._message.set_lines(LINES)
        self._message.set_ellipsize(3)
        self._message.set_size_request(-1, LINES * 20)
        self._bar = Gtk.ProgressBar()
        self._bar.get_accessible().set_name(say("learn-title"))
        self._learn = ui.button(say("learn-now"), lambda: self.learning.learn())
        self._learn.get_style_context().add_class("suggested-action")
        self._stop = ui.button(say("stop"), lambda: self.learning.stop())
        close = ui.button(say("close"), self.destroy)
        buttons = Gtk.Box(spacing=ui.SPACE)
        buttons.pack_start(self._learn, True, True, 0)
        buttons.pack_start(self._stop, False, False, 0)
        buttons.pack_end(close, False, False, 0)
        return ui.column(self._message, self._bar, buttons)

    # Drawing.

    def draw(self, state: LearnState) -> None:
        before, self._drawn = self._drawn, state
        self._name.put(state.field)
        self._noun.put(state.noun)
        self._sentence.put(state.sentence)
        self._note.set_text(state.note)
        ui.set_shown(self._note, bool(state.note))
        ui.set_shown(self._taken, state.exists)
        self._taken.show_chosen(state.mode)
        self._kind.show_chosen(state.kind)
        self._good_set.set_text(state.good_set)
        if before is None or before.examples != state.examples:
            self._draw_examples()
        self._draw_looks(state, before)
        self._draw_work(state)

    def _draw_looks(self, state: LearnState, before: LearnState | None) -> None:
        for image, part, content, old in (
            (self._preview, self._previews, state.preview, None if before is None else before.preview),
            (self._sketch, self._sketches, state.drawn, None if before is None else before.drawn),
        ):
            if content is not None and content is not old:
                image.set_from_pixbuf(ui.pixbuf_of(content, LOOK))
            ui.set_shown(part, content is not None)
        ui.set_shown(self._sentences, bool(state.learned))
        self._draw_it.set_sensitive(not state.cannot_draw)
        self._draw_it.set_tooltip_text(state.cannot_draw or None)

    def _draw_work(self, state: LearnState) -> None:
        progress = state.progress
        self._learn.set_label(state.learn_text)
        self._learn.set_sensitive(progress is None and not state.cannot_learn)
        self._stop.set_sensitive(progress is not None and progress.can_cancel)
        self._message.set_text(state.line)
        self._message.set_tooltip_text(state.line or None)
        self._bar.set_opacity(0.0 if progress is None else 1.0)
        if progress is not None and progress.fraction is None:
            self._bar.pulse()
        elif progress is not None:
            self._bar.set_fraction(progress.fraction)

    def _draw_examples(self) -> None:
        if self._gone or self._drawn is None:
            return
        ui.cleared(self._examples)
        flow = None
        for number, example in enumerate(self._drawn.examples):
            made = self._example(number, example)
            if example.problem:  # a row of its own: in a flow it would widen its column
                flow = None
                self._examples.pack_start(made, False, False, 0)
                continue
            if flow is None:
                flow = ui.tiles()
                self._examples.pack_start(flow, False, False, 0)
            flow.add(made)
        self._examples.show_all()

    def _example(self, number: int, example: Example) -> Gtk.Widget:
        """The picture, what is wrong with it, and what can be done about that."""
        name = say("picture", n=number + 1, name=example.name)
        shown = Gtk.Image(valign=Gtk.Align.START)
        shown.set_size_request(SIDE, SIDE)
        shown.set_tooltip_text(f"{name}\n{say('masked')}" if example.mask is not None else name)
        shown.get_accessible().set_name(name)
        pixbuf = self._sight_of(example)
        if pixbuf is not None:
            shown.set_from_pixbuf(pixbuf)
        text = say("leave-out") if example.problem else "×"
        out = ui.button(text, lambda: self.learning.leave_out(number), "tight", tip=say("leave-out"))
        out.get_accessible().set_name(f"{say('leave-out')}: {name}")
        return self._problem(shown, example, out) if example.problem else ui.column(shown, out)

    def _problem(self, shown: Gtk.Widget, example: Example, out: Gtk.Widget) -> Gtk.Widget:
        """A frame around the picture, a badge on it, and beside it the sentence and its answers."""
        marked = Gtk.Overlay()
        marked.add(shown)
        badge = ui.styled(Gtk.Label(label="!", halign=Gtk.Align.START, valign=Gtk.Align.START), "badge")
        marked.add_overlay(badge)
        said = ui.label(example.problem, "small", wrap=True)
        said.set_size_request(PROBLEM, -1)
        answers = [out]
        if example.odd:
            answers.append(ui.button(say("picture-is-meant"), lambda: self.learning.mean_it(), "tight"))
        beside = ui.column(said, ui.row(*answers, stretched=None))
        made = ui.styled(ui.row(marked, beside, stretched=None), "odd")
        made.set_halign(Gtk.Align.START)
        return made

    def _sight_of(self, example: Example) -> GdkPixbuf.Pixbuf | None:
        """None until it is made, aside of the window's own thread."""
        key = (example.image, example.mask)
        if key not in self._sights:
            self._sights[key] = None
            self._session.aside(lambda: sight(*key), lambda made: self._seen(key, made), lambda _: None)
        return self._sights[key]

    def _seen(self, key: tuple, made: GdkPixbuf.Pixbuf | None) -> None:
        self._sights[key] = made
        self._draw_examples()

    def _add_files(self) -> None:
        chooser = Gtk.FileChooserNative.new(
            say("pictures"), self, Gtk.FileChooserAction.OPEN, say("add-files"), None
        )
        chooser.set_select_multiple(True)
        if chooser.run() == Gtk.ResponseType.ACCEPT:
            self.learning.pictures.add_files(chooser.get_filenames())
        chooser.destroy()


class Entry(Gtk.Entry):
    """A line that may be written otherwise than it was typed; the cursor keeps its place from the end."""

    def __init__(self, told) -> None:
        super().__init__()
        self._told = ui.Told(lambda: told(self.get_text()))
        self._wanted = ""
        self.connect("changed", lambda _: self._told())

    def put(self, text: str) -> None:
        """Not at once: GTK is still at work on what was typed."""
        self._wanted = text
        if text != self.get_text():
            GLib.idle_add(self._put)

    def _put(self) -> bool:
        if self._wanted != self.get_text():
            from_end = self.get_text_length() - self.get_position()
            self._told.silently(lambda: self.set_text(self._wanted))
            self.set_position(max(0, self.get_text_length() - from_end))
        return GLib.SOURCE_REMOVE


def use_style() -> None:
    provider = Gtk.CssProvider()
    provider.load_from_data(STYLE_SHEET)
    screen = Gdk.Screen.get_default()
    Gtk.StyleContext.add_provider_for_screen(screen, provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)


def sight(image: bytes, mask: bytes | None) -> GdkPixbuf.Pixbuf | None:
    """Chequers where the picture is transparent, dark where it isn't learned from. None if unreadable."""
    small = ui.pixbuf_of(image, SIDE)
    if small is None:
        return None
    width, height, way = small.get_width(), small.get_height(), GdkPixbuf.InterpType.NEAREST
    seen = small.composite_color_simple(width, height, way, 255, SQUARE, LIGHT, GREY)
    grey = None if mask is None else ui.pixbuf_of(mask, SIDE)
    if grey is not None:
        dark = dark_over(grey.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR))
        dark.composite(seen, 0, 0, width, height, 0, 0, 1, 1, way, 255)
    return seen


def dark_over(grey: GdkPixbuf.Pixbuf) -> GdkPixbuf.Pixbuf:
    """A veil for a mask, of its size."""
    width, height = grey.get_width(), grey.get_height()
    pixels, channels, stride = grey.get_pixels(), grey.get_n_channels(), grey.get_rowstride()
    rows = (pixels[y * stride : y * stride + width * channels : channels] for y in range(height))
    content = GLib.Bytes.new(veil(b"".join(rows)))
    return GdkPixbuf.Pixbuf.new_from_bytes(
        content, GdkPixbuf.Colorspace.RGB, True, 8, width, height, 4 * width
    )
