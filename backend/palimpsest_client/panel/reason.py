"""Why something can't be done: a sentence for people, and a code by which it is told from others."""

from __future__ import annotations

from typing import Any

from ..text.wording import say

DOCUMENT, BACKEND = "document", "backend"  # codes of what the editor and the state line say


class Reason(str):
    """The sentence; empty: it can be done. ``code``: the sentence's name, or DOCUMENT or BACKEND."""

    code: str

    def __new__(cls, text: str = "", code: str = "") -> Reason:
        made = super().__new__(cls, text)
        made.code = code
        return made


def because(key: str, **values: Any) -> Reason:
    return Reason(say(key, **values), key)


NONE = Reason()
