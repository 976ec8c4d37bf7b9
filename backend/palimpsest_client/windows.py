"""The windows beside the panel, and what an offer's button does: the same in every editor."""

from __future__ import annotations

from typing import Callable

from .concepts_view import ConceptsWindow
from .connection import update_command
from .editor import Editor
from .learn_view import LearnWindow
from .learning import Learning
from .panel import Panel
from .settings_view import ModelsWindow, SettingsWindow
from .setup_view import SetupWindow
from .status import COPY, MODELS, SETUP
from .window import Desktop


class Windows:
    """Of one panel. ``use`` writes a learned word into the sentence."""

    def __init__(self, panel: Panel, editor: Editor, desktop: Desktop, use: Callable[[str], None]) -> None:
        self._panel, self._desktop, self._use = panel, desktop, use
        self.learning = Learning(panel, editor)  # what was filled in outlives its window

    def learn(self) -> None:
        self._desktop.open(LearnWindow(self.learning, self._desktop))

    def concepts(self) -> None:
        self._desktop.open(ConceptsWindow(self._panel, self._desktop, self._use, self.learn))

    def settings(self) -> None:
        self._desktop.open(SettingsWindow(self._panel, self.setup))

    def setup(self) -> None:
        self._desktop.open(SetupWindow(self._panel, self._desktop))

    def models(self) -> None:
        self._desktop.open(ModelsWindow(self._panel))

    def take(self, offer: str) -> None:
        """Do what its button says."""
        if self._panel.take(offer):
            return
        if offer == COPY:
            self._desktop.copy(update_command(self._panel.folder))
        elif offer == MODELS:
            self.models()
        elif offer == SETUP:
            self.setup()
        else:  # another computer, or another token
            self.settings()
