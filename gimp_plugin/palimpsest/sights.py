"""Pictures, lists of them, and results."""

from __future__ import annotations

from typing import Any

import widgets as ui
from _client.editor.masks import veil
from _client.views.drawing import Told
from _client.views.view import Choices, Option, Picture, Tile
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk
from parts import Drawer, menu_of

SQUARE, LIGHT, GREY = 8, 0xFFFFFFFF, 0xFFBEBEBE  # chequers under what is transparent
FADED = 0.4  # of a result of another picture


class PictureDrawer(Drawer):
    def make(self, part: Picture) -> Gtk.Widget:
        made = Gtk.Image(valign=Gtk.Align.START)
        if part.chequered:
            made.set_size_request(part.side, part.side)
        return made

    def around(self, part: Picture) -> Gtk.Widget:
        if not part.badge:
            return self.widget
        outer, start = Gtk.Overlay(), Gtk.Align.START
        outer.add(self.widget)
        outer.add_overlay(ui.styled(Gtk.Label(label=part.badge, halign=start, valign=start), "badge"))
        return outer

    def put(self, part: Picture) -> None:
        if part.chequered:
            made = self.view.aside(self, sight, part.content, part.mask, part.side)
        else:
            made = ui.pixbuf_of(part.content, part.side)
        if made is not None:
            self.widget.set_from_pixbuf(made)


class ChoicesDrawer(Drawer):
    typed = True

    def make(self, part: Choices) -> Gtk.Widget:
        made = Gtk.ListBox(activate_on_single_click=False)
        self._options: tuple[Option, ...] = ()
        self._told = Told(lambda name: self.part.choose(name))
        made.connect("row-selected", lambda _, row: None if row is None else self._told(row.get_name()))
        made.connect("row-activated", lambda *_: self.part.enter())
        return made

    def around(self, part: Choices) -> Gtk.Widget:
        return ui.scrolled(self.widget)

    def put(self, part: Choices) -> None:
        self._told.silently(lambda: self._put(part))

    def _put(self, part: Choices) -> None:
        if part.options != self._options:
            self._options = part.options
            ui.clear(self.widget)
            for option in part.options:
                self.widget.add(self._row(option, part.side))
            self.widget.show_all()
        row = self.widget.get_row_at_index(part.at) if part.at >= 0 else None
        if self.widget.get_selected_row() is not row:
            self.widget.select_row(row)

    def _row(self, option: Option, side: int) -> Gtk.ListBoxRow:
        text = ui.label(option.text, cut=True)
        text.set_sensitive(option.enabled)
        made = Gtk.ListBoxRow(name=option.key, tooltip_text=option.tip or None)
        made.add(ui.row(ui.sight(option.picture, side), text, stretched=1) if option.picture else text)
        return made


class TileDrawer(Drawer):
    typed = True

    def make(self, part: Tile) -> Gtk.Widget:
        made = ui.styled(Gtk.ToggleButton(always_show_image=True), "result")
        self._picture: bytes | None = b""
        self._told = Told(self._clicked)
        made.connect("clicked", lambda _: self._told())
        made.connect("button-press-event", lambda _, event: self._pressed(event))
        made.connect("leave-notify-event", lambda *_: made.set_has_tooltip(True))
        made.connect("popup-menu", lambda _: self._offer(None))
        made.connect("key-press-event", lambda _, event: self._key(event, True))
        made.connect("key-release-event", lambda _, event: self._key(event, False))
        return made

    def put(self, part: Tile) -> None:
        made = self.widget
        if part.on and not made.get_active():
            GLib.timeout_add(ui.double_click_time(), self.view.reveal)
            if self.view.get_toplevel().get_focus() in [tile.widget for tile in self.view.drawers(Tile)]:
                made.grab_focus()  # the arrows go through the row
        self._told.silently(lambda: made.set_active(part.on))
        made.set_opacity(FADED if part.faded else 1.0)
        made.get_accessible().set_description(part.tip)
        if part.picture is not self._picture:
            self._picture = part.picture
            made.set_image(ui.sight(part.picture, part.side))

    def _clicked(self) -> None:
        self._told.silently(lambda: self.widget.set_active(self.part.on))  # the panel says which is shown
        self.part.do()

    def _pressed(self, event: Gdk.EventButton) -> bool:
        self.widget.set_has_tooltip(False)  # it would lie over Keep and Discard, which come now
        if event.type == Gdk.EventType.DOUBLE_BUTTON_PRESS and event.button == Gdk.BUTTON_PRIMARY:
            self.part.keep()
            return True
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button == Gdk.BUTTON_SECONDARY:
            return self._offer(event)
        return False

    def _key(self, event: Gdk.EventKey, down: bool) -> bool:
        key, control, _ = ui.pressed(event)
        return not control and self.part.press(key, down)

    def _offer(self, event: Gdk.EventButton | None) -> bool:
        """The menu of a result."""
        menu_of(self.part.menu(), self.view.desktop, self.widget).popup_at_pointer(event)
        return True


def sight(image: bytes, mask: bytes | None, side: int) -> GdkPixbuf.Pixbuf | None:
    """Chequers where the picture is transparent, dark where it isn't learned from. None if unreadable."""
    small = ui.pixbuf_of(image, side)
    if small is None:
        return None
    width, height, way = small.get_width(), small.get_height(), GdkPixbuf.InterpType.NEAREST
    seen = small.composite_color_simple(width, height, way, 255, SQUARE, LIGHT, GREY)
    grey = None if mask is None else ui.pixbuf_of(mask, side)
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


SIGHTS: dict[type, Any] = {Picture: PictureDrawer, Choices: ChoicesDrawer, Tile: TileDrawer}
