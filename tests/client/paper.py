"""Windows without a widget: what they are described as, and what people would see of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from palimpsest_client.views.view import Box, Part, is_shown
from palimpsest_client.views.window import Desktop, Dialog


class Paper(Desktop):
    """Draws nothing, and answers what it was told to."""

    def __init__(self) -> None:
        self.opened: list[Dialog] = []
        self.answer: str | None = None
        self.left = 0
        self.copied = ""
        self.options: Sequence[str] = ()

    def ask(self, title: str, prompt: str, value: str = "") -> str | None:
        return self.answer

    def choose(self, title: str, prompt: str, options: Sequence[str]) -> str | None:
        self.options = options
        return self.answer

    def confirm(self, title: str, question: str) -> bool:
        return self.answer is not None

    def copy(self, text: str) -> None:
        self.copied = text

    def leave_fields(self) -> None:
        self.left += 1

    def open(self, window: Dialog) -> None:
        window.opened(lambda part: None, lambda: window.closed())
        self.opened.append(window)


def parts_of(part: Part) -> list[Part]:
    inner = part.parts if isinstance(part, Box) else ()
    corner = getattr(part, "corner", None)
    return [part, *([corner] if corner else []), *(found for one in inner for found in parts_of(one))]


def visible(part: Part) -> list[Part]:
    """Those that people see."""
    if not is_shown(part):
        return []
    inner = part.parts if isinstance(part, Box) else ()
    return [part, *(found for one in inner for found in visible(one))]


def found(part: Part, key: str) -> Any:
    """The part of that key, of the kind that it is."""
    return next(one for one in parts_of(part) if one.key == key)
