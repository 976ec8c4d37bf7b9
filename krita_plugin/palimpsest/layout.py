"""Small things that a narrow panel is made of."""

from __future__ import annotations

from contextlib import suppress

from ._client.icons import SIDE, colored
from .qt import (
    QApplication,
    QEvent,
    QFrame,
    QHBoxLayout,
    QIcon,
    QImage,
    QLabel,
    QLayout,
    QPainter,
    QPalette,
    QPixmap,
    QPushButton,
    QScrollArea,
    QSize,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

GAP, MARGIN = 4, 6  # px
QUIET = 150  # of 255
NARROWEST = 100  # px
LONGEST = 16  # letters of a name
MOST_THUMBNAILS = 60


class Flow(QWidget):
    """Widgets side by side, going on in the next row where the width ends; ``one_row``: those that fit."""

    def __init__(self, name: str, one_row: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.widgets: list = []
        self._one_row = one_row

    def refill(self, widgets: list) -> None:
        """In the place of those that are there, which are hidden at once: what Krita deletes later while it
        starts it deletes never."""
        for widget in self.widgets:
            widget.hide()
            widget.deleteLater()
        self.widgets = widgets
        for widget in widgets:
            widget.setParent(self)
        self._take_turn()
        self.show_only(widgets)

    def _take_turn(self) -> None:
        """Tab comes to new widgets where they are seen, and not after all others."""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # those that take no focus have no place in the order
        for before, after in zip([self, *self.widgets], self.widgets):
            self.setTabOrder(before, after)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_only(self, widgets: list) -> None:
        """Of those that are there."""
        for widget in self.widgets:
            widget.setVisible(widget in widgets)
        self.setVisible(bool(widgets))
        self.updateGeometry()
        self._arrange(self.width(), move=True)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return self._arrange(width, move=False)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(NARROWEST, self.heightForWidth(max(NARROWEST, self.width())))

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange(self.width(), move=True)

    def _arrange(self, width: int, move: bool) -> int:
        """Height that is needed."""
        x = y = row = 0
        for widget in self.widgets:
            if widget.isHidden() and not self._one_row:
                continue
            size = widget.sizeHint()
            wide = min(size.width(), width)
            if x and x + wide > width:
                if self._one_row:
                    x = width  # no other comes after it
                else:
                    x, y, row = 0, y + row + GAP, 0
            if move:
                widget.setGeometry(x, y, wide, size.height())
                if self._one_row:
                    widget.setVisible(x < width)
            x, row = x + wide + GAP, max(row, size.height())
        return y + row


class Framed:
    """Before a Qt class: what has the keyboard has a frame. Krita's style shows it on few widgets."""

    def paintEvent(self, event) -> None:  # noqa: N802
        super().paintEvent(event)  # type: ignore[misc]
        if self.hasFocus():  # type: ignore[attr-defined]
            painter = QPainter(self)
            painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))  # type: ignore[attr-defined]
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))  # type: ignore[attr-defined]
            painter.end()


class Flat(Framed, QToolButton):
    """A button without a frame of its own."""


def beside_krita(dialog: QWidget) -> None:
    """It may stay open while people work, and must not keep Krita from quitting."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)


class Quiet(QLabel):
    """Text that stands back, in every theme: Krita's palettes have no readable colour for it."""

    def changeEvent(self, event) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ParentChange):
            self._stand_back()

    def _stand_back(self) -> None:
        role = QPalette.ColorRole.WindowText
        color = QApplication.palette().color(role)
        color.setAlpha(QUIET)
        mine = self.palette()
        if mine.color(role) != color:
            mine.setColor(role, color)
            self.setPalette(mine)


def column(widget: QWidget, *parts) -> QVBoxLayout:
    """Widgets and rows, one under the other."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(MARGIN)
    for part in parts:
        if isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)
    return layout


def row(*parts, stretch: int = -1) -> QHBoxLayout:
    """Side by side; ``stretch``: which part takes the room that is left."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP)
    for number, part in enumerate(parts):
        layout.addWidget(part, 1 if number == stretch else 0)
    return layout


def label(text: str = "", wrap: bool = False, muted: bool = False) -> QLabel:
    """``wrap``: as many lines as it takes."""
    made = Quiet(text) if muted else QLabel(text)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return made


def link(text: str, tip: str = "") -> QToolButton:
    """A quiet button."""
    made = Flat()
    made.setText(text)
    made.setToolTip(tip)
    made.setAutoRaise(True)
    made.setAccessibleName(text)
    return made


def scrolled(inside: QWidget) -> QScrollArea:
    """Up and down only."""
    inside.setMinimumWidth(1)  # what is too wide is cut alone, and takes no other along
    scroll = QScrollArea()
    scroll.setWidget(inside)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setMinimumSize(QSize(120, 80))
    return scroll


def line() -> QFrame:
    made = QFrame()
    made.setFrameShape(QFrame.Shape.HLine)
    made.setFrameShadow(QFrame.Shadow.Sunken)
    return made


def icon(name: str, widget: QWidget, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """In the colour of the widget's text, as sharp as its screen is."""
    made, ratio = QIcon(), widget.devicePixelRatioF()
    for mode, group in ((QIcon.Mode.Normal, "Active"), (QIcon.Mode.Disabled, "Disabled")):
        color = widget.palette().color(getattr(QPalette.ColorGroup, group), role).name()
        pixmap = QPixmap()
        pixmap.loadFromData(colored(name, color, round(SIDE * ratio)), "SVG")
        pixmap.setDevicePixelRatio(ratio)
        made.addPixmap(pixmap, mode)
    return made


def shortened(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def button(text: str) -> QPushButton:
    """As narrow as its text allows."""
    made = QPushButton(text)
    made.setAccessibleName(text)
    made.setMinimumWidth(0)
    return made


def small(content: bytes, side: int) -> QImage:
    """Scaled into a square of ``side`` px; a null image for what can't be read. On any thread."""
    image = QImage.fromData(content)
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image if image.isNull() else image.scaled(side, side, ratio, smooth)


class Thumbnails:
    """Pictures of any size, decoded aside of Krita's thread; ``came`` is called when one is there."""

    def __init__(self, session, side: int, came, make=small) -> None:
        self._session, self._side, self._came, self._make = session, side, came, make
        self._images: dict = {}  # content → image; None while it is decoded

    def of(self, content) -> QPixmap:
        """A null pixmap until it is there. ``content``: bytes or None, or what ``make`` takes."""
        if content is not None and content not in self._images:
            while len(self._images) >= MOST_THUMBNAILS:
                del self._images[next(iter(self._images))]
            self._images[content] = None
            self._session.aside(
                lambda: self._make(content, self._side), lambda it: self._have(content, it), lambda _: None
            )
        image = self._images.get(content)
        return QPixmap() if image is None else QPixmap.fromImage(image)

    def _have(self, content, image: QImage) -> None:
        self._images[content] = image
        with suppress(RuntimeError):  # its window was closed, and Qt has deleted it
            self._came()


def picture(content: bytes | None, side: int) -> QPixmap:
    """Of a picture that is small already."""
    return QPixmap() if content is None else QPixmap.fromImage(small(content, side))


def tile(name: str, pixmap: QPixmap, tip: str, text: str = "") -> QToolButton:
    """A button that is a picture, with a name for those who can't see it."""
    made = Flat()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setAutoRaise(True)
    if not pixmap.isNull():
        made.setIcon(QIcon(pixmap))
        made.setIconSize(pixmap.size())
    if text or pixmap.isNull():
        made.setText(shortened(text or name))
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return made
