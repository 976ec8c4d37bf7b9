"""GIMP's own dialog for one menu item, when the Palimpsest window isn't open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from _client.procedures import Argument, Procedure
from _client.wording import say
from gi.repository import GimpUi, GLib, GObject, Gtk

WIDTH = 480  # px


def asked(
    procedure: Any,
    told: Procedure,
    config: Any,
    why_not: Callable[[], str],
) -> bool:
    """Whether it was accepted: ``config`` has the values then, and GIMP keeps them as last ones. It stays
    open, with what was written, as long as ``why_not`` gives a reason."""
    GimpUi.init(procedure.get_name())
    window = GimpUi.ProcedureDialog.new(procedure, config, told.title)
    texts = filled(window, [argument for argument in told.arguments if argument.asked])
    focus(texts)
    reason = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=1, margin_top=8, no_show_all=True)
    window.get_content_area().pack_start(reason, False, False, 0)
    accepted = window.run()
    while accepted:
        text = why_not()
        if not text:
            break
        reason.set_text(text)
        reason.show()
        GLib.idle_add(focus, texts)
        accepted = window.run()
    window.destroy()
    return accepted


def filled(window: GimpUi.ProcedureDialog, shown: list[Argument]) -> list[Gtk.Entry]:
    """The fields for texts, of which there is one, always."""
    for argument in shown:
        if argument.limits is not None:
            window.get_scale_entry(argument.name, 1.0).set_bounds(*argument.limits, True)
    window.fill([argument.name for argument in shown])
    window.set_size_request(WIDTH, -1)
    texts = [argument for argument in shown if isinstance(argument.default, str)]
    entries = [window.get_widget(argument.name, GObject.TYPE_NONE).get_entry() for argument in texts]
    for argument, entry in zip(texts, entries):
        entry.set_activates_default(True)
        entry.set_placeholder_text(say(argument.example) if argument.example else "")
    return entries


def focus(texts: list[Gtk.Entry]) -> bool:
    """The cursor goes to the first one without a text."""
    next((entry for entry in texts if not entry.get_text().strip()), texts[0]).grab_focus()
    return GLib.SOURCE_REMOVE
