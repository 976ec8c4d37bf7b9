"""A user at the whole GIMP: keys and clicks on the screen, and the backend's jobs. No pytest."""

from __future__ import annotations

import itertools
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from editors.backend import PHOTO, Backend
from editors.display import Display
from editors.gimp import KEYS, Gimp, window_folder
from editors.gimp_pictures import RGB_8, GimpImages
from editors.pictures import BALL

SIDE = 256  # px of the pictures
SHOWS, SHOULD_SHOW = "a photo of a red ball on grass", "a photo of a blue cube on grass"
PATIENCE = 120.0
CANVAS = (0, 0, 850, 700)  # where GIMP's window is put on the screen
CANCEL = (CANVAS[2] - 40, CANVAS[3] - 18)  # in the status line, while a progress is shown
STILL = (0, 80, 330, 230)  # left, top, right, bottom of what new windows cover
BESIDE = (900, 0, 340, 800)
LOOKS = 4  # of the panel at the picture: 0.9 s and more


def until(holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {patience:g} s: {what}")


def pressable(widget: dict[str, Any] | None) -> dict[str, Any] | None:
    return widget if widget is not None and widget["sensitive"] else None


class GimpUser:
    """A user at GIMP: what is on the screen, and the backend's jobs."""

    def __init__(self, gimp: Gimp, display: Display, backend: Backend) -> None:
        self.gimp, self.display, self.backend = gimp, display, backend
        self.images = GimpImages(gimp)
        self.looked: float | str = 0.0
        self.collects = True
        self._questions = map(str, itertools.count(time.monotonic_ns()))  # no two of one GIMP
        self.main = until(lambda: display.largest("--class", "gimp"), "GIMP's own window")
        display.place(self.main, *CANVAS)

    def windows(self, title: str) -> list[str]:
        return self.display.windows("--name", title)

    def open(self, side: int = SIDE) -> int:
        """The photo in a view of its own, with the ball selected."""
        rgb = np.array(Image.open(PHOTO).convert("RGB").resize((side, side)))
        image = self.images.new(np.dstack([rgb, np.full((side, side), 255, np.uint8)]), RGB_8)
        left, top, width, height = (round(part * side) for part in BALL)
        self.gimp.call("select_ellipse", image, left, top, width, height)
        return self.show(image)

    def show(self, image: int) -> int:
        self.gimp.call("show", image)
        until(lambda: f"-{image}.0 " in self.display.title(self.main), "the picture in front")
        return image

    def press(self, *keys: str) -> None:
        """In GIMP's own window."""
        self.display.focus(self.main)
        self.display.key(*keys)

    def choose(self, action: str, title: str) -> str:
        """A menu item, and the window that it opens."""
        self.press(KEYS["plug-in-palimpsest" + action])
        window = until(lambda: self.windows(title), f"a window {title}")[-1]
        self.until_drawn()
        return window

    def until_drawn(self) -> None:
        until(self._still, "the screen is drawn")

    def _still(self) -> bool:
        """Nothing changes from one look to the next, where neither a cursor nor a selection blinks."""
        looks = []
        for name in ("one.png", "two.png"):
            path = self.display.screenshot(self.images.files / name)
            looks.append(np.array(Image.open(path).convert("RGB").crop(STILL)))
            time.sleep(0.3)
        return np.array_equal(*looks)

    def window(self) -> str:
        """The Palimpsest window, put beside GIMP's."""
        window = self.choose("", "^Palimpsest$")
        self.display.place(window, *BESIDE)
        until(lambda: self.gimp.call("tell_window", ""), "the window listens")
        self.seen()  # it has raised itself: it won't take the keyboard later
        return window

    def tell(self, command: str) -> None:
        """As a menu item does while the window is open; it has obeyed when this returns."""
        assert self.gimp.call("tell_window", command)
        self.seen()

    def close(self, window: str) -> None:
        """By keyboard; its program may go on for a moment."""
        self.display.focus(window)
        self.display.key("ctrl+w")
        until(lambda: window not in self.windows("^Palimpsest$"), "the window is closed")

    def apply(self, window: str, image: int, second: str) -> None:
        """Turn the window to a picture, as its menu items do; fill in both sentences, go on by keyboard.
        The picture gets it then: the window gets it back, as by a click."""
        self.write(window, image, SHOWS, second)
        self.enter()
        self.display.focus(window)

    def enter(self) -> None:
        """Return in a sentence; the window has obeyed when this returns."""
        until(lambda: pressable(self.find("Apply", "Button")), "Apply is possible")
        self.display.key("Return")
        self.seen()

    def write(self, window: str, image: int, first: str, second: str, operation: str = "replace") -> None:
        self.tell(f"{operation} {image}")
        self.display.focus(window)
        for key, text in (("alt+Up", first), ("alt+Down", second)):
            self.display.key(key, "ctrl+a")
            self.display.type(text)

    def seen(self) -> list[dict[str, Any]]:
        """Every widget of Palimpsest's windows that is on the screen (``inside_window``).

        ``looked``: when its panel looked at the picture last; without a panel another value each time.
        ``collects``: whether Python collects its garbage on any thread.
        """
        folder, number = window_folder(self.gimp.box), next(self._questions)
        answer = folder / f"answer-{number}"
        self.display.settle()

        def answered() -> bool:
            """A window that is being closed may take the question with it: then it is asked again."""
            (folder / f"ask-{number}").touch()
            return answer.exists()

        until(answered, "the window says what it shows")
        told = json.loads(answer.read_text(encoding="utf-8"))
        self.looked, self.collects = told["looked"] or number, told["collects"]
        return told["widgets"]

    def find(self, name: str, kind: str = "") -> dict[str, Any] | None:
        """The first of this name, for instance ``find("Apply", "Button")``."""
        named = (
            w for w in self.seen() if name in (w["name"], w["text"]) or w["text"].startswith(name + ": ")
        )
        return next((widget for widget in named if widget["type"].endswith(kind)), None)

    def click_on(self, name: str, kind: str = "Button") -> None:
        """As soon as it can be pressed."""
        self.display.click(*self.place_of(lambda: pressable(self.find(name, kind)), f"{name} can be pressed"))

    def place_of(self, look: Callable[[], dict[str, Any] | None], what: str) -> tuple[int, int]:
        """The middle of what ``look`` finds, as soon as it stays where it is while the panel looks at the
        picture: what it learns there, and what waits for a double-click's end, moves its parts."""
        box: list[int] = []
        looks: set[Any] = set()

        def stays() -> bool:
            nonlocal box, looks
            found = look()
            now = found["box"] if found else []
            if not now or now != box:
                box, looks = now, set()
            looks.add(self.looked)
            return bool(box) and len(looks) >= LOOKS

        until(stays, what)
        left, top, width, height = box
        return left + width // 2, top + height // 2

    def fold_out(self) -> None:
        """Advanced; or in again."""
        self.click_on("Advanced")

    def set_steps(self, window: str, steps: int) -> None:
        """Of the sampler, in a window that is high enough to show the field."""
        left, top, width, _ = BESIDE
        self.display.place(window, left, top, width, 1000)
        self.fold_out()
        self.click_on("Steps", "Number")
        self.display.key("ctrl+a")
        self.display.type(str(steps))
        self.fold_out()
        self.display.place(window, *BESIDE)

    def jobs_told(self) -> list[dict[str, Any]]:
        """Newest first, without drafts: a preview comes and goes by itself."""
        told = self.backend.client.jobs()["jobs"]
        return [job for job in told if not job["request"].get("draft")]

    def latest_job(self) -> str:
        return next((job["id"] for job in self.jobs_told()), "")

    def ask_for_a_cube(self) -> None:
        """In GIMP's dialog, which is shown when the window isn't open."""
        self.display.focus(self.choose("-replace", "^Replace$"))
        self.display.click(400, 28)  # into the first field
        for text in (SHOWS, SHOULD_SHOW):
            self.display.key("ctrl+a")
            self.display.type(text)
            self.display.key("Tab")
        self.display.key("alt+o")

    def cancel_is_shown(self) -> bool:
        """Something bright on the dark ground of the status line."""
        x, y = CANCEL
        path = self.display.screenshot(self.images.files / "look.png")
        place = Image.open(path).convert("L").crop((x - 20, y - 6, x + 20, y + 6))
        return int(np.ptp(np.array(place))) > 80

    def layers(self, image: int) -> int:
        return len(self.images.layers(image))

    def until_layers(self, image: int, count: int) -> None:
        until(lambda: self.layers(image) == count, f"{count} layers")

    def jobs(self, state: str) -> list[str]:
        return [job["id"] for job in self.jobs_told() if job["state"] == state]

    def until_running(self) -> str:
        return until(lambda: self.jobs("running"), "a job that runs")[0]

    def until_state(self, job: str, state: str) -> None:
        until(lambda: job in self.jobs(state), f"the job is {state}")


def embedding(width: int) -> bytes:
    """A concept of one vector, as other tools write it."""
    told = {"emb_params": {"dtype": "F32", "shape": [1, width], "data_offsets": [0, 4 * width]}}
    header = json.dumps(told).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", 0.5) * width
