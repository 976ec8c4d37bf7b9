"""This process beside GIMP: how others call it, and the bar that GIMP shows for it."""

from __future__ import annotations

from collections.abc import Callable

from _client import quick
from gi.repository import Gimp, GLib, GObject

TURN = 50  # ms


def listen(plugin: Gimp.PlugIn, name: str, heard: Callable[[str], None]) -> Callable[[], None]:
    """Register a procedure through which others call ``heard`` with a text; returns what takes it out again.

    GIMP keeps every procedure of one name and calls the newest; each goes with its own process.

    GIMP hands a call on also while it is asked something, in the middle of drawing: so ``heard`` is called
    when that is done, before any key that comes after the call.
    """

    def called(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _: object) -> Gimp.ValueArray:
        GLib.idle_add(hear, config.get_property("command"), priority=GLib.PRIORITY_HIGH)
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())

    def hear(text: str) -> bool:
        heard(text)
        return GLib.SOURCE_REMOVE

    made = Gimp.Procedure.new(plugin, name, Gimp.PDBProcType.TEMPORARY, called, None)
    made.set_documentation("Palimpsest's window", "For Palimpsest's own menu items.", None)
    flags = GObject.ParamFlags.READWRITE
    made.add_string_argument("command", "Command", "A menu item and a picture's id", "", flags)
    plugin.add_temp_procedure(made)
    plugin.persistent_enable()  # from now on calls come in through the main loop
    return lambda: plugin.remove_temp_procedure(name)


class ProgressBar(quick.Bar):
    """GIMP's own, under the picture, with a Cancel that ends this process. Not for a window that stays."""

    def __init__(self, text: str) -> None:
        Gimp.progress_init(text)

    def show(self, text: str, fraction: float | None) -> None:
        Gimp.progress_set_text(text)
        if fraction is None:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update(fraction)

    def end(self) -> None:
        Gimp.progress_end()


def turning(turn: Callable[[], bool]) -> None:
    """Until ``turn`` says False."""
    loop = GLib.MainLoop()
    GLib.timeout_add(TURN, lambda: turn() or loop.quit())
    loop.run()
