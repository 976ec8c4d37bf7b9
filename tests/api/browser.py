"""A headless Chromium, spoken to through two pipes (the Chrome DevTools Protocol, one JSON per NUL)."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)


class Browser:
    """One page."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = os.fdopen(answers, "rb", buffering=0)
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.do("Page.enable")

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        os.write(self._commands, json.dumps(order).encode() + b"\0")
        while (told := self._next()).get("id") != number:
            pass
        assert "error" not in told, told
        return told["result"]

    def evaluate(self, script: str) -> Any:
        told = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def emulate(self, width: int, height: int, dark: bool = False, scale: float = 1.0) -> None:
        """A window of this many CSS pixels; below 600 as a phone has it."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.do("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self) -> bytes:
        """What the window shows, as a PNG."""
        return base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"])

    def press(self, key: str, code: int) -> None:
        """A key by its name and its Windows key code."""
        for kind in ("keyDown", "keyUp"):
            told = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            if key == "Enter" and kind == "keyDown":
                told["text"] = "\r"
            self.do("Input.dispatchKeyEvent", **told)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = self._answers.read(1 << 16)
            assert piece, "the browser is gone"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@contextlib.contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    assert CHROMIUM is not None
    inward, outward = os.pipe(), os.pipe()
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")
    command = [CHROMIUM, *flags, f"--user-data-dir={profile}"]
    child = subprocess.Popen(  # it reads from 3 and writes to 4
        ["bash", "-c", f'exec "$@" 3<&{inward[0]} 4>&{outward[1]}', "-", *command],
        pass_fds=(inward[0], outward[1]),
        stderr=subprocess.DEVNULL,
    )
    os.close(inward[0])
    os.close(outward[1])
    try:
        yield Browser(inward[1], outward[0])
    finally:
        child.kill()
        child.wait()
        os.close(inward[1])
