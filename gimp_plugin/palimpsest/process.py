"""This process beside GIMP: how others call it, and the bar that GIMP shows for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from _client.gimp.procedure_run import Bar
from _client.gimp.procedures import WINDOW_COMMAND, WINDOW_OPEN
from gi.repository import Gimp, GLib
from images import keep, told_by

TURN = 50  # ms
LOOKS = 0.02  # seconds between two looks whether a command was taken


class Listening:
    """What others say to this process with ``tell``, for as long as this is open. They leave it with GIMP,
    and ``look`` calls ``heard`` with each text.

    They don't call a procedure of ours: while pixels are handed over, GIMP takes the answer to a call for
    pixels, and ends this process. The one that is registered only says that somebody listens; of one name
    GIMP keeps all, and each goes with its own process.
    """

    def __init__(self, plugin: Gimp.PlugIn, heard: Callable[[str], None]) -> None:
        self._plugin, self._heard = plugin, heard
        made = Gimp.Procedure.new(plugin, WINDOW_OPEN, Gimp.PDBProcType.TEMPORARY, nothing, None)
        made.set_documentation("Palimpsest's window", "It is open.", None)
        plugin.add_temp_procedure(made)
        plugin.persistent_enable()  # GIMP's own messages come in through the main loop

    def look(self) -> None:
        for name in Gimp.get_parasite_list():
            if name.startswith(WINDOW_COMMAND):
                text = told_by(Gimp, name)
                Gimp.detach_parasite(name)
                self._heard(text.strip())

    def close(self) -> None:
        self._plugin.remove_temp_procedure(WINDOW_OPEN)


def nothing(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _: object) -> Gimp.ValueArray:
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


def tell(command: str) -> bool:
    """Whether an open window took the command; an empty one only raises it."""
    name = f"{WINDOW_COMMAND}-{os.getpid()}"
    if not someone_listens():
        return False
    keep(Gimp, name, command + " ")  # GIMP keeps no empty text
    while name in Gimp.get_parasite_list():
        if not someone_listens():  # any more
            Gimp.detach_parasite(name)
            return False
        time.sleep(LOOKS)
    return True


def someone_listens() -> bool:
    return Gimp.get_pdb().procedure_exists(WINDOW_OPEN)


def window_in_front() -> int | None:
    """Under X11 the number of GIMP's own window, where one picture is open: no other can be in front."""
    handle = Gimp.progress_get_window_handle()
    one = handle is not None and len(Gimp.get_images()) == 1
    return int.from_bytes(handle.get_data() or b"", sys.byteorder) or None if one else None


class ProgressBar(Bar):
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
