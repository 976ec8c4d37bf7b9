"""An editor that does what a test tells it, through a small driver plug-in that runs inside it.

A call is a file in a folder: the name of a function of the driver and its arguments as JSON. The
driver calls it on the editor's own thread and leaves the answer beside it. A function that is a
generator waits with each ``yield`` for the editor's next turn; what it returns is the answer.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from editors.box import Box

PATIENCE = 120.0  # seconds; machines are slow at times, and a hanging editor is still found
GLANCE = 0.03  # seconds between two looks at a file


class EditorError(AssertionError):
    """The editor ended, or what it was told to do raised: with its traceback or the end of its log."""


class Driven:
    """Base of Krita and Gimp. ``process`` and ``log`` are set by whoever starts it."""

    def __init__(self, box: Box, process: subprocess.Popen[bytes], log: Path) -> None:
        self.box, self.process, self.log = box, process, log
        self._numbers = itertools.count()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self, patience: float = 2 * PATIENCE) -> None:
        ready = self.box.calls / "ready"
        self._wait(ready.exists, patience, "to be ready")
        ready.unlink()

    def call(self, function: str, *arguments: Any, patience: float = PATIENCE) -> Any:
        """What a function of the driver returns for these JSON values."""
        return self.answer(self.begin(function, *arguments), patience)

    def begin(self, function: str, *arguments: Any) -> Path:
        """Tell without waiting; ``answer`` waits."""
        file = self.box.calls / f"{next(self._numbers):06d}"
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({"function": function, "arguments": arguments}, default=str))
        draft.rename(file.with_suffix(".call"))
        return file.with_suffix(".answer")

    def answer(self, file: Path, patience: float = PATIENCE) -> Any:
        self._wait(file.exists, patience, "to answer")
        told = json.loads(file.read_text())
        file.unlink()
        if "error" in told:
            raise EditorError(told["error"])
        return told["result"]

    def until(self, function: str, *arguments: Any, patience: float = PATIENCE) -> Any:
        """The first answer that is true; EditorError with the last one after ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while True:
            found = self.call(function, *arguments)
            if found:
                return found
            if time.monotonic() > deadline:
                raise EditorError(f"{function}{arguments} still says {found!r} after {patience:g} s")
            time.sleep(0.1)

    def kill(self) -> None:
        """It and whatever it started."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if self.alive:
                os.killpg(self.process.pid, kind)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    continue

    def log_end(self) -> str:
        return self.log.read_bytes()[-4000:].decode("utf-8", "replace")

    def _wait(self, holds: Callable[[], bool], patience: float, what: str) -> None:
        """An editor that hangs is killed: every further test would wait as long for it."""
        deadline = time.monotonic() + patience
        while not holds():
            if not self.alive:
                raise EditorError(f"The editor ended with {self.process.returncode}.\n{self.log_end()}")
            if time.monotonic() > deadline:
                self.kill()
                raise EditorError(f"Waited {patience:g} s for the editor {what}.\n{self.log_end()}")
            time.sleep(GLANCE)
