# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What was made: looked at on the canvas before it is kept."""

from __future__ import annotations

from collections.abc import Callable

import widgets as ui
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.results import Result, Strip
from _client.wording import say
from gi.repository import Gdk, GLib, Gtk

RESULT = 64  # px
FADED = 0.4  # of a result of another picture


class ResultsPart(Gtk.Box):
    """``shown``: what can be done with the one that is looked at, put where it needs no scrolling."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel, self._gallery = panel, panel.gallery
        self._none = ui.label(say("no-results"), "quiet", wrap=True)
        self._results = ui.tiles()
        self._tiles: dict[tuple[str, str], Gtk.ToggleButton] = {}
        self._told = ui.Told(self._gallery.show_everything)
        self._everything = Gtk.CheckButton(label=say("all-results"), tooltip_text=say("tip-all-results"))
        self._everything.connect("toggled", lambda made: self._told(made.get_active()))
        title = ui.row(ui.label(say("results")), self._everything)
        for part in (title, self._none, self._results):
            self.pack_start(part, False, False, 0)
        self.shown = self._shown_part()

    def _shown_part(self) -> Gtk.Widget:
        keep = ui.button(say("keep"), self._gallery.keep, "tight", tip=say("tip-keep"))
        discard = ui.button(say("discard"), self._gallery.discard, "tight", tip=say("tip-discard"))
        for made in (keep, discard):  # it is hidden then: no field may get the keys in its place
            made.connect_after("clicked", lambda _: self.get_toplevel().set_focus(None))
        original = ui.button(say("original"), lambda: None, "tight", tip=say("tip-original"))
        original.connect("pressed", lambda _: self._gallery.compare(True))
        original.connect("released", lambda _: self._gallery.compare(False))
        shown = ui.tiles()
        shown.fill((keep, discard, original, self._arrow(-1), self._arrow(1)))
        return shown

    def _arrow(self, by: int) -> Gtk.Widget:
        text = say("result-before" if by < 0 else "result-after")
        sign = "◂" if by < 0 else "▸"
        made = ui.button(sign, lambda: self._gallery.step(by), "deed", "tight", tip=text)
        made.get_accessible().set_name(text)
        return made

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        strip = state.strip
        last = None if before is None else (before.strip.results, before.strip.foreign)
        if last != (strip.results, strip.foreign):
            self._draw_results(strip)
        self._told.silently(lambda: self._everything.set_active(strip.everything))
        for key, made in self._tiles.items():
            made.set_active(key == strip.shown)
        if strip.shown is None:
            ui.set_shown(self.shown, False)
        elif before is None or before.strip.shown != strip.shown:
            pause = self.get_settings().get_property("gtk-double-click-time")
            GLib.timeout_add(pause, self._show_deeds)  # nothing moves below the mouse within a double-click

    def _show_deeds(self) -> None:
        ui.set_shown(self.shown, self._panel.state.strip.shown is not None)
        GLib.idle_add(self._reveal)  # when all is in its place

    def _reveal(self) -> None:
        """Scrolls to what is looked at."""
        made, view = self._tiles.get(self._panel.state.strip.shown), self.get_ancestor(Gtk.Viewport)
        if made is not None and view is not None:
            _, top = made.translate_coordinates(view.get_child(), 0, 0)
            view.get_vadjustment().clamp_page(top, top + made.get_allocated_height())

    def _draw_results(self, strip: Strip) -> None:
        """The focus stays with the result that had it."""
        at = next((key for key, made in self._tiles.items() if made.has_focus()), None)
        ui.cleared(self._results)
        self._tiles = {result.key: self._tile(result, strip) for result in strip.results}
        for made in self._tiles.values():
            self._results.add(made)
        ui.set_shown(self._results, bool(strip.results))
        ui.set_shown(self._none, not strip.results)
        if at in self._tiles:
            self._tiles[at].grab_focus()

    def _tile(self, result: Result, strip: Strip) -> Gtk.ToggleButton:
        """A click shows it, a double-click keeps it, the arrow keys go on from it."""
        made = Gtk.ToggleButton(image=ui.sight(result.thumbnail, RESULT), always_show_image=True)
        ui.styled(made, "result")
        made.set_tooltip_text(strip.tip(result))
        made.set_opacity(FADED if result.key in strip.foreign else 1.0)
        made.get_accessible().set_name(strip.label(result))
        made.get_accessible().set_description(strip.tip(result))
        made.connect("clicked", lambda _: self._clicked(made, result))
        made.connect("button-press-event", lambda _, event: self._pressed(result, event))
        made.connect("popup-menu", lambda _: self._offer(result, None))
        made.connect("key-press-event", lambda _, event: self._key(event, True))
        made.connect("key-release-event", lambda _, event: self._key(event, False))
        return made

    def _clicked(self, made: Gtk.ToggleButton, result: Result) -> None:
        """Also when the panel itself sets it: then it is what is shown already."""
        if made.get_active() != (self._panel.state.strip.shown == result.key):
            made.set_active(not made.get_active())
            self._gallery.show(result)

    def _pressed(self, result: Result, event: Gdk.EventButton) -> bool:
        if event.type == Gdk.EventType.DOUBLE_BUTTON_PRESS and event.button == Gdk.BUTTON_PRIMARY:
            self._gallery.keep(result)
            return True
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button == Gdk.BUTTON_SECONDARY:
            return self._offer(result, event)
        return False

    def _key(self, event: Gdk.EventKey, down: bool) -> bool:
        if event.state & Gdk.ModifierType.CONTROL_MASK:
            return False
        name = Gdk.keyval_name(event.keyval).lower()
        return self._gallery.press("return" if name == "kp_enter" else name, down)

    def _offer(self, result: Result, event: Gdk.EventButton | None) -> bool:
        """The menu of a result."""
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        menu = Gtk.Menu(attach_widget=self._tiles[result.key])
        copy: Callable[[str], None] = lambda text: clipboard.set_text(text, -1)  # noqa: E731
        for text, call in self._gallery.menu(result, self._panel.use_settings, copy):
            item = Gtk.MenuItem(label=text)
            item.connect("activate", lambda _, call=call: call())
            menu.append(item)
        menu.show_all()
        menu.popup_at_pointer(event)
        return True
