"""The operations, the two sentences, their words, and the concepts to write into them."""

from __future__ import annotations

from typing import Optional

from ._client.controls import REPLACE
from ._client.library import Concept
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.sentences import spans
from ._client.wording import say
from .dialogs import windows
from .fields import Sentence
from .inputs import Weights
from .keyboard import apply
from .layout import Flow, column, icon, label, link, picture, row, tile
from .operations import Operations
from .qt import QEvent, QInputDialog, QMenu, QPalette, Qt, QTextCursor, QWidget
from .word_help import Completing, Hints

CONCEPT = 22  # px


class WordsPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._state: Optional[PanelState] = None
        self.operations = Operations(panel.draft.choose_operation)
        self.first = Sentence(say("first"), panel.draft.write_first, lambda: apply(panel))
        self.first.setPlaceholderText(say("first-example"))
        self.describe = link(say("describe"))
        self.describe.setIcon(icon("describe", self))
        self.describe.clicked.connect(lambda: panel.describe())
        self.first.hold(self.describe)
        self.words = self._word_links()
        self.second_label = label()
        self.second = Sentence(say("second-replace"), panel.draft.write_second, lambda: apply(panel))
        self.completing = [Completing(field, panel.completion) for field in (self.first, self.second)]
        Hints(self.first, lambda: panel.state.hints[0])
        Hints(self.second, lambda: panel.state.hints[1])
        self.changes, self.unknown = label(wrap=True), label(wrap=True)
        self.weights_label = label(say("weights"))
        self.weights = Weights(panel.draft.weigh)
        column(
            self,
            *(self.operations, label(say("first")), self.first, self.words),
            *(self.second_label, self.second, self.changes, self.unknown),
            *(self.weights_label, self.weights, self._concept_row()),
        )

    def changeEvent(self, event) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._state is not None:
            self.describe.setIcon(icon("describe", self))
            self._color(self._state)

    def focus_words(self) -> None:
        """To the first sentence that is still to be written; Return then applies.

        All of it is chosen, so that writing takes its place; of a sentence to be changed nothing is.
        """
        field = self.second if self._panel.form.first.strip() and self.second.isVisible() else self.first
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if field.toPlainText() == self._panel.form.first:
            field.moveCursor(QTextCursor.MoveOperation.End)
        else:
            field.selectAll()

    def _word_links(self):
        words = label(wrap=True)
        words.setToolTip(say("tip-words"))
        words.setAccessibleName(say("words"))
        words.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag
        words.setTextInteractionFlags(flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard)
        words.linkActivated.connect(self._word_menu)
        return words

    def _concept_row(self):
        self.concepts = Flow(say("concepts"), one_row=True)
        self.no_concepts = label(say("no-concepts"), wrap=True, muted=True)
        learn = link("+", say("learn-action"))
        learn.setAccessibleName(say("learn-action"))
        learn.clicked.connect(lambda: windows().learn())
        self.all = link(say("all"), say("tip-all"))
        self.all.clicked.connect(lambda: windows().concepts())
        made = row(self.concepts, self.no_concepts, learn, self.all)
        for place in (0, 1):
            made.setStretch(place, 1)
        return made

    # Drawing.

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self._state = state
        form = state.form
        self.operations.draw(state)
        self.first.put(form.first)
        self.describe.setEnabled(not state.cannot_describe)
        self.describe.setToolTip(state.cannot_describe or say("tip-describe"))
        self.words.setVisible(bool(state.words))
        self._draw_second(state)
        self._color(state)
        self.weights_label.setVisible("weights" in state.shown)
        self.weights.setVisible("weights" in state.shown)
        if "weights" in state.shown:
            self.weights_label.setText(say("weights") if state.words else say("no-words"))
            self.weights.put_words(state.words, form.weights)
        if before is None or state.concepts != before.concepts or state.model != before.model:
            self.concepts.refill([self._concept(concept, state) for concept in state.concepts])
            for part in (self.concepts, self.all):
                part.setVisible(bool(state.concepts))
            self.no_concepts.setVisible(not state.concepts)

    def _draw_second(self, state: PanelState) -> None:
        second = "second" in state.shown
        for part in (self.second_label, self.second):
            part.setVisible(second)
        if second:
            operation = state.form.operation
            self.second_label.setText(say("second-" + operation))
            self.second.setAccessibleName(say("second-" + operation))
            self.second.setPlaceholderText(say("example-" + operation))
            self.second.put(state.form.second)

    def _color(self, state: PanelState) -> None:
        """What has a colour of its own, in the theme that there is now."""
        color = self.palette().color(QPalette.ColorRole.WindowText).name()
        link = '<a href="{0}" style="color: {1}">{0}</a>'
        self.words.setText("  ·  ".join(link.format(escaped(word), color) for word in state.words))
        self._mark(state)

    def _mark(self, state: PanelState) -> None:
        """The words that change, in both sentences and in one line."""
        replacing = state.form.operation == REPLACE
        self.first.mark(spans(state.changes, "source") if replacing else [], state.unknown[0], state.doubtful)
        self.second.mark(spans(state.changes, "target") if replacing else [], state.unknown[1])
        self.unknown.setText(state.unknown_text)
        self.unknown.setVisible(bool(state.unknown_text))
        self.changes.setText(state.changes_text)
        self.changes.setVisible(bool(state.changes_text))

    def _concept(self, concept: Concept, state: PanelState):
        foreign = state.foreign(concept)
        tip = foreign or concept.tip
        made = tile(concept.name, picture(concept.thumbnail, CONCEPT), tip, text=concept.name)
        made.setEnabled(not foreign)
        made.clicked.connect(lambda: self.insert_concept(concept.name))
        return made

    # What people do.

    def insert_concept(self, name: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        cursor = self.second.textCursor()
        if self.second.isVisible():
            cursor.removeSelectedText()
            self._panel.draft.insert_concept(name, cursor.position())
            self.second.setFocus()

    def _word_menu(self, word: str) -> None:
        menu = QMenu(self)
        for key, call in (
            ("word-replace", self._replace_word),
            ("word-emphasise", self._panel.draft.emphasise),
            ("word-select", self._panel.select_word),
        ):
            action = menu.addAction(say(key, word=word))
            action.triggered.connect(lambda _=False, call=call: call(word))
        menu.popup(self.words.mapToGlobal(self.words.rect().bottomLeft()))

    def _replace_word(self, word: str) -> None:
        new, meant = QInputDialog.getText(self, "Palimpsest", say("new-word", word=word))
        if meant:
            self._panel.draft.replace_word(word, new)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
