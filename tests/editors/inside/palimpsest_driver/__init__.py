"""Krita's test driver: looks for calls from a timer on Krita's own thread."""

import faulthandler
import signal

try:
    from PyQt5.QtCore import QTimer
except ImportError:
    from PyQt6.QtCore import QTimer

from krita import Extension, Krita

from . import measured_steps, panel_steps, steps
from .calls import Calls

TURN = 20  # ms
faulthandler.register(signal.SIGUSR1)  # kill -USR1 writes into the log where Krita hangs


class Driver(Extension):
    def __init__(self, parent):
        super().__init__(parent)
        self.calls = Calls({**vars(measured_steps), **vars(steps), **vars(panel_steps)})
        self.timer = QTimer()
        self.timer.timeout.connect(self.calls.turn)

    def setup(self):
        pass

    def createActions(self, window):  # noqa: N802 - Krita's name
        """There is a window: Krita is ready."""
        self.timer.start(TURN)
        self.calls.ready()


Krita.instance().addExtension(Driver(Krita.instance()))
