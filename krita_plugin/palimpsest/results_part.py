"""What was made: looked at on the canvas before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Optional

from ._client.gallery import Gallery
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.results import Result, Strip
from ._client.wording import say
from .keyboard import to_canvas
from .layout import MARGIN, Flat, Flow, Thumbnails, column, label, link, row, shortened
from .qt import (
    QApplication,
    QEvent,
    QIcon,
    QMenu,
    QPainter,
    QPixmap,
    QPoint,
    Qt,
    QTimer,
    QToolButton,
    QWidget,
)

RESULT = 64  # px
FADED = 0.4  # of a result of another picture
KEYS = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Return: "return",
    Qt.Key.Key_Enter: "return",
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_O: "o",
}


class ResultsPart(QWidget):
    """``shown``: what can be done with the one that is looked at, put where it needs no scrolling."""

    def __init__(self, panel: Panel, reveal: Callable[[QWidget], None]) -> None:
        """``reveal`` scrolls to a result."""
        super().__init__()
        self._panel, self._reveal = panel, reveal
        self._strip = Strip()
        self._tiles: list = []
        self._thumbnails = Thumbnails(panel.session, RESULT, self._draw_results)
        self.everything = link(say("all-results"), say("tip-all-results"))
        self.everything.setCheckable(True)
        self.everything.clicked.connect(lambda on: panel.gallery.show_everything(on))
        self.results = Flow(say("results"))
        self.no_results = label(say("no-results"), wrap=True, muted=True)
        title = row(label(say("results")), QWidget(), self.everything, stretch=1)
        column(self, title, self.results, self.no_results)
        self.shown = self._shown_part()

    def _shown_part(self) -> QWidget:
        self.keep, self.discard = link(say("keep"), say("tip-keep")), link(say("discard"), say("tip-discard"))
        self.original = link(say("original"), say("tip-original"))
        for made in (self.keep, self.discard, self.original):
            made.setAutoRaise(False)  # framed, and narrower than a push button
        self.keep.clicked.connect(lambda: (self._panel.gallery.keep(), to_canvas()))
        self.discard.clicked.connect(lambda: (self._panel.gallery.discard(), to_canvas()))
        self.original.pressed.connect(lambda: self._panel.gallery.compare(True))
        self.original.released.connect(lambda: self._panel.gallery.compare(False))
        self.before, self.after = self._arrow(-1), self._arrow(1)
        deeds, made = Flow(say("more")), QWidget()
        deeds.refill([self.keep, self.discard, self.original, self.before, self.after])
        column(made, deeds).setContentsMargins(MARGIN, 0, MARGIN, 0)
        return made

    def _arrow(self, by: int) -> QToolButton:
        made = link("", say("result-before" if by < 0 else "result-after"))
        made.setArrowType(Qt.ArrowType.LeftArrow if by < 0 else Qt.ArrowType.RightArrow)
        made.setAccessibleName(made.toolTip())
        made.clicked.connect(lambda: self._panel.gallery.step(by))
        return made

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        last, self._strip = self._strip, state.strip
        if before is None or (state.strip.results, state.strip.foreign) != (last.results, last.foreign):
            self._draw_results()
            self.results.setVisible(bool(state.results))
            self.no_results.setVisible(not state.results)
        self.everything.setChecked(state.strip.everything)
        for made in self._tiles:
            made.setChecked(made.result.key == state.strip.shown)
        if state.strip.shown is None:
            self.shown.hide()
        elif state.strip.shown != last.shown:  # nothing moves below the mouse within a double-click
            QTimer.singleShot(QApplication.doubleClickInterval(), self._show_deeds)

    def _show_deeds(self) -> None:
        with suppress(RuntimeError):  # its window was closed, and Qt has deleted it
            self.shown.setVisible(self._strip.shown is not None)
            for made in self._tiles:
                if made.isChecked():
                    self._reveal(made)

    def _draw_results(self) -> None:
        """The focus stays with the result that had it."""
        at = next((made.result.key for made in self._tiles if made.hasFocus()), None)
        self._tiles = [self._tile(result) for result in self._strip.results]
        self.results.refill(self._tiles)
        for made in self._tiles:
            if made.result.key == at:
                made.setFocus()

    def _tile(self, result: Result) -> Tile:
        pixmap, strip = self._thumbnails.of(result.thumbnail), self._strip
        foreign = result.key in strip.foreign
        made = Tile(self._panel.gallery, result, strip.label(result), strip.tip(result))
        made.show_picture(faded(pixmap) if foreign else pixmap)
        made.customContextMenuRequested.connect(lambda at: self._offer(made, at))
        made.setChecked(result.key == strip.shown)
        return made

    def _offer(self, made: Tile, at: QPoint) -> None:
        """The menu of a result."""
        copy, use = QApplication.clipboard().setText, self._panel.use_settings
        self.menu = QMenu(made)
        for text, call in self._panel.gallery.menu(made.result, use, copy):
            self.menu.addAction(text).triggered.connect(lambda _=False, call=call: call())
        self.menu.popup(made.mapToGlobal(at))

    def hideEvent(self, event) -> None:  # noqa: N802
        super().hideEvent(event)
        self._panel.gallery.discard()


class Tile(Flat):
    """A result: a click shows it, a double-click keeps it, the arrow keys go on from it."""

    def __init__(self, gallery: Gallery, result: Result, name: str, tip: str) -> None:
        super().__init__()
        self.result, self._gallery = result, gallery
        self.setAccessibleName(name)
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)
        self.setAutoRaise(True)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a click gives it the keys, too
        self.clicked.connect(self._clicked)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def show_picture(self, pixmap: QPixmap) -> None:
        """Its name, where there is none (yet)."""
        if pixmap.isNull():
            self.setText(shortened(self.result.name))
        else:
            self.setIcon(QIcon(pixmap))
            self.setIconSize(pixmap.size())

    def _clicked(self) -> None:
        self.setChecked(not self.isChecked())  # the panel's state says which one is shown
        self._gallery.show(self.result)

    def mouseDoubleClickEvent(self, event) -> None:  # noqa: N802
        self._gallery.keep(self.result)
        to_canvas()

    def event(self, event) -> bool:
        """Before Krita's own shortcuts, which would take the keys."""
        types = QEvent.Type
        if event.type() in (types.ShortcutOverride, types.KeyPress, types.KeyRelease):
            key, down = KEYS.get(event.key(), ""), event.type() == types.KeyPress
            if key and (event.type() == types.ShortcutOverride or (event.isAutoRepeat() and key == "o")):
                event.accept()
                return True
            if key and self._gallery.press(key, down):
                return True
        return super().event(event)


def faded(pixmap: QPixmap) -> QPixmap:
    """Of another picture: it stands back."""
    made = QPixmap(pixmap.size())
    if pixmap.isNull():
        return pixmap
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setOpacity(FADED)
    painter.drawPixmap(0, 0, pixmap)
    painter.end()
    return made
