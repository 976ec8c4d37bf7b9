"""GIMP's test driver: a batch procedure that never ends, on its own process, while GIMP goes on."""

import os
import sys
import time

from gi.repository import GLib

HERE = os.environ["PALIMPSEST_TEST_INSIDE"]
TURN = 0.02  # s
sys.path[:0] = [HERE, os.environ["PALIMPSEST_TEST_PLUGIN"]]

import gimp_measured  # noqa: E402
import gimp_steps  # noqa: E402
from calls import Calls  # noqa: E402


def drive():
    calls = Calls({**vars(gimp_measured), **vars(gimp_steps)})
    calls.ready()
    while not gimp_steps.ending:
        calls.turn()
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(TURN)


drive()
