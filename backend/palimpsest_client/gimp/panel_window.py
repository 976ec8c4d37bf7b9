"""The panel where it has a window of its own: what keys in it do, and what menu items beside it do."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

from ..fields.operations import OPERATIONS
from ..panel.panel import Panel
from ..text.wording import say
from ..views.panel_view import PanelView
from ..views.window import Desktop
from ..views.windows import Windows
from .procedures import BY_NAME, PREFIX

DIGITS = tuple(str(number) for number in range(1, len(OPERATIONS) + 1))  # with Alt: to an operation
SENTENCES = {"up": "first", "down": "second"}  # with Alt: to a sentence


class PanelWindow:
    """``close`` closes the window."""

    def __init__(
        self,
        panel: Panel,
        view: PanelView,
        windows: Windows,
        desktop: Desktop,
        close: Callable[[], None],
    ) -> None:
        self._panel, self._view, self._desktop = panel, view, desktop
        self._close = close
        self._documents: Tuple[Any, ...] = ()  # those that were drawn
        self._others: Dict[str, Callable[[], Any]] = {
            "word-to-selection": self._select_word,
            "learn-concept": windows.learn,
            "remember-photo": panel.remember,
            "reopen-edit": panel.reopen,
            "server": windows.settings,
        }

    def begin(self) -> None:
        """The keyboard goes where something is still to be written."""
        self._view.words.begin()

    def obey(self, command: str) -> None:
        """ "replace 3" turns to picture 3 and does what the menu item says; an empty one does nothing."""
        what, _, picture = command.partition(" ")
        if not what:
            return
        self._view.choose_document(picture)
        self._panel.look()
        operation = BY_NAME[PREFIX + what].operation
        if operation:
            self._panel.draft.choose_operation(operation)
            self.begin()
        else:
            self._others[what]()

    def pressed(self, key: str, control: bool, alt: bool) -> bool:
        """Wherever the cursor is: Control and Return apply, Escape cancels what is under way or looked at,
        Control and W close, Alt and a digit choose the operation, Alt and an arrow go to the other sentence.
        ``key``: its name, in small letters. False: it means nothing here."""
        if control and key in ("return", "w"):
            (self._view.apply if key == "return" else self._close)()
            return True
        if alt and key in DIGITS:
            self._view.choose_operation(DIGITS.index(key))
            self.begin()
            return True
        if alt and key in SENTENCES:
            self._view.words.go_to(SENTENCES[key])
            return True
        return key == "escape" and self._view.leave()

    def changed(self) -> bool:
        """Whether other pictures are open than when this was asked last: one may be opened beside the one
        that is chosen."""
        before, self._documents = self._documents, tuple(self._view.documents())
        return before != self._documents

    def _select_word(self) -> None:
        word = (self._desktop.ask(say("select-action"), say("choose-word")) or "").strip()
        if word:
            self._panel.select_word(word)
