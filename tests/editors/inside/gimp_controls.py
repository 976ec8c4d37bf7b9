"""The window's part with sliders and numbers, made by GIMP's own Python and GTK in the driver's process.

The window is a process of its own, into which no test can look. What can be called here: gimp_steps.py.
"""

from dataclasses import asdict
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from _client.panel.panel import Panel  # noqa: E402
from _client.views.controls_view import ControlsView  # noqa: E402
from _client.views.view import Button, Picture, Tile, column  # noqa: E402
from _client.views.windows import Windows  # noqa: E402
from dialogs import Desktop  # noqa: E402
from gi.repository import Gtk  # noqa: E402
from host import GimpEditor  # noqa: E402
from view import View  # noqa: E402


class Controls:
    """In a window that is too low for all of it, under a field that has the keyboard."""

    def __init__(self, width, height):
        editor = GimpEditor()
        self.panel = Panel("gimp", editor, self.draw)
        self.applied = []  # the settings, each time
        self.told = ControlsView(self.panel, lambda: self.applied.append(self.settings()))
        self.told.unfolded = True
        entry, self.part = Gtk.Entry(), View(self.panel.session, None)
        inside = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        for child in (entry, self.part):
            inside.pack_start(child, False, False, 0)
        self.shelf = None
        self.scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        self.scrolled.add(inside)
        self.window = Gtk.Window(title="Controls")
        self.draw(self.panel.state)
        self.desktop = Desktop(self.window, self.panel.session)
        self.windows = Windows(self.panel, editor, self.desktop, print)
        self.window.add(self.scrolled)
        self.window.set_default_size(width, height)
        self.window.show_all()
        entry.grab_focus()

    def draw(self, state):
        self.part.draw(self.told.describe())

    def close(self):
        self.close_page()
        self.window.destroy()

    def settings_page(self):
        """What its own fields are filled in with. It stays open until the window is closed."""
        page = self.page()
        numbers = [page["own-" + name].get_value() for name in ("feather", "variations")]
        return [*numbers, page["own-language"].get_active_id()]

    def prefer(self, name, value):
        """On the settings page, by its own field."""
        self.page()["own-" + name].set_value(value)

    def page(self):
        self.close_page()
        self.windows.settings()
        (self.dialog,) = self.desktop._open.values()
        return self.dialog.view

    def close_page(self):
        for dialog in list(self.desktop._open.values()):
            dialog.destroy()

    def field(self, name):
        """The widget that takes what people do."""
        return self.part[name]

    def facts(self, name):
        """least, most, step (of a choice: what can be chosen), its name and tip for readers of the screen"""
        found = self.field(name)
        told = found.get_accessible()
        if hasattr(found, "get_adjustment"):
            reach = found.get_adjustment()
            numbers = [reach.get_lower(), reach.get_upper(), reach.get_step_increment()]
        else:
            numbers = [row[1] for row in found.get_model()]
        return [numbers, told.get_name(), told.get_description()]

    def bring(self, name):
        """Scroll to where it is as far from the ends as can be."""
        found, bar = self.field(name), self.scrolled.get_vadjustment()
        _, y = found.translate_coordinates(self.part, 0, 0)
        bar.set_value(y - bar.get_page_size() / 2)

    def place(self, name):
        """Its middle on the screen."""
        found = self.field(name)
        x, y = found.translate_coordinates(self.window, 0, 0)
        _, left, top = self.window.get_window().get_origin()
        size = found.get_allocation()
        return [left + x + size.width // 2, top + y + size.height // 2]

    def may_show_tip(self, name):
        return self.field(name).get_has_tooltip()

    def show_tile(self):
        """A result with a tip, in place of the fields."""
        inside = self.part.get_parent()
        self.part.destroy()
        self.part = View(self.panel.session, None)
        self.part.draw(column("tiles", Tile("tile", tip="of it", side=64)))
        inside.pack_start(self.part, False, False, 0)
        self.part.show()

    def show_tiles(self, on):
        """Two results in place of the fields; this one is looked at. Which one has the keyboard: the first
        has it at the beginning."""
        made = getattr(self, "tiles", None)
        if made is None:
            made = self.tiles = View(self.panel.session, None)
            self.part.get_parent().pack_start(made, False, False, 0)
        made.draw(column("tiles", *(Tile(key, side=64, on=key == on) for key in ("first", "second"))))
        made.show()
        if on == "first":
            made["first"].grab_focus()
        return next((key for key in ("first", "second") if made[key].is_focus()), "")

    def menus(self, name):
        """How many this button has."""
        return len(Gtk.Menu.get_for_attach_widget(self.field(name)))

    def shelve(self, paths):
        """Draw these pictures, in place of those before."""
        if self.shelf is None:
            self.shelf = View(self.panel.session, None)
        contents = [Path(path).read_bytes() for path in paths]
        pictures = [Picture(f"p{n}", content=c, side=32, chequered=True) for n, c in enumerate(contents)]
        self.shelf.draw(column("shelf", *pictures))

    def made(self):
        """Of the pictures that the shelf keeps: which are made."""
        self.panel.session.drain()
        assert self.shelf is not None
        return [one is not None for one in self.shelf._made.values()]

    def cut(self, menu):
        """The texts on a button whose name is cut where there is no room, with or without a menu."""
        shown = View(self.panel.session, None)
        shown.draw(column("all", Button("cut", text="a name", elide=True, has_menu=menu)))
        return [label.get_text() for label in shown["cut"].get_child().get_children()]

    def at(self):
        return self.scrolled.get_vadjustment().get_value()

    def settings(self):
        return asdict(self.panel.form.settings)
