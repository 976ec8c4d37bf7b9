"""Starting the backend that is installed here, and watching whether it comes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from ..http.connection import last_words, launch, launch_command
from ..http.session import Session
from ..text.wording import say

PATIENCE = 90.0  # seconds; a backend that isn't there after so long has failed to start


class Starter:
    """``begin``, then ``watch`` now and then. In a large editor starting a program takes long: done aside."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self.active = False
        self.failed = False  # the last time
        self.possible = bool(launch_command(folder))
        self._clock = clock
        self._began = 0.0
        self._process: Optional[subprocess.Popen[Any]] = None

    def look(self) -> bool:
        """Whether it is another answer now that a backend is installed here."""
        before, self.possible = self.possible, bool(launch_command(self.folder))
        return self.possible != before

    def begin(self, session: Session, failed: Callable[[str], None]) -> None:
        if self.active:
            return
        self.active, self.failed, self._process, self._began = True, False, None, self._clock()

        def broke(error: Exception) -> None:
            self.active, self.failed = False, True
            failed(str(error))

        session.aside(lambda: launch(self.folder), self._launched, broke)

    def watch(self, connected: bool) -> str:
        """Why it failed, once that is known. Ends when it answers, has ended or takes too long."""
        if connected:
            self.active = False
        elif self._process is not None and self._process.poll() not in (None, 0):
            self.active, self.failed = False, True
            return say("start-failed", reason=last_words(self.folder))
        elif self._clock() - self._began > PATIENCE:
            self.active = False
            return say("start-slow", seconds=round(PATIENCE))
        return ""

    def _launched(self, process: subprocess.Popen[Any]) -> None:
        self._process = process
