"""A screen without a monitor (Xvfb), with a mouse, a keyboard and a camera."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

SIZE = "1600x1000x24"
PATIENCE = 120.0  # seconds: a window that never gets the focus doesn't hold the tests for ever


class Display:
    """``name`` is what DISPLAY must say. Programs in another root reach it too: it has no files."""

    def __init__(self, size: str = SIZE) -> None:
        width, height, _ = map(int, size.split("x"))
        self.away = width - 10, height - 10  # in a corner, where no window is put
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-ac", "-noreset"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.name = ":" + pipe.readline().strip()  # Xvfb takes a free number and tells it
        assert self.name != ":", "Xvfb didn't start"

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def screenshot(self, path: Path) -> Path:
        self._run("import", "-window", "root", str(path))
        return path

    def move(self, x: int, y: int) -> None:
        self._run("xdotool", "mousemove", str(x), str(y))

    def aim(self, x: int, y: int) -> None:
        """The mouse there, from elsewhere: the tip of what it was on takes the clicks on what lies under it,
        until the editor has noticed that the mouse has left."""
        deadline = time.monotonic() + PATIENCE
        self.move(*self.away)
        while self.tips():
            assert time.monotonic() < deadline, "a tip stays, wherever the mouse is"
        self.move(x, y)

    def tips(self) -> list[str]:
        return [window for window in self.windows("--name", "") if self.is_tip(window)]

    def is_tip(self, window: str) -> bool:
        told = self._run("xprop", "-id", window, "_NET_WM_WINDOW_TYPE", check=False)
        return "_NET_WM_WINDOW_TYPE_TOOLTIP" in told

    def click(self, x: int, y: int) -> None:
        self.aim(x, y)
        self._run("xdotool", "click", "1")

    def press(self) -> None:
        """The left button, where the mouse is, until ``release``."""
        self._run("xdotool", "mousedown", "1")

    def release(self) -> None:
        self._run("xdotool", "mouseup", "1")

    def double_click(self, x: int, y: int) -> None:
        self.aim(x, y)
        self._run("xdotool", "click", "--repeat", "2", "--delay", "60", "1")

    def wheel(self, x: int, y: int, notches: int) -> None:
        """Turned over a place; downwards if positive."""
        turns = ["--repeat", str(abs(notches)), "--delay", "20", "5" if notches > 0 else "4"]
        self.aim(x, y)
        self._run("xdotool", "click", *turns)

    def key(self, *keys: str) -> None:
        """For instance ``key("ctrl+z")``; goes to the window that has the focus."""
        self._run("xdotool", "key", *keys)

    def hold(self, key: str) -> None:
        self._run("xdotool", "keydown", key)

    def let_go(self, key: str) -> None:
        self._run("xdotool", "keyup", key)

    def type(self, text: str) -> None:
        self._run("xdotool", "type", "--delay", "20", text)

    def focus(self, window: str) -> None:
        """There is no window manager to do it."""
        self._run("xdotool", "windowfocus", "--sync", window)

    def settle(self) -> None:
        """Until the screen has handed on whatever was typed and clicked."""
        self._run("xdotool", "getmouselocation")

    def windows(self, *criteria: str) -> list[str]:
        """Visible windows, for instance ``windows("--name", "^Palimpsest$")``."""
        return self._run("xdotool", "search", "--onlyvisible", *criteria, check=False).split()

    def largest(self, *criteria: str) -> str | None:
        """Of an editor's windows its own: a tip under the mouse, a menu and a dialog are windows too."""
        return max(self.windows(*criteria), key=self.area, default=None)

    def area(self, window: str) -> int:
        told = self._run("xdotool", "getwindowgeometry", "--shell", window, check=False)
        facts = dict(line.split("=") for line in told.split())
        return int(facts.get("WIDTH", 0)) * int(facts.get("HEIGHT", 0))

    def title(self, window: str) -> str:
        """Empty if the window has gone."""
        return self._run("xdotool", "getwindowname", window, check=False).strip()

    def programs(self, *criteria: str) -> list[int]:
        """The processes of visible windows; a window that goes while it is looked at counts as gone."""
        told = (self._run("xdotool", "getwindowpid", w, check=False) for w in self.windows(*criteria))
        return [int(program) for program in told if program]

    def keyboard(self) -> str:
        """The window that has it."""
        return self._run("xdotool", "getwindowfocus", check=False).strip()

    def stays_above(self, window: str) -> str:
        """The window that a window manager would keep it above; empty if there is none."""
        told = self._run("xprop", "-notype", "-id", window, "WM_TRANSIENT_FOR", check=False)
        return str(int(told.split("# ")[1], 16)) if "# " in told else ""

    def told(self) -> list[str]:
        """Every visible window with a title, and which has the keyboard; for people to read."""
        focus = self.keyboard()
        titles = {window: self.title(window) for window in self.windows("--name", ".")}
        return [f"{'keyboard: ' if window == focus else ''}{titles[window]}" for window in titles]

    def place(self, window: str, x: int, y: int, width: int, height: int) -> None:
        self._run("xdotool", "windowsize", "--sync", window, str(width), str(height))
        self._run("xdotool", "windowmove", "--sync", window, str(x), str(y))

    def _run(self, *command: str, check: bool = True) -> str:
        environment = {**os.environ, "DISPLAY": self.name}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=check, timeout=PATIENCE
        )
        return done.stdout
