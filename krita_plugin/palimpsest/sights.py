"""Pictures, lists of them, and results: decoded aside of Krita's thread where they may be large."""

from __future__ import annotations

from typing import Any

from . import qt
from ._client.editor.geometry import Extent
from ._client.editor.masks import veil
from ._client.krita.pictures import GREY
from ._client.views.view import Choices, Picture, Tile, shortened
from .layout import Framed, key_of, label, pixmap_of, small
from .parts import Drawer, offer
from .pictures import cut

SQUARE, LIGHT, DARK = 8, b"\xff", b"\xbe"  # chequers under what is transparent
CHEQUERS = (LIGHT * SQUARE + DARK * SQUARE) * SQUARE + (DARK * SQUARE + LIGHT * SQUARE) * SQUARE
FADED = 0.4  # of a result of another picture
BADGE = "background: #b3372b; color: white; font-weight: bold; border-radius: 9px;"
KEYS = ("left", "right", "return", "escape", "o")


class PictureDrawer(Drawer):
    def make(self, part: Picture) -> qt.QWidget:
        made = label()
        made.setAlignment(qt.Qt.AlignmentFlag.AlignCenter)
        if part.chequered:
            made.setFixedSize(part.side, part.side)
        if part.badge:
            badge = qt.QLabel(part.badge, made, alignment=made.alignment(), styleSheet=BADGE)
            badge.setGeometry(2, 2, 18, 18)
        return made

    def put(self, part: Picture) -> None:
        about = part.content, part.mask, part.side
        made = self.view.aside(self, sight, *about) if part.chequered else small(part.content, part.side)
        self.widget.setPixmap(pixmap_of(made))


class ChoicesDrawer(Drawer):
    typed = True

    _options: tuple = ()

    def make(self, part: Choices) -> qt.QWidget:
        made = qt.QListWidget(iconSize=qt.QSize(part.side, part.side), currentRowChanged=self._chosen)
        made.itemActivated.connect(lambda _: self.part.enter())
        return made

    def put(self, part: Choices) -> None:
        with qt.QSignalBlocker(self.widget):
            if part.options != self._options:
                self._options = part.options
                self.widget.clear()
                for option in part.options:
                    self.widget.addItem(self._item(option, part.side))
            self.widget.setCurrentRow(part.at)

    def _item(self, option: Any, side: int) -> qt.QListWidgetItem:
        made = qt.QListWidgetItem(qt.QIcon(pixmap_of(small(option.picture, side))), option.text)
        made.setToolTip(option.tip)
        if not option.enabled:
            disabled = qt.QPalette.ColorGroup.Disabled
            made.setForeground(self.widget.palette().color(disabled, qt.QPalette.ColorRole.Text))
        return made

    def _chosen(self, at: int) -> None:
        if at >= 0:
            self.part.choose(self._options[at].key)


class TileDrawer(Drawer):
    typed = True

    def make(self, part: Tile) -> qt.QWidget:
        return TileButton(self)

    def put(self, part: Tile) -> None:
        made = self.widget
        if part.on and not made.isChecked():
            qt.QTimer.singleShot(qt.QApplication.doubleClickInterval(), self.view.reveal)
            if isinstance(qt.QApplication.focusWidget(), TileButton):  # the arrows go through the row
                made.setFocus()
        made.setChecked(part.on)
        made.setProperty("framed", part.on)
        made.setAccessibleDescription(part.tip)
        image = self.view.aside(self, small, part.picture, part.side) if part.picture else None
        pixmap = pixmap_of(image)
        made.setText(shortened(part.text) if pixmap.isNull() else "")  # there is none (yet)
        made.setIcon(qt.QIcon(pixmap))
        made.graphicsEffect().setOpacity(FADED if part.faded else 1.0)
        if not pixmap.isNull():
            made.setIconSize(pixmap.size())


class TileButton(Framed, qt.QToolButton):
    def __init__(self, drawer: TileDrawer) -> None:
        super().__init__(autoRaise=True, checkable=True, clicked=self._clicked)
        self._drawer = drawer
        self.setGraphicsEffect(qt.QGraphicsOpacityEffect(self))
        self.setFocusPolicy(qt.Qt.FocusPolicy.StrongFocus)  # a click gives it the keys, too

    def contextMenuEvent(self, event: qt.QContextMenuEvent) -> None:  # noqa: N802
        offer(self, self._drawer.part.menu(), self._drawer.view.desktop, event.globalPos())

    def _clicked(self) -> None:
        self.setChecked(not self.isChecked())  # the panel's state says which one is shown
        self._drawer.part.do()

    def mouseDoubleClickEvent(self, event: qt.QMouseEvent) -> None:  # noqa: N802
        self._drawer.part.keep()

    def event(self, event: qt.QEvent) -> bool:
        """Before Krita's own shortcuts, which would take the keys."""
        types = qt.QEvent.Type
        if event.type() in (types.ShortcutOverride, types.KeyPress, types.KeyRelease):
            key, down = key_of(event), event.type() == types.KeyPress
            held = event.isAutoRepeat() and key == "o"
            if key in KEYS and (event.type() == types.ShortcutOverride or held):
                event.accept()
                return True
            if key in KEYS and self._drawer.part.press(key, down):
                return True
        return super().event(event)


def sight(content: Any, mask: Any, side: int) -> qt.QImage:
    """Chequers where it is transparent, dark where the ``mask``, if there is one, says it isn't learned from.

    A null image for a picture that can't be read. On any thread.
    """
    image, mask = small(content, side), qt.QImage.fromData(mask or b"")
    if image.isNull():
        return image
    extent, smooth = Extent(image.width(), image.height()), qt.Qt.TransformationMode.SmoothTransformation
    seen = qt.QImage(*extent, qt.QImage.Format.Format_RGB32)
    painter = qt.QPainter(seen)
    chequers = qt.QImage(CHEQUERS, 2 * SQUARE, 2 * SQUARE, qt.QImage.Format.Format_Grayscale8)
    painter.fillRect(seen.rect(), qt.QBrush(chequers))
    painter.drawImage(0, 0, image)
    if not mask.isNull():
        dark = veil(cut(mask.scaled(*extent, transformMode=smooth), extent.bounds, GREY))
        painter.drawImage(0, 0, qt.QImage(dark, *extent, qt.QImage.Format.Format_RGBA8888))
    painter.end()
    return seen


SIGHTS: dict = {Picture: PictureDrawer, Choices: ChoicesDrawer, Tile: TileDrawer}
