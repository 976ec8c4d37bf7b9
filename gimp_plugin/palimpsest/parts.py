"""How each part is drawn: texts, buttons, what is written and chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import widgets as ui
from _client.views import drawing, view
from _client.views.drawing import Told
from gi.repository import Gdk, GLib, Gtk, Pango

ARROWS = {"left": "◂", "right": "▸"}
FOLDS = {"right": "pan-end-symbolic", "down": "pan-down-symbolic"}
LINE, STRIP_EDGE = 20, 6  # px of a line that is kept free; around a picture in a row of them
LETTERS = 18  # of a name on a button with a picture, at most


class Drawer(drawing.Drawer):
    def name(self, part: view.Part) -> None:
        self.widget.set_sensitive(part.enabled)
        tip = part.tip or None
        if tip != self.widget.get_tooltip_text():  # setting it shows one that is kept back
            self.widget.set_tooltip_text(tip)
        if part.name:
            self.widget.get_accessible().set_name(part.name)

    def show(self, shown: bool) -> None:
        ui.set_shown(self.outer, shown)

    def drop(self) -> None:
        self.outer.destroy()


class GapDrawer(Drawer):
    def make(self, part: view.Gap) -> Gtk.Widget:
        return Gtk.Box()


class RuleDrawer(Drawer):
    def make(self, part: view.Rule) -> Gtk.Widget:
        return Gtk.Separator()


class TextDrawer(Drawer):
    def make(self, part: view.Text) -> Gtk.Widget:
        made = ui.label("", part.look, wrap=part.wrap)
        if part.lines:
            made.set_properties(yalign=0.0, lines=part.lines, height_request=part.lines * LINE)
            made.set_ellipsize(Pango.EllipsizeMode.END)
        if part.color:
            made.set_valign(Gtk.Align.START)
        if part.selectable:
            made.set_properties(selectable=True, can_focus=False)
        return made

    def put(self, part: view.Text) -> None:
        told = GLib.markup_escape_text(part.text)
        color = GLib.markup_escape_text(part.color)
        self.widget.set_markup(f'<span color="{color}">{told}</span>' if color else told)


class LinksDrawer(Drawer):
    def make(self, part: view.Links) -> Gtk.Widget:
        made = ui.label("", wrap=True)
        made.connect("activate-link", lambda _, word: self._pressed(word))
        return made

    def put(self, part: view.Links) -> None:
        shown = [GLib.markup_escape_text(word) for word in part.words]
        self.widget.set_markup("  ·  ".join(f'<a href="{word}">{word}</a>' for word in shown))

    def _pressed(self, word: str) -> bool:
        below(self.widget, self.part.menu(word), self.view.desktop)
        return True


class ButtonDrawer(Drawer):
    def make(self, part: view.Button) -> Gtk.Widget:
        made = ui.styled(Gtk.Button(), part.look)
        self._name = self._cut(made, part.has_menu) if part.elide else None
        if part.look == view.MAIN:
            made.get_style_context().add_class("suggested-action")
        if part.icon:
            ui.styled(made, view.TIGHT).set_valign(Gtk.Align.START)
            made.set_image(ui.icon(part.icon))
        if part.hold is None:
            made.connect("clicked", lambda _: self._clicked())
        else:
            made.connect("pressed", lambda _: self.part.hold(True))
            made.connect("released", lambda _: self.part.hold(False))
        return made

    def _cut(self, made: Gtk.Button, menu: bool) -> Gtk.Label:
        """Its text, with "…" where there is no room for all of it."""
        name = ui.label(cut=True)
        made.set_relief(Gtk.ReliefStyle.NONE)
        made.add(ui.row(name, *([ui.label("▾")] if menu else []), stretched=None))
        made.set_halign(Gtk.Align.START)
        return name

    def put(self, part: view.Button) -> None:
        made = self.widget
        if part.side:
            self._put_picture(part)
        elif self._name is not None:
            self._name.set_text(part.text)
        elif part.text and not part.icon:
            made.set_label(part.text + " ▾" if part.has_menu and part.look == view.LINK else part.text)
            made.get_accessible().set_name(part.name or part.text)
        if part.arrow and not part.text:
            made.set_label(ARROWS[part.arrow])
        elif part.arrow:
            made.set_image(Gtk.Image.new_from_icon_name(FOLDS[part.arrow], Gtk.IconSize.BUTTON))
            made.set_relief(Gtk.ReliefStyle.NONE)
        made.set_always_show_image(bool(part.icon or part.arrow))

    def _put_picture(self, part: view.Button) -> None:
        """With its name beside it; in a strip the name stands where there is no picture."""
        made, name = self.widget, ui.label(part.text, cut=True)
        name.set_max_width_chars(LETTERS)
        inside = [ui.sight(part.picture, part.side)] if part.picture else []
        if part.look == view.STRIP:
            made.set_size_request(-1, part.side + STRIP_EDGE)
            made.set_relief(Gtk.ReliefStyle.NORMAL if part.on else Gtk.ReliefStyle.NONE)
            ui.styled(name, view.FAINT)
        if part.look != view.STRIP or not inside:
            inside.append(name)
        ui.clear(made).add(ui.row(*inside, stretched=None))
        made.get_child().set_halign(Gtk.Align.CENTER)
        made.get_child().show_all()
        made.get_accessible().set_name(part.name or part.text)

    def _clicked(self) -> None:
        if self.part.has_menu:
            below(self.widget, self.part.menu(), self.view.desktop)
        else:
            self.part.do()


class SwitchDrawer(Drawer):
    typed = True

    def make(self, part: view.Switch) -> Gtk.Widget:
        made = Gtk.CheckButton(label=part.text)
        self._told = Told(lambda: self.part.turn(made.get_active()))
        made.connect("toggled", lambda _: self._told())
        return made

    def put(self, part: view.Switch) -> None:
        self._told.silently(lambda: self.widget.set_active(part.on))


class LineDrawer(Drawer):
    """It may be written otherwise than it was typed; the cursor keeps its place from the end."""

    typed = True

    def make(self, part: view.Line) -> Gtk.Widget:
        made = Gtk.SearchEntry() if part.search else Gtk.Entry()
        made.set_properties(hexpand=True, visibility=not part.secret, activates_default=part.default)
        self._told = Told(lambda: self.part.write(made.get_text()))
        made.connect("changed", lambda _: self._told())
        if part.enter is not None:
            made.connect("activate", lambda _: self.part.enter())
        return made

    def put(self, part: view.Line) -> None:
        """Not at once: GTK is still at work on what was typed."""
        self.widget.set_placeholder_text(part.example)
        if part.text != self.widget.get_text():
            GLib.idle_add(self._put)

    def _put(self) -> bool:
        made, text = self.widget, self.part.text
        if text != made.get_text():
            from_end = made.get_text_length() - made.get_position()
            self._told.silently(lambda: made.set_text(text))
            made.set_position(max(0, made.get_text_length() - from_end))
        return GLib.SOURCE_REMOVE


class OptionsDrawer(Drawer):
    """The same ones each time."""

    typed = True

    def make(self, part: view.Options) -> Gtk.Widget:
        choose = lambda key: self.part.choose(key)  # noqa: E731
        return ui.Choices(part.options, choose, icons=isinstance(part, view.Tabs), high=part.high)

    def put(self, part: view.Options) -> None:
        self.widget.show_chosen(part.chosen)
        for option in part.options:
            self.widget.buttons[option.key].set_sensitive(option.enabled)
            self.widget.buttons[option.key].set_tooltip_text(option.tip or None)


class PickDrawer(Drawer):
    typed = True

    def make(self, part: view.Pick) -> Gtk.Widget:
        return ui.Choice(lambda key: self.part.choose(key))

    def put(self, part: view.Pick) -> None:
        self.widget.show_entries([(option.key, option.text) for option in part.options], part.chosen)


class BarDrawer(Drawer):
    def make(self, part: view.Bar) -> Gtk.Widget:
        return Gtk.ProgressBar(valign=Gtk.Align.CENTER)

    def put(self, part: view.Bar) -> None:
        self.widget.get_accessible().set_description(part.about)
        if part.fraction is None:
            self.widget.pulse()
        else:
            self.widget.set_fraction(part.fraction)

    def show(self, shown: bool) -> None:
        if self.part.keep:
            self.widget.set_opacity(1.0 if shown else 0.0)
        else:
            super().show(shown)


def menu_of(lines: Sequence[view.MenuLine], desktop: Any, widget: Gtk.Widget) -> Gtk.Menu:
    """Of a widget, for one time: it goes when something was chosen, or nothing."""
    menu = Gtk.Menu()
    menu.attach_to_widget(widget, None)
    menu.connect("selection-done", lambda _: GLib.idle_add(menu.destroy))
    for told in lines:
        if not told.text:
            menu.append(Gtk.SeparatorMenuItem())
            continue
        item = Gtk.MenuItem(label=told.text) if told.chosen is None else Gtk.CheckMenuItem(label=told.text)
        if told.chosen:
            item.set_active(True)
        item.connect("activate", lambda _, told=told: desktop.follow(told))
        menu.append(item)
    menu.show_all()
    return menu


def below(widget: Gtk.Widget, lines: Sequence[view.MenuLine], desktop: Any) -> None:
    corners = Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST
    menu_of(lines, desktop, widget).popup_at_widget(widget, *corners, None)


PARTS: dict[type, Any] = {
    view.Gap: GapDrawer,
    view.Rule: RuleDrawer,
    view.Text: TextDrawer,
    view.Links: LinksDrawer,
    view.Button: ButtonDrawer,
    view.Switch: SwitchDrawer,
    view.Line: LineDrawer,
    view.Options: OptionsDrawer,
    view.Tabs: OptionsDrawer,
    view.Pick: PickDrawer,
    view.Bar: BarDrawer,
}
