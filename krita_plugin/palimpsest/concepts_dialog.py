"""All learned words: searched, written into the sentence, renamed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.vocabulary import matching
from ._client.wording import say
from .layout import beside_krita, button, column, label, picture, row
from .learn_dialog import open_learn_dialog
from .qt import (
    QDialog,
    QIcon,
    QInputDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QSize,
    Qt,
    QWidget,
)

SIDE, WIDTH, HEIGHT = 40, 320, 420  # px


class ConceptsDialog(QDialog):
    """Stays open beside the picture; ``use`` writes a word into the sentence."""

    def __init__(self, parent: QWidget, panel: Panel, use: Callable[[str], None]) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("concepts"))
        beside_krita(self)
        self.resize(WIDTH, HEIGHT)
        self._panel, self._use = panel, use
        self.search = QLineEdit()
        self.search.setPlaceholderText(say("search"))
        self.search.setAccessibleName(say("search"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._fill())
        self.search.returnPressed.connect(self.use)
        self.list = QListWidget()
        self.list.setAccessibleName(say("concepts"))
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.currentItemChanged.connect(lambda _, __: self._enable())
        self.list.itemActivated.connect(lambda _: self.use())
        self.message = label(wrap=True)
        self.acts = {
            key: self._act(key, call)
            for key, call in (("use", self.use), ("rename", self.rename), ("delete", self.delete))
        }
        learn, close = button(say("learn")), button(say("close"))
        learn.clicked.connect(lambda: open_learn_dialog())
        close.clicked.connect(lambda: self.close())
        for made in (*self.acts.values(), learn, close):
            made.setAutoDefault(False)  # Return is Use
        acts = row(*self.acts.values(), QWidget(), stretch=3)
        ending = row(learn, QWidget(), close, stretch=1)
        column(self, self.search, self.list, acts, self.message, ending).setContentsMargins(8, 8, 8, 8)
        self._state: Optional[PanelState] = None

    def _act(self, key: str, call: Callable[[], None]):
        made = button(say(key))
        made.clicked.connect(lambda: call())
        return made

    def draw(self, state: PanelState) -> None:
        before, self._state = self._state, state
        if before is None or (before.concepts, before.model) != (state.concepts, state.model):
            self._fill()

    def _fill(self) -> None:
        if self._state is None:
            return
        kept = self._name()
        self.list.clear()
        for concept in matching(self._state.concepts, self.search.text()):
            item = QListWidgetItem(QIcon(picture(concept.thumbnail, SIDE)), concept.line)
            item.setData(Qt.ItemDataRole.UserRole, concept.name)
            self.list.addItem(item)
            if concept.name == kept or self.list.count() == 1:
                self.list.setCurrentItem(item)
        self._enable()

    def _name(self) -> str:
        item = self.list.currentItem()
        return "" if item is None else item.data(Qt.ItemDataRole.UserRole)

    def _enable(self) -> None:
        for made in self.acts.values():
            made.setEnabled(bool(self._name()))

    # What people do.

    def use(self) -> None:
        if self._name():
            self._use(self._name())

    def rename(self) -> None:
        name = self._name()
        new, meant = QInputDialog.getText(self, say("concepts"), say("new-name", name=name), text=name)
        if meant and new.strip("<> ") not in ("", name):
            self.message.clear()
            self._panel.rename_concept(name, new.strip("<> "), self.message.setText)

    def delete(self) -> None:
        name = self._name()
        ask = QMessageBox.question(self, say("concepts"), say("really-delete", name=name))
        if ask == QMessageBox.StandardButton.Yes:
            self.message.clear()
            self._panel.backend.remove_concept(name, self.message.setText)
