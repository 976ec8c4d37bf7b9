"""What holds parts: rows, columns, forms, and what flows or scrolls."""

from __future__ import annotations

from typing import Any

import widgets as ui
from _client.views import view
from gi.repository import GLib, Gtk
from parts import Drawer

NEAR, EDGE = 2, 8  # px between what belongs together, and around the panel


class BoxDrawer(Drawer):
    """Its parts keep their places as long as their keys do."""

    def __init__(self, view: Any, part: Any) -> None:
        self._inside: list[Any] = []
        super().__init__(view, part)

    def make(self, part: Any) -> Gtk.Widget:
        way = Gtk.Orientation.HORIZONTAL if isinstance(part, view.Row) else Gtk.Orientation.VERTICAL
        made = Gtk.Box(orientation=way, spacing=NEAR if part.look == view.CLOSE else ui.SPACE)
        if part.look == view.STRIP:
            made.set_properties(homogeneous=True, spacing=NEAR)
        if part.look == view.EDGED:
            made.set_border_width(EDGE)
        if part.look == view.ODD:
            ui.styled(made, "odd").set_halign(Gtk.Align.START)
        return made

    def put(self, part: view.Box) -> None:
        inside = [self.view.drawn(inner) for inner in part.parts]
        if inside != self._inside:
            self._inside = inside
            self.arrange(part)

    def show(self, shown: bool) -> None:
        if shown and self.part.late:
            GLib.timeout_add(ui.double_click_time(), self._come)
        else:
            super().show(shown)

    def _come(self) -> bool:
        made = self.widget

        def placed(*_: Any) -> None:
            made.disconnect(waiting)
            GLib.idle_add(self.view.reveal)  # when all else is in its place too

        if view.is_shown(self.part) and not made.get_visible():
            waiting = made.connect("size-allocate", placed)
        super().show(view.is_shown(self.part))
        return GLib.SOURCE_REMOVE

    def arrange(self, part: view.Box) -> None:
        most = max((inner.grow for inner in part.parts), default=0)
        for at, drawer in enumerate(self._inside):
            if drawer.outer.get_parent() is None:
                self.widget.pack_start(drawer.outer, 0 < drawer.part.grow == most, True, 0)
            self.widget.reorder_child(drawer.outer, at)


class FlowDrawer(BoxDrawer):
    def make(self, part: view.Flow) -> Gtk.Widget:
        return ui.Flow(part.one_row)

    def arrange(self, part: view.Box) -> None:
        self.widget.place([drawer.outer for drawer in self._inside])


class FormDrawer(BoxDrawer):
    """Always of the same parts."""

    def make(self, part: view.Form) -> Gtk.Widget:
        self._captions: list[Any] = []
        return Gtk.Grid(row_spacing=ui.SPACE, column_spacing=ui.SPACE)

    def put(self, part: view.Form) -> None:
        super().put(part)
        for caption, drawer in zip(self._captions, self._inside):
            if caption is not None:
                ui.set_shown(caption, view.is_shown(drawer.part))
                caption.set_tooltip_text(drawer.part.tip or None)

    def arrange(self, part: view.Form) -> None:
        self._captions = [None if text is None else ui.label(text) for text in part.captions]
        for caption in filter(None, self._captions if part.look == view.SMALL else ()):
            ui.styled(caption, "small").set_line_wrap(True)  # in a narrow window the fields need the room
        for at, (caption, drawer) in enumerate(zip(self._captions, self._inside)):
            if caption is None:
                self.widget.attach(drawer.outer, 0, at, 2, 1)
                continue
            drawer.outer.set_hexpand(True)
            self.widget.attach(caption, 0, at, 1, 1)
            self.widget.attach(drawer.outer, 1, at, 1, 1)


class ScrollDrawer(BoxDrawer):
    def make(self, part: view.Scroll) -> Gtk.Widget:
        least = {"min_content_height": part.least} if part.least else {}
        return ui.scrolled(**least)

    def arrange(self, part: view.Box) -> None:
        self.widget.add(self._inside[0].outer)


BOXES: dict[type, Any] = {
    view.Row: BoxDrawer,
    view.Column: BoxDrawer,
    view.Sliders: BoxDrawer,
    view.Flow: FlowDrawer,
    view.Form: FormDrawer,
    view.Scroll: ScrollDrawer,
}
