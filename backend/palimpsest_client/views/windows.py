"""The windows beside the panel, and what an offer's button does: the same in every editor."""

from __future__ import annotations

from functools import partial
from typing import Callable, List, Tuple

from ..editor.editor import Editor
from ..fields.operations import OPERATIONS, WEIGHTS, Operation
from ..http.connection import update_command
from ..learning.dialog import Learning
from ..panel.panel import Panel
from ..panel.reason import because
from ..panel.status import COPY, MODELS, SETUP
from ..text.wording import say
from .concepts_view import ConceptsWindow
from .learn_view import LearnWindow
from .settings_view import ModelsWindow, SettingsWindow
from .setup_view import SetupWindow
from .window import Desktop


def action_name(operation: Operation) -> str:
    """By which the editor keeps its shortcut; with "-action" the key of its text."""
    return operation.called or operation.name


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

    def actions(self, focus: Callable[[], None]) -> List[Tuple[str, str, Callable[[], object]]]:
        """What a menu of the editor's offers: of each its name, its text, and what does it. ``focus`` brings
        the keyboard to the words."""
        return [
            ("show", say("show-panel"), focus),
            *self._panel.actions(),
            *[
                (action_name(one), say(action_name(one) + "-action"), partial(self._operate, one, focus))
                for one in OPERATIONS.values()
            ],
            ("select", say("select-action"), lambda: self._with_word(self._panel.select_word)),
            ("learn", say("learn-action"), self.learn),
            ("concepts", say("concepts-action"), self.concepts),
            ("settings", say("settings-action"), self.settings),
        ]

    def _operate(self, operation: Operation, focus: Callable[[], None]) -> None:
        """Ask for what it needs in words; one that needs none is done at once."""
        if operation.asks == WEIGHTS:
            self._with_word(self._panel.draft.emphasise)
            return
        self._panel.draft.choose_operation(operation.name)
        if operation.wordless:
            self._panel.apply()
        else:
            focus()

    def _with_word(self, call: Callable[[str], None]) -> None:
        """Ask which word of the first sentence is meant."""
        words = list(self._panel.state.words)
        if not words:
            self._panel.refuse(because("say-what-it-shows"))
            return
        word = self._desktop.choose("Palimpsest", say("choose-word"), words)
        if word is not None:
            call(word)

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
