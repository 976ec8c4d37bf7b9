"""GIMP's own dialog for one menu item, when the Palimpsest window isn't open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from _client.gimp.procedures import Argument, Procedure
from _client.text.wording import say
from gi.repository import GimpUi, GObject, Gtk

WIDTH = 480  # px


def ask(procedure: Any, told: Procedure, config: Any, why_not: Callable[[], str]) -> bool:
    """Whether it was accepted: ``config`` has the values then, and GIMP keeps them as last ones. It stays
    open, with what was written, as long as ``why_not`` gives a reason."""
    GimpUi.init(procedure.get_name())
    window = GimpUi.ProcedureDialog.new(procedure, config, told.title)
    texts = fill(window, [argument for argument in told.arguments if argument.asked])
    reason = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=1, margin_top=8, no_show_all=True)
    window.get_content_area().pack_start(reason, False, False, 0)
    while True:
        focus(texts)  # at once: what is typed now is meant for the missing one
        accepted = window.run()
        text = why_not() if accepted else ""
        if not text:
            break
        reason.set_text(text)
        reason.show()
    window.destroy()
    return accepted


def fill(window: GimpUi.ProcedureDialog, shown: list[Argument]) -> list[Gtk.Entry]:
    """The fields for texts, of which there is one, always."""
    for argument in shown:
        if argument.limits is not None:
            window.get_scale_entry(argument.name, 1.0).set_bounds(*argument.limits, True)
    window.fill([argument.name for argument in shown])
    window.set_size_request(WIDTH, -1)
    texts = [argument for argument in shown if isinstance(argument.default, str)]
    entries = [window.get_widget(argument.name, GObject.TYPE_NONE).get_entry() for argument in texts]
    for argument, entry in zip(texts, entries):
        # A default button is pressed for a quarter of a second, in which letters are lost.
        entry.connect("activate", lambda _: window.response(Gtk.ResponseType.OK))
        entry.set_placeholder_text(say(argument.example) if argument.example else "")
    return entries


def focus(texts: list[Gtk.Entry]) -> None:
    """The cursor goes to the first one without a text."""
    next((entry for entry in texts if not entry.get_text().strip()), texts[0]).grab_focus()
