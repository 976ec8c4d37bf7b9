"""The server's end of a worker: start it, talk to it, notice how it ended."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from palimpsest import interpreter

logger = logging.getLogger(__name__)
KILL = 9  # SIGKILL, which Windows has not
TAIL_BYTES = 4000  # how much of a dead worker's error stream is told


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker opens (see ``jobs.worker``) and where its error stream goes."""

    open: str  # "module:function"
    errors: Path  # folder
    options: dict[str, Any] = field(default_factory=dict)


class WorkerEndedError(Exception):
    """The process is gone. ``reason`` is a clause such as "it was killed by SIGKILL"; ``killed``: that."""

    def __init__(self, reason: str, tail: str, killed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.killed = killed
        self.tail = tail


class WorkerProcess:
    """One child process. A thread of its own reads what it says; nobody ever blocks on the pipe."""

    def __init__(self, spec: WorkerSpec, name: str, device: str) -> None:
        self.device = device
        self._killed = False
        self._tail = spec.errors / f"worker-{name}.log"
        with open_log(self._tail) as errors:
            self._has_log = errors.name == str(self._tail)
            self._process = subprocess.Popen(
                interpreter.module_command("palimpsest.jobs.worker"),
                cwd=interpreter.SAFE_FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=interpreter.surroundings(),
            )
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.send({"open": spec.open, "device": device, "options": spec.options})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def raise_if_killed(self) -> None:
        """Raises WorkerEndedError if something else than ``kill`` has killed it."""
        if not self._killed and self._process.poll() == -KILL:
            raise self._ended()

    def send(self, message: dict[str, Any]) -> None:
        """To a dead worker nothing is sent; ``receive`` will tell."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next message, or None after ``timeout`` seconds or a nudge. Raises WorkerEndedError."""
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            message = None
        if message is not None and message.get("ended"):
            raise self._ended()
        if message is None and self._process.poll() is not None and self._inbox.empty():
            raise self._ended()
        return message

    def nudge(self) -> None:
        """Make ``receive`` return now."""
        self._inbox.put(None)

    def kill(self) -> None:
        self._killed = True
        self._process.kill()

    def close(self, patience: float = 2.0) -> None:
        """End the process: at the end of its input it exits; after ``patience`` seconds it is killed."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._reap(patience)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # the half line of a worker that died while writing
                self._inbox.put(json.loads(line))
        self._inbox.put({"ended": True})

    def _ended(self) -> WorkerEndedError:
        status = self._reap(5.0)
        return WorkerEndedError(exit_reason(status), self._last_words(), killed=status == -KILL)

    def _last_words(self) -> str:
        try:
            return self._tail.read_bytes()[-TAIL_BYTES:].decode(errors="replace") if self._has_log else ""
        except OSError as error:
            return f"Its log {self._tail} can't be read: {error.strerror}."

    def _reap(self, patience: float) -> int:
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def open_log(path: Path) -> BinaryIO:
    """A log that can't be written is no reason not to work."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        logger.warning("The worker's log %s can't be written: %s", path, error.strerror)
        return open(os.devnull, "wb")


def exit_reason(status: int) -> str:
    if status >= 0:
        return f"it exited with status {status}"
    try:
        return f"it was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was killed by signal {-status}"
