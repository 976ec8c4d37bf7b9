# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The window's small parts in GTK 3. Each tells what people do with it, never what it is set to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from _client.status import Offer  # noqa: E402
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

SPACE = 6
SIGHT = 64  # px, side of a thumbnail
STYLE = b"""
.palimpsest-choice button { padding: 3px 2px; min-width: 0; }
.palimpsest-quiet { opacity: 0.7; }
.palimpsest-example { opacity: 0.5; }
.palimpsest-small { font-size: 88%; }
.palimpsest-tight { padding: 1px 6px; min-height: 22px; }
.palimpsest-ready { color: #5aa02c; }
.palimpsest-busy { color: #d0a000; }
.palimpsest-trouble { color: #d04437; }
.palimpsest-problem { background: #b3372b; color: white; padding: 2px 5px; border-radius: 3px; }
"""


def use_style() -> None:
    """What GTK's theme doesn't say; colours of text and ground stay the theme's own."""
    provider = Gtk.CssProvider()
    provider.load_from_data(STYLE)
    screen = Gdk.Screen.get_default()
    Gtk.StyleContext.add_provider_for_screen(screen, provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)


def styled(widget: Gtk.Widget, *classes: str) -> Gtk.Widget:
    for name in classes:
        widget.get_style_context().add_class("palimpsest-" + name)
    return widget


def row(*widgets: Gtk.Widget, stretched: int | None = 0) -> Gtk.Box:
    """Side by side; the one at place ``stretched`` takes the room that is left."""
    box = Gtk.Box(spacing=SPACE)
    for place, widget in enumerate(widgets):
        box.pack_start(widget, place == stretched, True, 0)
    return box


def column(*widgets: Gtk.Widget) -> Gtk.Box:
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
    for widget in widgets:
        box.pack_start(widget, False, False, 0)
    return box


def label(text: str = "", *classes: str, wrap: bool = False) -> Gtk.Label:
    """Left-aligned; a wrapping one never asks for more width than there is."""
    made = Gtk.Label(label=text, xalign=0.0)
    if wrap:
        made.set_line_wrap(True)
        made.set_max_width_chars(1)
        made.set_hexpand(True)
    styled(made, *classes)
    return made


def button(text: str, clicked: Callable[[], object], *classes: str, tip: str = "") -> Gtk.Button:
    made = Gtk.Button(label=text)
    made.connect("clicked", lambda _: clicked())
    made.set_tooltip_text(tip or None)
    styled(made, *classes)
    return made


def set_shown(widget: Gtk.Widget, shown: bool) -> None:
    widget.set_no_show_all(not shown)
    if shown:
        widget.show_all()
    else:
        widget.hide()


def cleared(box: Gtk.Container) -> Gtk.Container:
    for child in box.get_children():
        box.remove(child)
    return box


class Told:
    """Calls ``changed`` for what people do, not for what the window itself sets."""

    def __init__(self, changed: Callable[..., None]) -> None:
        self._changed = changed
        self._silent = False

    def __call__(self, *values: object) -> None:
        if not self._silent:
            self._changed(*values)

    def silently(self, call: Callable[[], object]) -> None:
        self._silent = True
        try:
            call()
        finally:
            self._silent = False


class Field(Gtk.Overlay):
    """A sentence over some lines, with an example as long as it is empty."""

    def __init__(self, changed: Callable[[str], None], lines: int = 2) -> None:
        super().__init__()
        self._told = Told(changed)
        self._view = Gtk.TextView(wrap_mode=Gtk.WrapMode.WORD_CHAR, accepts_tab=False)
        self._view.set_border_width(4)
        self._view.set_size_request(-1, 21 * lines)
        self._buffer = self._view.get_buffer()
        self._buffer.connect("changed", self._written)
        frame = Gtk.Frame(shadow_type=Gtk.ShadowType.IN)
        frame.add(self._view)
        self._example = label("", "example")
        self._example.set_margin_start(7)
        self._example.set_margin_top(5)
        self._example.set_valign(Gtk.Align.START)
        self._example.set_ellipsize(3)
        self.add(frame)
        self.add_overlay(self._example)
        self.set_overlay_pass_through(self._example, True)

    @property
    def text(self) -> str:
        return self._buffer.get_text(*self._buffer.get_bounds(), False)

    @property
    def view(self) -> Gtk.TextView:
        return self._view

    @property
    def cursor(self) -> int:
        return self._buffer.get_iter_at_mark(self._buffer.get_insert()).get_offset()

    def show_text(self, text: str, example: str = "") -> None:
        if text != self.text:
            self._told.silently(lambda: self._buffer.set_text(text))
        self._example.set_text(example)
        self._example.set_visible(not text)

    def name(self, text: str) -> None:
        """For readers of the screen and for tests."""
        self._view.get_accessible().set_name(text)

    def focus(self) -> None:
        self._view.grab_focus()

    def _written(self, _: Gtk.TextBuffer) -> None:
        self._example.set_visible(not self.text)
        self._told(self.text)


def leave_wheel(widget: Gtk.Widget) -> None:
    """The wheel turns it only while it has the keyboard: else what it lies in is scrolled."""
    widget.connect("scroll-event", _pass_on)


def _pass_on(widget: Gtk.Widget, _: Gdk.EventScroll) -> bool:
    focus = widget.get_toplevel().get_focus()
    if focus is None or not (focus is widget or focus.is_ancestor(widget)):
        widget.stop_emission_by_name("scroll-event")
    return False


class Choice(Gtk.ComboBoxText):
    """One of some entries (key, text)."""

    def __init__(self, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._told = Told(chosen)
        self._entries: list[tuple[str, str]] = []
        cells = self.get_cells()
        cells[0].set_property("ellipsize", 3)
        cells[0].set_property("width-chars", 10)
        leave_wheel(self)
        self.connect("changed", self._changed)

    def show_entries(self, entries: Iterable[tuple[str, str]], key: str) -> None:
        self._told.silently(lambda: self._set(list(entries), key))

    def _set(self, entries: list[tuple[str, str]], key: str) -> None:
        if entries != self._entries:
            self._entries = entries
            self.remove_all()
            for entry in entries:
                self.append(*entry)
        if self.get_active_id() != key:
            self.set_active_id(key)

    def _changed(self, _: Gtk.ComboBoxText) -> None:
        if self.get_active_id() is not None:
            self._told(self.get_active_id())


class Choices(Gtk.Box):
    """One of some buttons side by side."""

    def __init__(self, entries: Iterable[tuple[str, str, str]], chosen: Callable[[str], None]) -> None:
        super().__init__(homogeneous=False)
        self._told = Told(chosen)
        self.get_style_context().add_class("linked")
        styled(self, "choice")
        self.buttons: dict[str, Gtk.RadioButton] = {}
        first = None
        for key, text, tip in entries:
            made = Gtk.RadioButton.new_with_label_from_widget(first, text)
            made.set_mode(False)
            made.set_tooltip_text(tip)
            made.connect("toggled", self._toggled, key)
            self.pack_start(made, True, True, 0)
            self.buttons[key] = made
            first = first or made

    def show_chosen(self, key: str) -> None:
        self._told.silently(lambda: self.buttons[key].set_active(True))

    def _toggled(self, made: Gtk.RadioButton, key: str) -> None:
        if made.get_active():
            self._told(key)


def tiles() -> Gtk.FlowBox:
    box = Gtk.FlowBox(selection_mode=Gtk.SelectionMode.NONE, max_children_per_line=20, homogeneous=False)
    box.set_row_spacing(4)
    box.set_column_spacing(4)
    return box


def show_offers(box: Gtk.FlowBox, offers: Iterable[Offer], take: Callable[[str], None]) -> None:
    """A button for each; ``take`` gets the offer's key."""
    cleared(box)
    for offer in offers:
        box.add(button(offer.text, lambda key=offer.key: take(key), "tight"))
    set_shown(box, bool(box.get_children()))


def sight(content: bytes | None, side: int = SIGHT) -> Gtk.Image:
    """The picture at ``side`` pixels; an empty place if it can't be read."""
    pixbuf = pixbuf_of(content, side)
    if pixbuf is None:
        return Gtk.Image.new_from_icon_name("image-x-generic", Gtk.IconSize.DIALOG)
    return Gtk.Image.new_from_pixbuf(pixbuf)


def pixbuf_of(content: bytes | None, side: int) -> GdkPixbuf.Pixbuf | None:
    if not content:
        return None
    try:
        loader = GdkPixbuf.PixbufLoader()
        loader.write(content)
        loader.close()
        found = loader.get_pixbuf()
    except GLib.Error:
        return None
    width, height = found.get_width(), found.get_height()
    scale = side / max(width, height)
    way = GdkPixbuf.InterpType.BILINEAR
    return found.scale_simple(max(1, round(width * scale)), max(1, round(height * scale)), way)


def asked_for_text(parent: Gtk.Window, title: str, prompt: str, value: str = "") -> str | None:
    """What was written; None if it was cancelled."""
    window = Gtk.Dialog(title=title, transient_for=parent, modal=True)
    window.add_buttons("_Cancel", Gtk.ResponseType.CANCEL, "_OK", Gtk.ResponseType.OK)
    window.set_default_response(Gtk.ResponseType.OK)
    entry = Gtk.Entry(text=value, activates_default=True)
    area = window.get_content_area()
    area.set_border_width(2 * SPACE)
    area.add(column(label(prompt), entry))
    window.show_all()
    answer, text = window.run(), entry.get_text()
    window.destroy()
    return text.strip() if answer == Gtk.ResponseType.OK else None
