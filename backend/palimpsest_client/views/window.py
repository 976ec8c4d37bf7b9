"""A dialog without a widget: what it shows, what keys do in it; and what it needs of its editor."""

from __future__ import annotations

from typing import Callable, Optional, Sequence, Tuple

from .view import MenuLine, Part


class Desktop:
    """What only an editor's own toolkit can do. Each editor has one of its own."""

    def ask(self, title: str, prompt: str, value: str = "") -> Optional[str]:
        """A line of text; None if it was cancelled."""
        raise NotImplementedError

    def choose(self, title: str, prompt: str, options: Sequence[str]) -> Optional[str]:
        """One of several texts; None if it was cancelled."""
        raise NotImplementedError

    def confirm(self, title: str, question: str) -> bool:
        raise NotImplementedError

    def files(self, title: str, kinds: Sequence[str]) -> Sequence[str]:
        """Pictures that people choose; ``kinds``: such as "*.png"."""
        raise NotImplementedError

    def copy(self, text: str) -> None:
        """To the clipboard."""
        raise NotImplementedError

    def leave_fields(self) -> None:
        """What is typed next is meant for the picture."""
        raise NotImplementedError

    def open(self, window: Dialog) -> None:
        """Beside the picture; the one of this kind that is open already comes to the front instead."""
        raise NotImplementedError

    def follow(self, line: MenuLine) -> None:
        """Do what a line of a menu says, with what it asks for."""
        if not line.ask:
            line.do()
            return
        text = self.ask("Palimpsest", line.ask, line.value)
        if text is not None:
            line.do(text)


class Dialog:
    """Described anew whenever something changes; ``show`` draws it, and is None while it is closed."""

    size = (0, 0)  # px; a height of 0: as high as it needs to be
    floats = False  # above the editor's own windows

    def __init__(self) -> None:
        self.show: Optional[Callable[[Part], None]] = None
        self.leave: Callable[[], None] = lambda: None  # closes the window

    @property
    def title(self) -> str:
        raise NotImplementedError

    def describe(self) -> Part:
        raise NotImplementedError

    def opened(self, show: Callable[[Part], None], leave: Callable[[], None]) -> None:
        self.show, self.leave = show, leave
        self.redraw()

    def closed(self) -> None:
        self.show = None

    def redraw(self) -> None:
        if self.show is not None:
            self.show(self.describe())


IMAGES: Tuple[str, ...] = ("*.png", "*.jpg", "*.jpeg", "*.webp", "*.tif", "*.tiff", "*.bmp")
