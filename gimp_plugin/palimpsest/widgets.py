"""The window's small parts in GTK 3. Each tells what people do with it, never what it is set to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path

from _client.editor.geometry import Bounds, in_rows
from _client.text.sentences import Word
from _client.views.drawing import Told
from _client.views.icons import icon_file
from _client.views.view import Option
from gi.repository import Gdk, GdkPixbuf, Gio, GLib, Gtk, Pango

SPACE, GAP = 6, 4  # px
ACCENT = (0.29, 0.56, 0.85)  # red, green, blue: readable on dark and on bright themes
DOUBTED = (0.82, 0.54, 0.12)
SIGHT = 64  # px, side of a thumbnail
CHOICE_EDGE = 8  # px beside the text of a choice
STYLE = Path(__file__).with_name("style.css")


def use_style() -> None:
    """What GTK's theme doesn't say; colours of text and ground stay the theme's own."""
    provider = Gtk.CssProvider()
    provider.load_from_path(str(STYLE))
    screen = Gdk.Screen.get_default()
    Gtk.StyleContext.add_provider_for_screen(screen, provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)


def styled(widget: Gtk.Widget, look: str) -> Gtk.Widget:
    """As the style sheet says of this look; "" = as GTK's theme has it."""
    if look:
        widget.get_style_context().add_class("palimpsest-" + look)
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


def label(text: str = "", look: str = "", wrap: bool = False, cut: bool = False) -> Gtk.Label:
    """Left-aligned; a wrapping one never asks for more width than there is. ``cut``: with "…" there."""
    made = Gtk.Label(label=text, xalign=0.0)
    if cut:
        made.set_ellipsize(Pango.EllipsizeMode.END)
    if wrap:
        made.set_properties(wrap=True, max_width_chars=1, hexpand=True)
    return styled(made, look)


def icon(name: str) -> Gtk.Image:
    """One of ours, in the colour of the text beside it."""
    file = Gio.File.new_for_path(str(icon_file(name)))
    return Gtk.Image.new_from_gicon(Gio.FileIcon.new(file), Gtk.IconSize.MENU)


def double_click_time() -> int:
    """In ms."""
    return Gtk.Settings.get_default().get_property("gtk-double-click-time")


def set_shown(widget: Gtk.Widget, shown: bool) -> None:
    widget.set_no_show_all(not shown)
    if shown:
        widget.show_all()
    else:
        widget.hide()


def scrolled(inside: Gtk.Widget | None = None, **about: object) -> Gtk.ScrolledWindow:
    """Up and down only."""
    made = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, **about)
    if inside is not None:
        made.add(inside)
    return made


def key_of(event: Gdk.EventKey) -> str:
    """Its name: "return", "left", "o" …"""
    name = Gdk.keyval_name(event.keyval).lower()
    return "return" if name == "kp_enter" else name


def pressed(event: Gdk.EventKey) -> tuple[str, bool, bool]:
    """The key, and whether Control and Alt are held."""
    masks = (Gdk.ModifierType.CONTROL_MASK, Gdk.ModifierType.MOD1_MASK)
    control, alt = (bool(event.state & mask) for mask in masks)
    return key_of(event), control, alt


def clear(box: Gtk.Container) -> Gtk.Container:
    for child in box.get_children():
        box.remove(child)
    return box


class Lines(Gtk.TextView):
    """As narrow as there is room: GTK's own never gets narrower than its longest line is."""

    def do_get_preferred_width(self) -> tuple[int, int]:
        return 1, 1


class Field(Gtk.Frame):
    """A sentence that grows with its text, with an example as long as it is empty. Tab leaves it, Return
    calls ``entered``. ``beside``: a widget in its lower corner."""

    def __init__(
        self,
        changed: Callable[[str], None],
        entered: Callable[[], object] | None = None,
        beside: Gtk.Widget | None = None,
    ) -> None:
        super().__init__(shadow_type=Gtk.ShadowType.IN)
        self._told, self._entered = Told(changed), entered
        self._marks: tuple[tuple[str, Iterable[Word]], ...] = ()
        self.view = Lines(wrap_mode=Gtk.WrapMode.WORD_CHAR, accepts_tab=False, border_width=GAP)
        self.view.connect("key-press-event", lambda _, event: self._pressed(event))
        self._buffer = self.view.get_buffer()
        self._buffer.connect("changed", self._written)
        ground = Gdk.RGBA(*ACCENT, 0.35)
        self._buffer.create_tag("changed", underline=Pango.Underline.SINGLE, background_rgba=ground)
        amber = Gdk.RGBA(*DOUBTED, 1)
        self._buffer.create_tag("doubtful", underline=Pango.Underline.SINGLE, underline_rgba=amber)
        self._buffer.create_tag("unknown", underline=Pango.Underline.ERROR)
        self._example = label("", "example", cut=True)
        self._example.set_no_show_all(True)  # it is shown only where nothing is written
        self._example.set_valign(Gtk.Align.START)
        above = Gtk.Box(border_width=GAP)  # as the text: an overlay counts margins twice
        above.pack_start(self._example, True, True, 0)
        over = Gtk.Overlay(hexpand=True)
        over.add(self.view)
        over.add_overlay(above)
        over.set_overlay_pass_through(above, True)
        inside = styled(Gtk.Box(), "field")
        inside.pack_start(over, True, True, 0)
        if beside is not None:
            beside.set_valign(Gtk.Align.END)
            inside.pack_start(beside, False, False, 0)
        self.add(inside)

    @property
    def text(self) -> str:
        """In one line, whatever was put in."""
        return self._buffer.get_text(*self._buffer.get_bounds(), False).replace("\n", " ")

    @property
    def cursor(self) -> int:
        return self._buffer.get_property("cursor-position")

    def show_text(self, text: str, example: str = "") -> None:
        if text != self.text:
            self._told.silently(lambda: self._buffer.set_text(text))
        self._example.set_text(example)
        self._example.set_visible(not text)

    def mark(self, changed: Iterable[Word], unknown: Iterable[Word], doubtful: Iterable[Word] = ()) -> None:
        """The words that change; in waves those that mean nothing here, underlined in amber doubtful ones."""
        self._marks = ("changed", changed), ("doubtful", doubtful), ("unknown", unknown)
        self._put_marks()

    def _put_marks(self) -> None:
        self._buffer.remove_all_tags(*self._buffer.get_bounds())
        for tag, found in self._marks:
            for word in found:
                places = (self._buffer.get_iter_at_offset(at) for at in (word.start, word.stop))
                self._buffer.apply_tag_by_name(tag, *places)

    def focus(self, word: Word) -> None:
        """With these letters chosen: what is written takes their place."""
        self.view.grab_focus()
        self._buffer.select_range(*map(self._buffer.get_iter_at_offset, (word.stop, word.start)))

    def delete_selected(self) -> None:
        self._told.silently(lambda: self._buffer.delete_selection(True, True))
        self._told(self.text)

    def _written(self, _: Gtk.TextBuffer) -> None:
        self._example.set_visible(not self.text)
        self._told(self.text)
        self._put_marks()  # they go with the text, also where the same is written again

    def _pressed(self, event: Gdk.EventKey) -> bool:
        """Whoever writes Chinese chooses letters with Return: that is not for us."""
        if key_of(event) != "return" or self._entered is None:
            return False
        if not self.view.im_context_filter_keypress(event):
            self._entered()
        return True


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
    """One of some buttons side by side; with ``icons`` above their texts, and alone where
    the texts don't fit; ``high``: one under the other, as lines of text."""

    def __init__(
        self,
        options: Iterable[Option],
        chosen: Callable[[str], None],
        icons: bool = False,
        high: bool = False,
    ) -> None:
        way = Gtk.Orientation.VERTICAL if high else Gtk.Orientation.HORIZONTAL
        super().__init__(orientation=way, homogeneous=False, spacing=SPACE if high else 0)
        self._told = Told(chosen)
        if not high:
            self.get_style_context().add_class("linked")
            styled(self, "choice")
        self.buttons: dict[str, Gtk.RadioButton] = {}
        self._texts: list[Gtk.Label] = []
        self._none = Gtk.RadioButton()  # what is chosen while none of them is
        for option in options:
            made = Gtk.RadioButton.new_from_widget(self._none)
            made.set_mode(high)
            made.add(self._face(option) if icons else Gtk.Label(label=option.text))
            made.get_accessible().set_name(option.text)
            made.connect("toggled", self._toggled, option.key)
            self.pack_start(made, True, True, 0)
            self.buttons[option.key] = made
        if icons:
            self.connect("size-allocate", lambda _, given: GLib.idle_add(self._fit, given.width))

    def show_chosen(self, key: str) -> None:
        self._told.silently(lambda: self.buttons.get(key, self._none).set_active(True))

    def _face(self, option: Option) -> Gtk.Widget:
        shown = label(option.text, "small", cut=True)
        shown.set_xalign(0.5)
        self._texts.append(shown)
        face = column(icon(option.key), shown)
        face.set_spacing(1)
        return face

    def _fit(self, width: int) -> bool:
        """All texts or none."""
        needed = sum(width_of(text) + CHOICE_EDGE for text in self._texts)
        for text in self._texts:
            if text.get_visible() != (needed <= width):
                set_shown(text, needed <= width)
        return GLib.SOURCE_REMOVE

    def _toggled(self, made: Gtk.RadioButton, key: str) -> None:
        if made.get_active():
            self._told(key)


class Flow(Gtk.Fixed):
    """Widgets side by side, each as wide as it wants to be, going on in the next row where the width ends.

    ``one_row``: what doesn't fit into the first isn't shown.
    """

    def __init__(self, one_row: bool = False) -> None:
        super().__init__()
        self._one_row = one_row
        self._order: list[Gtk.Widget] = []

    def place(self, widgets: list[Gtk.Widget]) -> None:
        """These, in this order."""
        self._order = widgets
        for widget in widgets:
            if widget.get_parent() is None:
                self.add(widget)
        self.queue_resize()

    def do_get_request_mode(self) -> Gtk.SizeRequestMode:
        return Gtk.SizeRequestMode.HEIGHT_FOR_WIDTH

    def do_get_preferred_width(self) -> tuple[int, int]:
        wanted = self._widths()
        return 0, sum(wanted) + GAP * max(0, len(wanted) - 1)

    def do_get_preferred_height_for_width(self, width: int) -> tuple[int, int]:
        height = max((place.bottom for place in self._places(width)), default=0)
        return height, height

    def do_get_preferred_height(self) -> tuple[int, int]:
        return self.do_get_preferred_height_for_width(self.do_get_preferred_width()[1])

    def do_size_allocate(self, given: Gdk.Rectangle) -> None:
        self.set_allocation(given)
        mirrored = self.get_direction() == Gtk.TextDirection.RTL
        for child, place in zip_longest(self._shown(), self._places(given.width)):
            child.set_child_visible(place is not None)
            if place is not None:
                at = Gdk.Rectangle()
                at.x = given.x + (given.width - place.right if mirrored else place.x)
                at.y, at.width, at.height = given.y + place.y, place.width, place.height
                child.size_allocate(at)

    def _shown(self) -> list[Gtk.Widget]:
        return [child for child in self._order if child.get_visible()]

    def _widths(self) -> list[int]:
        return [child.get_preferred_width()[1] for child in self._shown()]

    def _places(self, width: int) -> list[Bounds]:
        """Of those that are shown, within a box of this width."""
        shown = self._shown()
        height = lambda number, wide: shown[number].get_preferred_height_for_width(wide)[1]  # noqa: E731
        return in_rows(self._widths(), height, width, GAP, self._one_row)


def width_of(text: Gtk.Label) -> int:
    """That its letters need, also while it isn't shown."""
    return text.create_pango_layout(text.get_text()).get_pixel_size()[0]


def sight(content: bytes | None, side: int = SIGHT) -> Gtk.Image:
    """The picture at ``side`` pixels; an empty place if it can't be read."""
    pixbuf = pixbuf_of(content, side)
    if pixbuf is None:
        return Gtk.Image.new_from_icon_name("image-x-generic", Gtk.IconSize.DIALOG)
    return Gtk.Image.new_from_pixbuf(pixbuf)


def pixbuf_of(content: bytes | None, side: int) -> GdkPixbuf.Pixbuf | None:
    """As large as fits into ``side`` pixels square; None if it can't be read."""
    stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(content or b""))
    try:
        return GdkPixbuf.Pixbuf.new_from_stream_at_scale(stream, side, side, True, None)
    except GLib.Error:
        return None
