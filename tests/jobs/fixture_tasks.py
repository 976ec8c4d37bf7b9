"""A runner whose tasks misbehave in every way that a real one can. Opened by its dotted name."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from palimpsest.errors import ImageTooSmallError
from palimpsest.jobs.events import Event, Finished, Previewed, Progressed, Queued
from palimpsest.storage.images import ImageStore


class Fixtures:
    """``kind`` doesn't matter; ``request["do"]`` names what to do."""

    def __init__(self, device: str, options: dict[str, Any]) -> None:
        self.device = device
        self.options = options

    def run(self, kind: str, request: dict[str, Any]) -> Iterator[Event]:
        return getattr(self, request["do"])(request)

    def status(self) -> dict[str, Any]:
        return {"device": self.device}

    def steps(self, request: dict[str, Any]) -> Iterator[Event]:
        """``steps`` steps of ``pause`` seconds; says at the end which process did it."""
        total = request.get("steps", 3)
        for index in range(total):
            yield Progressed("working", index, total)
            time.sleep(request.get("pause", 0.0))
        yield Previewed("ab" * 32)
        yield Finished({"layer": "cd" * 32}, {"pid": os.getpid(), "said": request.get("say")})

    def keep(self, request: dict[str, Any]) -> Iterator[Event]:
        """Puts a real picture into the image store that ``options`` names."""
        yield Progressed("working", 0, 1)
        yield Finished({"layer": ImageStore(Path(self.options["images"])).put(b"a layer")})

    def paint(self, request: dict[str, Any]) -> Iterator[Event]:
        """As an edit ends: pictures of ``width`` x ``height`` that can be seen, with a recipe."""
        import numpy as np

        from palimpsest.storage.png import encode

        yield Progressed("working", 0, 1)
        size = request["height"], request["width"]
        shades = {"layer": (200, 60, 40, 128), "composite": (60, 60, 200), "thumbnail": (60, 60, 200)}
        store = ImageStore(Path(self.options["images"]))
        pictures = {
            name: store.put(encode(np.full((*size, len(shade)), shade, np.uint8)))
            for name, shade in shades.items()
        }
        yield Finished(pictures, {"pixels_changed_outside": 0, "grown": 3, "recipe": {"kind": "edit"}})

    def resume(self, request: dict[str, Any]) -> Iterator[Event]:
        """As learning does it: broken off, it remembers in ``file`` how far it was and goes on from there."""
        file, total = Path(request["file"]), request["steps"]
        done = int(file.read_text()) if file.exists() else 0
        try:
            for step in range(done + 1, total + 1):
                time.sleep(request["pause"])
                done = step
                yield Progressed("learning", step, total)
        finally:
            file.write_text(str(done))
        yield Finished({}, {"done": done})

    def note(self, request: dict[str, Any]) -> Iterator[Event]:
        """Writes to ``file`` that it ran, and that it was cleaned up."""
        try:
            yield from self.steps(request)
        finally:
            with open(request["file"], "a") as file:
                file.write("closed\n")

    def refuse(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        raise ImageTooSmallError("The picture is 3×3.", "Use a larger one.", width=3)

    def stumble(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        raise ZeroDivisionError("a mistake of ours")

    def give_up(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)

    def talk_nonsense(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Queued()

    def chatter(self, request: dict[str, Any]) -> Iterator[Event]:
        """Prints to the standard output, as libraries do."""
        print('{"job": 1, "event": "cancelled"}', flush=True)
        os.write(1, b"more\n")
        yield Finished()

    def hang(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        while True:
            time.sleep(60)

    def exit(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        os._exit(7)

    def be_killed(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    def kill_server(self, request: dict[str, Any]) -> Iterator[Event]:
        """As the system does that runs out of memory."""
        yield Progressed("working", 0, 1)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
        yield Finished()

    def die_once(self, request: dict[str, Any]) -> Iterator[Event]:
        """Dies the first time; ``file`` remembers it."""
        yield Progressed("working", 0, 1)
        if not os.path.exists(request["file"]):
            open(request["file"], "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        yield Finished({}, {"said": "the second time"})

    def devour(self, request: dict[str, Any]) -> Iterator[Event]:
        yield Progressed("working", 0, 1)
        bytearray(2**62)


def open_fixtures(device: str, options: dict[str, Any]) -> Fixtures:
    return Fixtures(device, options)


def open_nothing(device: str, options: dict[str, Any]) -> Fixtures:
    raise RuntimeError(f"no runner on {device}")


class Prompted(Fixtures):
    """Takes its order from the source prompt, so that it can come through the API."""

    def run(self, kind: str, request: dict[str, Any]) -> Iterator[Event]:
        hangs = "endless" in (request.get("model"), request.get("noun"))  # pulls and learns have no prompt
        order = json.loads(request.get("source_prompt", json.dumps({"do": "hang" if hangs else "steps"})))
        return getattr(self, order["do"])(order)


def open_prompted(device: str, options: dict[str, Any]) -> Prompted:
    return Prompted(device, options)
