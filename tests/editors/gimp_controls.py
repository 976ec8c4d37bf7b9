"""The window's fields alone, in GIMP's own Python and GTK. No pytest."""

from __future__ import annotations

from typing import Any

from editors.display import Display
from editors.gimp import Gimp
from editors.gimp_panel import until

PLACE = (900, 0, 340, 320)  # left, top, width, height


class Fields:
    def __init__(self, gimp: Gimp, display: Display) -> None:
        self.gimp, self.display = gimp, display
        gimp.call("open_controls", *PLACE[2:])
        window = until(lambda: display.windows("--name", "^Controls$"), "the window")[-1]
        display.place(window, *PLACE)
        display.focus(window)

    def ask(self, what: str, *values: Any) -> Any:
        return self.gimp.call("ask_controls", what, *values)

    def bring(self, name: str) -> tuple[int, int]:
        """Where on the screen it is, scrolled into sight."""
        self.ask("bring", name)
        x, y = self.ask("place", name)
        return x, y
