"""The worker process: the one place where models live. ``python -m palimpsest.jobs.worker``

It reads lines of JSON from its standard input and writes lines of JSON to its standard output:

    in   {"open": "module:function", "device": "cuda:0", "options": {…}}      first line
         {"run": 17, "kind": "edit", "request": {…}, "owner": "anna"}    {"cancel": 17}
    out  {"status": {…}}    {"job": 17, "event": "progressed", …}

``module:function`` is called with (device, options) and returns a Runner. Its tasks are generators;
between two of their events the worker looks whether the job was cancelled and, if so, closes the
generator, so context managers unwind and the model is clean again. When the input ends, because the
server stopped or was killed, the worker exits at once, in the middle of whatever it does.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import traceback
from typing import Any, Protocol, TextIO

from palimpsest.errors import InternalError, OutOfMemoryError, PalimpsestError, Text
from palimpsest.jobs.events import Cancelled, Events, Failed, Finished, Previewed, Progressed, to_json


class Runner(Protocol):
    """What runs tasks: holds the loaded model, the image store, the concept library."""

    owner: str  # whose job it runs, told before each

    def run(self, kind: str, request: dict[str, Any]) -> Events[None]: ...

    def status(self) -> dict[str, Any]:
        """For people: the device's name and memory, the loaded model. Plain JSON."""
        ...


class Worker:
    """Runs one job after the other; a second thread listens for cancellation."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self._source = source
        self._sink = sink
        self._runs: queue.Queue[dict[str, Any]] = queue.Queue()
        self._cancelled: set[int] = set()

    def serve(self) -> None:
        """Until the process is ended by the end of its input."""
        opening = json.loads(self._source.readline())
        threading.Thread(target=self._listen, daemon=True).start()
        runner = open_runner(opening["open"], opening["device"], opening["options"])
        self._say({"status": runner.status()})
        while True:
            message = self._runs.get()
            runner.owner = message["owner"]
            for event in self._events(runner, message):
                if isinstance(event, (Finished, Failed, Cancelled)):
                    self._say({"status": runner.status()})
                self._say({"job": message["run"], **to_json(event)})

    def _listen(self) -> None:
        for line in self._source:
            message = json.loads(line)
            if "cancel" in message:
                self._cancelled.add(message["cancel"])
            else:
                self._cancelled.discard(message["run"])  # it was broken off before, to make way
                self._runs.put(message)
        os._exit(0)

    def _events(self, runner: Runner, message: dict[str, Any]) -> Events[None]:
        """The job's events; the last one is always Finished, Failed or Cancelled."""
        number = message["run"]
        try:
            yield from until_cancelled(
                runner.run(message["kind"], message["request"]), lambda: number in self._cancelled
            )
        except Exception as error:
            if not isinstance(error, PalimpsestError):
                traceback.print_exc()  # into the worker's log: it is ours to mend
            yield Failed(explain(error))

    def _say(self, message: dict[str, Any]) -> None:
        self._sink.write(json.dumps(message) + "\n")
        self._sink.flush()


def until_cancelled(task: Events[None], cancelled: Any) -> Events[None]:
    """The task's events up to Finished, or Cancelled as soon as ``cancelled()`` says so."""
    try:
        while not cancelled():
            event = next(task, None)
            if event is None:
                raise RuntimeError("the task ended without a result")
            if not isinstance(event, (Progressed, Previewed, Finished)):
                raise RuntimeError(f"a task may not say {event!r}")
            yield event
            if isinstance(event, Finished):
                return
    finally:
        task.close()
    yield Cancelled()


def explain(error: Exception) -> dict[str, Any]:
    """Any exception as the JSON of an error that a user can act on."""
    if isinstance(error, PalimpsestError):
        return error.to_json()
    name = type(error).__name__
    if isinstance(error, MemoryError) or name == "OutOfMemoryError":  # torch's, without importing torch
        return OutOfMemoryError(Text("memory-out"), Text("lower-or-free")).to_json()
    return InternalError(f"{name}: {error}", Text("mistake-of-ours")).to_json()


def open_runner(dotted: str, device: str, options: dict[str, Any]) -> Runner:
    module, _, function = dotted.partition(":")
    return getattr(importlib.import_module(module), function)(device, options)


def main() -> None:
    """Keep the real standard output for messages; whatever libraries print goes to the error stream."""
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    Worker(os.fdopen(os.dup(0), "r", encoding="utf-8"), sink).serve()


if __name__ == "__main__":
    main()
    sys.exit(0)
